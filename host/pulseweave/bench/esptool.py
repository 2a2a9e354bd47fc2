"""Espressif's esptool as a subprocess: one per port, its progress read from its output, its failures turned into
advice.

A process of its own keeps its licence (GPL-2.0-or-later) and its global logger apart. Its arguments reach it over its
stdin, so that it can start before they are known. In: port, arguments. Out: `Outcome`. The words looked for are those
of esptool 5.
"""

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

SILENCE_S = 60.0  # a process that says nothing for so long is ended
PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
MAC = re.compile(r"^MAC:\s+([0-9a-fA-F:]{17})\b", re.M)
CHIP = re.compile(r"^Chip type:\s+(.+)$", re.M)

DOWNLOAD_MODE = (
    "the chip does not answer its bootloader: hold BOOT, press and let go RESET, let go BOOT, then run this again; "
    "if that does not help, take a cable with data lines and nothing on GPIO0, 2 and 12"
)
# what esptool says (regular expression), kind of failure, plain words; {0} is the expression's first group
FAILURES = (
    (r"(?m)^Aborted\.$", "stopped", "stopped with Ctrl-C: flash it again before it is used"),
    (
        r"This chip is ([\w-]+), not ([\w-]+)",
        "chip",
        "wrong chip: this board has {0}, the description says {1}: correct --board",
    ),
    (
        r"Unexpected chip ID|not an? (ESP32[\w-]*) image",
        "chip",
        "wrong chip: the image is for another one: correct --firmware",
    ),
    (r"ermission denied", "permission", ""),
    (r"No such file or directory|doesn't exist\.?\n\(\[Errno 2\]", "missing", ""),
    (r"port is busy|Resource busy|exclusively lock|Connection refused", "busy", ""),
    (r"Failed to connect|No serial data received|Wrong boot mode|download mode", "mode", DOWNLOAD_MODE),
    (
        r"MD5 of file does not match|Hash of data.*mismatch",
        "verify",
        "what was read back differs from what was written: "
        "take another cable or a lower --baud; if it stays, the flash is worn out",
    ),
    (
        r"Invalid head of packet|Packet content transfer stopped|Timed out waiting|Serial data stream stopped|corrupt",
        "line",
        "the line loses bytes: take a shorter cable, a port of the computer itself, or a lower --baud",
    ),
    (
        r"device reports readiness to read but returned no data|Input/output error|disconnected|write failed|"
        r"could not be opened again|Broken pipe|socket disconnected|ClearCommError|Device not configured",
        "gone",
        "vanished in the middle: check cable and plug, then run the same command again: it begins where it must",
    ),
    (
        r"larger than|will not fit|exceeds",
        "size",
        "the image does not fit into this board's flash: correct --firmware or --board",
    ),
    (
        r"(?:Secure Boot|flash encryption|Flash encryption)",
        "locked",
        "this chip is locked (secure boot or flash encryption): it takes only its owner's images",
    ),
)
AGAIN = ("mode", "verify", "line", "gone", "unknown", "silent")  # failures that another try may cure


@dataclass(frozen=True)
class Outcome:
    """`kind` "" where all went well; `mac` as far as the connection came; `text` all that was said."""

    kind: str
    why: str
    mac: str
    chip: str
    skipped: bool
    text: str


def classify(text: str) -> tuple[str, str]:
    """(kind, plain words) of a failure, from what esptool said."""
    for pattern, kind, words in FAILURES:
        if m := re.search(pattern, text):
            groups = [g or "" for g in m.groups()] + ["", ""]
            return kind, words.format(*groups)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line] or lines[-1:] or ["nothing"]
    return "unknown", f"esptool said: {errors[0][:160]}"


# esptool, as `python -m esptool` is it, but for one thing: a `socket://` port waits 0.3 s after it was closed, for whoever
# might connect again at once; a serial port does not, and here the next one to connect tries more than once
CHILD = """
import runpy
from serial.urlhandler import protocol_socket
protocol_socket.time = type("Hurry", (), {"sleep": staticmethod(lambda seconds: None)})
runpy.run_module("esptool", run_name="__main__", alter_sys=True)
"""
_started: list[subprocess.Popen] = []  # by `ahead`, until `run` takes it


def start() -> subprocess.Popen:
    """An esptool that has no arguments yet: it loads itself, then reads them from its stdin."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, "@/dev/stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "120", "TERM": "dumb", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
    )


@contextmanager
def ahead() -> Iterator[None]:
    """Within this block one esptool is on its way already, for whoever runs first. Not taken, it is ended."""
    process = start()
    _started.append(process)
    try:
        yield
    finally:
        if process in _started:
            _started.remove(process)
            end(process)


def end(process: subprocess.Popen) -> None:
    """No such process any longer, whatever it does."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def run(
    port: str,
    *arguments: str,
    chip: str = "auto",
    baud: int = 460800,
    attempts: int = 7,
    report: Callable[[float], None] | None = None,
) -> Outcome:
    """Run one esptool command on `port`; `report` gets the fraction done (0..1) now and then."""
    line = [
        "--chip", chip, "--port", port, "--baud", str(baud), "--connect-attempts", str(attempts), *arguments
    ]  # fmt: skip
    try:
        process = _started.pop()
    except IndexError:
        process = start()
    said = bytearray()
    silent = False

    def give_up():
        nonlocal silent
        silent = True
        process.kill()

    try:
        assert process.stdin and process.stdout
        with suppress(BrokenPipeError), process.stdin as words:  # it ended already: what it said tells why
            words.write("".join(shlex.quote(w) + "\n" for w in line).encode())
        timer = threading.Timer(SILENCE_S, give_up)
        timer.start()
        while data := os.read(process.stdout.fileno(), 4096):
            timer.cancel()
            timer = threading.Timer(SILENCE_S, give_up)
            timer.daemon = True
            timer.start()
            said += data
            if report and (found := PERCENT.findall(data.decode("utf-8", "replace"))):
                report(float(found[-1]) / 100)
        timer.cancel()
        code = process.wait()
    finally:
        end(process)
    text = said.decode("utf-8", "replace")
    text = text.partition("\nesptool v")[2] or text  # before its name stand our own words
    kind, why = ("", "") if code == 0 else classify(text)
    if silent:
        kind, why = "silent", f"the chip fell silent for {SILENCE_S:.0f} s: {DOWNLOAD_MODE}"
    mac, model = MAC.search(text), CHIP.search(text)
    return Outcome(
        kind,
        why,
        mac[1].lower() if mac else "",
        model[1].strip() if model else "",
        code == 0 and "already in flash, skipping" in text,
        text,
    )

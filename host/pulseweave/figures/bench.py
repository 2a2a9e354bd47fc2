"""The technician's bench beside plain tools: deploying, flashing many, flashing again, watching.

Boards are virtual boards and mock chips; a mock chip's line is as fast as a UART of 460,800 baud, because that is
what the time of a flash is made of. Seconds are wall time of the whole command, as a technician waits for it; every
command is run once before.
"""

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from pulseweave.figures.figure import Figure
from pulseweave.figures.parts.mock_chip import MockChip
from pulseweave.figures.parts.mock_image import merged
from pulseweave.figures.parts.whole_board import BusyLine, VirtualBoard
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem
from pulseweave.processes import cpu_s, pulseweave

NOTE = (
    "Lines to mock chips run at 460,800 baud (flash again: as fast as a socket); virtual boards at the speed of a pty. "
    "Wall seconds include starting Python."
)
BAUD = 460800


def seconds(line: list[str], folder: Path) -> float:
    """Wall time of a command. Raises Problem where it fails."""
    environment = {**os.environ, "PULSEWEAVE_LEDGER": str(folder / "ledger.jsonl")}
    begin = time.monotonic()
    done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=600)
    took = time.monotonic() - begin
    if done.returncode:
        raise Problem(f"`{' '.join(line[2:5])}` failed: {(done.stderr or done.stdout).strip()[-200:]}")
    return took


def mpremote(port: str, *words: str) -> list[str]:
    """The command line of mpremote."""
    return [sys.executable, "-m", "mpremote", "connect", port, *words]


def deploying(folder: Path, repeats: int) -> list[Figure]:
    """A redeploy of an unchanged board, and of one with one changed module, beside `mpremote fs cp -r` of the same tree."""
    tree = folder / "tree"
    shutil.copytree(DEVICE, tree, ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    changed = tree / "weave" / "fixed.py"
    source = changed.read_text()
    ours, theirs, peer_ours, peer_theirs = [], [], [], []
    with VirtualBoard(folder / "a") as a, VirtualBoard(folder / "b", "--blank") as b:
        deploy = pulseweave("deploy", "--port", a.port, "--board", "virtual", "--tree", str(tree))
        copy = mpremote(b.port, "fs", "cp", "-r", f"{tree}/weave", f"{tree}/main.py", f"{tree}/boot.py", ":")
        for i in range(3):  # both directories of the board get a version
            changed.write_text(source + f"\n# {i}\n_V = {i}\n")
            seconds(deploy, folder)
            time.sleep(3)
        seconds(copy, folder)
        for i in range(repeats):
            time.sleep(3)  # the node starts again and runs
            ours.append(seconds(deploy, folder))
            peer_ours.append(seconds(copy, folder))
            changed.write_text(source + f"\n# {i}\n_V = {10 + i}\n")
            time.sleep(3)
            theirs.append(seconds(deploy, folder))
            peer_theirs.append(seconds(copy, folder))
    peer, v = "mpremote fs cp -r", version("mpremote")
    return [
        Figure("bench_redeploy_unchanged_s", min(ours), "s", peer, min(peer_ours), v, 1.0),
        Figure("bench_deploy_one_changed_s", min(theirs), "s", peer, min(peer_theirs), v, 2.0),
    ]


def flashing(folder: Path, size: int, boards: int) -> list[Figure]:
    """Many boards at once beside one and beside a shell loop; and a board that has it already."""
    file = folder / "image.bin"
    file.write_bytes(merged("esp32", size=size))

    def esptool(port: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "esptool", "--chip", "esp32", "--port", port, "--baud", str(BAUD),
                "write-flash", *more, "0x1000", str(file)]  # fmt: skip

    def flash(*chips: MockChip) -> list[str]:
        options = [w for c in chips for w in ("--port", c.port)]
        return pulseweave("flash", "--board", "esp32-devkit", "--firmware", str(file), *options)

    def chips(stack: ExitStack, n: int) -> list[MockChip]:
        return [stack.enter_context(MockChip(mac=f"240ac4{i:06x}", baud=BAUD)) for i in range(n)]

    with ExitStack() as stack:
        (one,) = chips(stack, 1)
        alone = seconds(flash(one), folder)
    with MockChip() as quick:  # no line to wait for: what the tools themselves cost
        seconds(flash(quick), folder)
        again = min(seconds(flash(quick), folder) for _ in range(3))
        plain_again = min(seconds(esptool(quick.port, "--skip-flashed"), folder) for _ in range(3))
    with ExitStack() as stack:
        together = seconds(flash(*chips(stack, boards)), folder)
    with ExitStack() as stack:
        loop = sum(seconds(esptool(c.port), folder) for c in chips(stack, boards))
    v = version("esptool")
    return [
        Figure("bench_flash_one_s", alone, "s", "esptool, one of a loop", loop / boards, v),
        Figure(
            f"bench_flash_{boards}_over_one",
            together / alone,
            "times",
            "shell loop of esptool",
            loop / alone,
            v,
            1.5,
        ),
        Figure("bench_flash_again_s", again, "s", "esptool --skip-flashed", plain_again, v, 1.0),
    ]


def share(line: list[str], span: float) -> float:
    """CPU share of a core that a command uses on a terminal of 120 x 40, after two seconds of start."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        line,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.set_blocking(ours, False)
    try:
        begin = time.monotonic()
        before = None
        while time.monotonic() < begin + 2 + span:
            try:
                os.read(ours, 65536)
            except BlockingIOError:
                time.sleep(0.01)
            if before is None and time.monotonic() > begin + 2:
                before = cpu_s(process.pid)
        if process.poll() is not None or before is None:
            raise Problem(f"`{' '.join(line[2:4])}` ended by itself")
        return (cpu_s(process.pid) - before) / span
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def watching(span: float) -> list[Figure]:
    """The console's screen at 100 frames a second, beside a terminal program that only copies bytes."""
    line = BusyLine(100)
    try:
        ours = share(pulseweave("console", "--port", line.port), span)
        plain = share([sys.executable, "-m", "serial.tools.miniterm", "--raw", line.port, "115200"], span)
    finally:
        line.close()
    peer, v = "miniterm, bytes only", version("pyserial")
    return [Figure("bench_console_100_frames_core", ours, "of a core", peer, plain, v, 0.10)]


def measure(quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        return [
            *deploying(folder, 2 if quick else 4),
            *flashing(folder, 200_000 if quick else 600_000, 8),
            *watching(5 if quick else 15),
        ]

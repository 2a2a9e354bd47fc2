"""A board's raw REPL: breaking in, running code, leaving; mpremote's transport with an eye for what goes wrong.

In: a port. Out: what the code printed. Whatever is on the line (a running node, streams of frames, noise, a board
that restarts over and over) either ends at the prompt or becomes one `Problem` line that says what was heard and
what to do.
"""

import re
import termios
import time

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from pulseweave import ports
from pulseweave.problem import Problem

BANNER = b"raw REPL; CTRL-B to exit\r\n"
PATIENCE_S = 10.0
ROUND_S = (
    0.6  # one knock; a node stops within a tenth of a second, a board that starts up listens after 0.3 s
)
ANSWER_S = 5.0  # within a paste a board answers at once, a computer with too much to do takes its time
SETTLE_S = 2  # of silence, and that was no prompt of ours: knock again
RESTARTS = re.compile(rb"rst:0x|Rebooting\.\.\.|Guru Meditation|MPY: soft reboot|abort\(\) was called")


def silence(heard: bytes, seconds: float) -> str:
    """What is wrong with a board that does not come to the prompt, from what it said meanwhile."""
    text = bytes(b for b in heard if b in (9, 10, 13) or 32 <= b < 127)
    restarts = len(RESTARTS.findall(heard))
    if not heard:
        return (
            "the board says nothing: press its RESET, check that the cable has data lines; "
            "a board without MicroPython needs `pulseweave flash` first"
        )
    if restarts >= 3:
        last = next((x for x in reversed(text.decode().splitlines()) if "Error" in x or "abort" in x), "")
        last = f": {last.strip()[:80]}" if last else ""
        return (
            f"the board restarts over and over ({restarts} times in {seconds:.0f} s{last}): "
            "unplug the strand and try another supply; if it goes on, `pulseweave flash` it again, then deploy"
        )
    if len(text) < 0.7 * len(heard):
        return (
            f"only noise ({len(heard):,} bytes that are no text): wrong speed or not this kind of board: "
            f"boards here talk at {ports.BAUD} baud (--baud)"
        )
    last = (text.decode().strip().splitlines() or [""])[-1][:60]
    return (
        f"the board talks ({last!r}) but does not stop for Ctrl-C: press its RESET and run this again at once"
    )


class Repl(SerialTransport):
    """The raw REPL on `device`, entered; use as a context manager. `restart()` starts the board's own program again."""

    def __init__(self, device: str, baud: int = ports.BAUD, patience: float = PATIENCE_S):
        self.device_name = device
        self.in_raw_repl = self.mounted = False
        self.use_raw_paste = True
        self.is_pty = True  # read with the port's time-out instead of polling it
        self.messages = 0
        self.serial = ports.open_line(device, baud, timeout=0.1)
        try:
            self._break_in(patience)
            self.serial.timeout = ANSWER_S
        except BaseException:
            self._shut()
            raise

    def _break_in(self, patience: float) -> None:
        """Stop whatever runs and enter the raw REPL. Raises Problem with a diagnosis."""
        begin = time.monotonic()
        heard = bytearray()
        try:
            while time.monotonic() < begin + patience:
                self.serial.write(b"\r\x03\x03\r\x01")
                end, tail = time.monotonic() + ROUND_S, b""
                while time.monotonic() < end:
                    b = self.serial.read(1)
                    tail = (tail + b)[-len(BANNER) :]
                    if len(heard) < 200_000:
                        heard += b
                    if tail == BANNER and self._settle():
                        return
        except OSError as e:
            raise Problem(ports.explain(self.device_name, e)) from None
        raise Problem(f"{self.device_name}: {silence(bytes(heard), patience)}")

    def _settle(self) -> bool:
        """After the first banner: have a word of ours said, so that every answer to an earlier knock lies behind us."""
        word = f"pulseweave {time.monotonic_ns()}"
        self.serial.write(f"print('{word}',end='')\x04".encode())
        said = f"OK{word}\x04\x04".encode()  # the prompt's `>` is left for what comes next
        self.in_raw_repl = self.read_until(1, said, timeout=SETTLE_S, timeout_overall=ANSWER_S).endswith(said)
        return self.in_raw_repl

    def run(self, code: str, timeout: int = 20) -> str:
        """What `code` printed. Raises Problem where the link fails, BoardError where the code raises."""
        self.messages += 1
        try:
            said, error = self.exec_raw(code, timeout)
        except (OSError, TransportError, TransportExecError, TypeError) as e:
            if isinstance(e, OSError):
                raise Problem(ports.explain(self.device_name, e)) from None
            raise Problem(
                f"{self.device_name}: the link broke off in the middle ({e}): check cable and plug, then run this again"
            ) from None
        except Exception as e:  # struct.error: half a header
            raise Problem(
                f"{self.device_name}: the link broke off in the middle ({e}): run this again"
            ) from None
        if error:
            raise BoardError(self.device_name, error.decode("utf-8", "replace"))
        return said.decode("utf-8", "replace")

    def restart(self) -> None:
        """A soft reset: boot.py and main.py run again. It does not count as a crash."""
        try:
            self.serial.write(b"\r\x02")
            time.sleep(0.05)
            self.serial.reset_input_buffer()
            self.serial.write(b"\x04")
        except termios.error as e:
            raise Problem(ports.explain(self.device_name, OSError(*e.args))) from None
        except OSError as e:
            raise Problem(ports.explain(self.device_name, e)) from None

    def _shut(self) -> None:
        try:
            self.serial.close()
        except OSError:
            pass

    def __enter__(self) -> "Repl":
        return self

    def __exit__(self, *_) -> None:
        self._shut()


class BoardError(Problem):
    """Code on the board raised: `code_of(name)` tells OSErrors apart."""

    def __init__(self, device: str, traceback: str):
        self.traceback = traceback
        last = (traceback.strip().splitlines() or ["no traceback"])[-1]
        super().__init__(f"{device}: the board says {last}: `pulseweave doctor --port {device}` looks closer")

    def is_errno(self, number: int) -> bool:
        """Whether this is OSError `number`."""
        return bool(re.search(rf"OSError: (\[Errno )?{number}\b", self.traceback))

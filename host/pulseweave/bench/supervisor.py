"""What stands around a virtual board: its serial line, its power, its watchdog, its antenna.

The user's pty and the interpreter's are two; bytes are relayed between them, so that the line stays up while the
interpreter restarts, as a USB bridge does. In: what is typed, what the board tells its hardware, what is in the air.
Out: what the board prints, the pixels last shown (strand.bin), its frames.
"""

import contextlib
import json
import os
import select
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pulseweave.air import Air
from pulseweave.bench import moment
from pulseweave.bench.interpreter import Interpreter, Newlines, open_pty, turn_in

PROMPT = b">>> "
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
POWER, HARD, WATCHDOG, SOFT = 1, 2, 3, 5
HOLD_S = 5.0
TURN_S = 0.5  # a line at the prompt is taken, or it was no line
LOOK_S = 0.002  # between two looks for the right moment
BUSY_CPU_S = 1.0  # of computing without a rest: Ctrl-C waits no longer
RUNNING, WAITING, REPL = "main.py runs", "the prompt is on its way", "at the prompt"


class Supervisor:
    """Runs one board until told to stop. `path` is the serial port's."""

    def __init__(self, plan: dict, folder: Path, air: Path | None = None):
        self.plan, self.folder = plan, folder
        self.line, self._theirs = open_pty()
        self.path = os.ttyname(self._theirs)  # kept open: the port stays when nobody has it open
        self.air = Air(bytes.fromhex(plan["mac"]), air)
        self.board: Interpreter  # the present life
        self._held = bytearray()  # typed while the board could not take it
        # a Ctrl-C that waits for its moment, at most until the board has used so much CPU time
        self._interrupt: float | None = None
        self._reset = self._leaving = False
        self._start(POWER, True, False)

    def _start(self, cause: int, run_main: bool, raw: bool) -> None:
        """Begin a life; `raw` goes to the raw REPL by itself, as a board does after a soft reset from there."""
        if hasattr(self, "board"):
            self.board.end()
        self.plan["cause"] = cause
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps(self.plan))
        self.plan["format"] = False
        self.board = Interpreter(plan, run_main)
        self.state = RUNNING if run_main else WAITING
        self.raw = raw
        self.mounted = False
        self._tail = b""
        self._lines, self._fresh = 0, True
        self._interrupt = None
        self._newlines = Newlines()
        self._since = time.monotonic()
        if cause != SOFT:  # a soft reset does not stop the ESP32's watchdog (micropython #11981)
            self._watchdog: float | None = None

    def press_reset(self) -> None:
        """The reset button (POWER on the ESP32, whose EN pin counts as power)."""
        self._reset = True

    def leave(self) -> None:
        """From a signal's handler: `run` ends within a second. What the handler raises may be lost in a destructor."""
        self._leaving = True

    def run(self) -> None:
        """Relay until `leave`, or until an exception ends it."""
        while not self._leaving:
            self.step(self._patience())

    def _patience(self) -> float:
        if self._interrupt is not None:
            return LOOK_S
        ends = [self._since + HOLD_S] if self.state == WAITING else []
        ends += [self._watchdog] if self._watchdog else []
        return max(0.0, min(1.0, *(e - time.monotonic() for e in ends))) if ends else 1.0

    def step(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for something to do, and do it."""
        board = self.board
        ready, _, _ = select.select([self.line, board.tty, board.from_board, self.air], [], [], timeout)
        if self._reset:
            self._reset = False
            self._start(POWER, True, False)
            return
        if board.tty in ready:
            self._print(board.output())
        if board.from_board in ready and self._obey(board):
            return
        if self.air in ready:
            for mac, frame in self.air.receive():
                board.hear(mac, frame)
        if self.line in ready:
            with contextlib.suppress(BlockingIOError, OSError):
                self._typed(os.read(self.line, 4096))
        self._break()
        now = time.monotonic()
        if self.state == WAITING and self.mounted and now > self._since + HOLD_S:
            self._let_go(RUNNING)  # main.py would not be stopped
        if board.gone:
            self._say(b"\r\nMPY: soft reboot\r\n")
            self._start(SOFT, not self.raw, self.raw)
        elif self._watchdog and now > self._watchdog:
            self._say(b"\r\nrst:0x8 (TG1WDT_SYS_RESET)\r\n")
            self._start(WATCHDOG, True, False)

    def _obey(self, board: Interpreter) -> bool:
        """What the board told its hardware; True where it was reset."""
        for kind, data in board.messages():
            if kind == b"M":
                self.mounted = True
                (self.folder / "new").unlink(missing_ok=True)
                self._let_go(self.state)
            elif kind == b"R":
                self.air.send(data)
            elif kind == b"P":
                (self.folder / "strand.bin").write_bytes(data)
            elif kind == b"W":
                self._watchdog = time.monotonic() + struct.unpack("<I", data)[0] / 1000
            elif kind == b"X":
                self._print(board.output())
                if data[0] == SOFT:
                    self._say(b"MPY: soft reboot\r\n")
                self._start(data[0], True, False)
                return True
        return False

    def _say(self, data: bytes) -> None:
        """To the user; what a stuffed line cannot take is lost, as on a board."""
        with contextlib.suppress(BlockingIOError):
            while data:
                data = data[os.write(self.line, data) :]

    def _print(self, data: bytes) -> None:
        """Board to user, watching for the prompt."""
        if not data:
            return
        self._tail = (self._tail + data)[-200:]
        self._lines += data.count(b"\n")
        self._say(self._newlines(data))
        if self.state == REPL:
            return
        if not self.mounted and self._tail.endswith(PROMPT):
            self.mounted = True  # a flash that cannot be mounted ends at the prompt as well
        if RAW_BANNER in self._tail:
            self.raw = True
            self._let_go(REPL)
        elif self.raw and self.state == WAITING:
            if self._tail.endswith(PROMPT):
                self._tail = b""
                os.write(self.board.tty, b"\x01")
        elif self._tail.endswith(PROMPT):
            self._let_go(REPL)

    def _let_go(self, state: str) -> None:
        self.state, self._fresh = state, True
        self._deliver()

    def _typed(self, data: bytes) -> None:
        """User to board. What comes before the board can take it waits."""
        if self.state == WAITING and self.mounted and 3 in data:
            if self._interrupt is None:  # the first one was caught: what runs may be stopped again
                self._interrupt = moment.cpu_s(self.board.pid) + BUSY_CPU_S
            data = data.replace(b"\x03", b"")
        self._held += data
        self._deliver()

    def _deliver(self) -> None:
        """Hand over what waits, up to the next Ctrl-C that has to wait for its moment."""
        while self._held and self.mounted and self.state != WAITING and self._interrupt is None:
            at = self._held.find(3)
            if at == 0:
                del self._held[0]
                self._interrupt = moment.cpu_s(self.board.pid) + BUSY_CPU_S
                self._break()
            else:
                piece = bytes(self._held if at < 0 else self._held[:at])
                del self._held[: len(piece)]
                self._send(piece)

    def _break(self) -> None:
        """Ctrl-C: an exception where code runs, a character at a prompt."""
        if self._interrupt is None:
            return
        pid = self.board.pid
        was = moment.interrupt(pid, moment.cpu_s(pid) > self._interrupt)
        if was == moment.BUSY:
            return
        self._interrupt = None
        if was == moment.LISTENING and self.state == REPL:
            self._write(b"\x03")
            self._fresh = True
        elif was == moment.INTERRUPTED and self.state == REPL and self.raw:
            self._settle(lambda: moment.waits_for_input(pid) and not moment.catches(pid))
        elif self.state != WAITING:  # a prompt comes, and the port throws away what is typed before it
            self.state, self._since, self.raw = WAITING, time.monotonic(), False
            self._held[:] = self._held.lstrip(b"\x03")
        self._deliver()

    def _send(self, data: bytes) -> None:
        """Typed characters. At the friendly prompt line by line, because the port flushes its input at every turn."""
        if self.state != REPL:
            self._write(data)
            return
        while data and not self.board.gone:
            at = turn_in(data, self.raw, self._fresh)
            turn, piece, data = bool(at), data[: at or len(data)], data[at or len(data) :]
            for b in piece:  # which of the two REPLs it is decides what a soft reset does
                if b in (1, 2):
                    self.raw = b == 1
            runs, before = moment.catches(self.board.pid), self._lines
            self._write(piece)
            self._fresh = turn
            if data and turn and not runs:  # code that runs echoes nothing
                self._settle(partial(self._turned, before))

    def _turned(self, before: int) -> bool:
        """Whether the board has ended its line (it had printed `before`), and waits for input again or runs code."""
        return self._lines > before and moment.settled(self.board.pid)

    def _settle(self, settled: Callable[[], bool]) -> None:
        """Give the board time to come so far that it does not throw away what comes next."""
        end = time.monotonic() + TURN_S
        while time.monotonic() < end and not self.board.gone and not settled():
            select.select([self.board.tty], [], [], 0.0005)
            self._print(self.board.output())

    def _write(self, data: bytes) -> None:
        deadline = time.monotonic() + HOLD_S
        while data and time.monotonic() < deadline and not self.board.gone:
            try:
                data = data[os.write(self.board.tty, data) :]
            except BlockingIOError:
                select.select([], [self.board.tty], [], 0.1)
            except OSError:  # it has just ended
                return
            self._print(self.board.output())

    def close(self) -> None:
        """Switch the board off."""
        self.board.end()
        self.air.close()
        for fd in (self.line, self._theirs):
            with contextlib.suppress(OSError):
                os.close(fd)

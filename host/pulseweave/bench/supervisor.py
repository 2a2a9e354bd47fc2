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
import termios
import time
from pathlib import Path

from pulseweave.bench.air import Air
from pulseweave.bench.interpreter import Interpreter, Newlines, open_pty

PROMPT = b">>> "
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
POWER, HARD, WATCHDOG, SOFT = 1, 2, 3, 5
HOLD_S = 5.0
LISTEN_S = 0.3  # from the prompt's last character until the port listens
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
        self._reset = False
        self._start(POWER, True, False)

    # --- lives

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
        self._newlines = Newlines()
        self._since = time.monotonic()
        if cause != SOFT:  # a soft reset does not stop the ESP32's watchdog (micropython #11981)
            self._watchdog: float | None = None

    def press_reset(self) -> None:
        """The reset button (POWER on the ESP32, whose EN pin counts as power)."""
        self._reset = True

    def run(self) -> None:
        """Relay until an exception ends it."""
        while True:
            self.step(self._patience())

    def _patience(self) -> float:
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

    # --- the line

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
        self.state = state
        held = bytes(self._held)
        self._held.clear()
        if state == REPL and held:
            # the unix port flushes its input where it begins to listen, and after every line, even an empty one
            held = held.lstrip(b"\r")
            end = time.monotonic() + LISTEN_S
            while termios.tcgetattr(self.board.tty)[3] & termios.ISIG and time.monotonic() < end:
                time.sleep(0.002)
        if held:
            self._typed(held)

    def _typed(self, data: bytes) -> None:
        """User to board. While the prompt is on its way the unix port would throw it away: hold it."""
        if self.state == WAITING or not self.mounted:
            if self.mounted and 3 in data:  # the first one came too early: what runs may be stopped again
                self._send(b"\x03")
                data = data.replace(b"\x03", b"")
            self._held += data
            return
        if self.state == RUNNING and 3 in data:
            at = data.index(3)
            self._send(data[: at + 1])
            self.state, self._since, self.raw = WAITING, time.monotonic(), False
            self._held += data[at + 1 :].lstrip(b"\x03")
            return
        for b in data:  # which of the two REPLs it is decides what a soft reset does
            if b == 1:
                self.raw = True
            elif b == 2:
                self.raw = False
        self._send(data)

    def _send(self, data: bytes) -> None:
        deadline = time.monotonic() + HOLD_S
        while data and time.monotonic() < deadline and not self.board.gone:
            try:
                data = data[os.write(self.board.tty, data) :]
            except BlockingIOError:
                select.select([], [self.board.tty], [], 0.1)
            self._print(self.board.output())

    def close(self) -> None:
        """Switch the board off."""
        self.board.end()
        self.air.close()
        for fd in (self.line, self._theirs):
            with contextlib.suppress(OSError):
                os.close(fd)

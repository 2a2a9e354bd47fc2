"""One life of a virtual board: the unix port on a pty, and two pipes for what is no serial line.

Messages from the board: kind (1), length u16, data:
  R frame   to the air             P pixels  as shown
  W u32 ms  watchdog armed or fed  X cause   machine.reset()
  M         flash mounted, boot.py begins
To the board: length low, rssi + 256, length high, mac (6), frame.
"""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
import tty
from pathlib import Path

from pulseweave import micropython
from pulseweave.paths import WORKER

HERE = Path(__file__).parent
RSSI = -55  # dBm, of everybody: virtual boards lie on one table


def open_pty() -> tuple[int, int]:
    """(ours, theirs), raw."""
    ours, theirs = os.openpty()
    tty.setraw(theirs, termios.TCSANOW)
    os.set_blocking(ours, False)
    return ours, theirs


def turn_in(data: bytes, raw: bool, fresh: bool) -> int:
    """Where in `data`, typed at a prompt, the first character ends that makes the port change its line's mode; 0: none.

    It throws away what follows at once. `raw`: at the raw REPL's prompt; `fresh`: nothing typed in this line yet.
    """
    if raw:
        return data.find(2) + 1
    if fresh and data[0] in b"\x01\x02\x04":  # in the middle of a line they move the cursor
        return 1
    return min((i for i in (data.find(13), data.find(10)) if i >= 0), default=-1) + 1


class Interpreter:
    """One life of the unix port, from reset to reset."""

    def __init__(self, plan: Path, run_main: bool):
        self.tty, theirs = open_pty()
        board_in, self.to_board = os.pipe()
        self.from_board, board_out = os.pipe()
        os.set_blocking(self.from_board, False)
        os.set_blocking(self.to_board, False)
        arguments = (
            str(plan),
            str(micropython.fit(WORKER / "shims")),
            str(board_in),
            str(board_out),
            "1" if run_main else "0",
        )
        command = micropython.command(HERE / "board" / "power_on.py", *arguments, heap="8m")
        command.insert(1, "-i")
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=(board_in, board_out),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env=micropython.environment(),
        )
        for fd in (theirs, board_in, board_out):
            os.close(fd)
        self._messages = bytearray()
        self.pid = self.process.pid
        self.gone = False

    def output(self) -> bytes:
        """What the board printed; marks the life as over when there will be no more."""
        try:
            data = os.read(self.tty, 65536)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.gone = not data
        return data

    def messages(self):
        """(kind, data) of everything the board told its hardware."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._messages += os.read(self.from_board, 65536)
        while len(self._messages) >= 3:
            n = 3 + (self._messages[1] | self._messages[2] << 8)
            if len(self._messages) < n:
                return
            kind, data = bytes(self._messages[:1]), bytes(self._messages[3:n])
            del self._messages[:n]
            yield kind, data

    def hear(self, mac: bytes, frame: bytes) -> None:
        """A frame reaches the antenna."""
        with contextlib.suppress(OSError):
            os.write(
                self.to_board,
                struct.pack("<BBB", len(frame) & 255, RSSI + 256, len(frame) >> 8) + mac + frame,
            )

    def end(self) -> None:
        """Cut the power."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for fd in (self.tty, self.to_board, self.from_board):
            with contextlib.suppress(OSError):
                os.close(fd)


class Newlines:
    """Gives text the CR LF of a board's line, and leaves frames (between zeros, at most 110 bytes) alone."""

    def __init__(self):
        self._inside = -1
        self._last = 0

    def __call__(self, data: bytes) -> bytes:
        if 0 not in data and self._inside < 0 and b"\n" not in data:
            self._last = data[-1] if data else self._last
            return data
        out = bytearray()
        for b in data:
            if b == 0:
                self._inside = -1 if self._inside > 0 else 0
            elif self._inside >= 0:
                self._inside += 1
                if self._inside > 110:
                    self._inside = -1
            if b == 10 and self._inside < 0 and self._last != 13:
                out.append(13)
            out.append(b)
            self._last = b
        return bytes(out)

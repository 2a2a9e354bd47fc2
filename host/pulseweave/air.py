"""The air between virtual boards on one machine: a folder of Unix datagram sockets, one for every radio that is on.

A datagram is `mac (6), frame`. Whoever binds a socket in the folder hears everybody else who has one there; nothing
leaves the machine. `send` broadcasts, `receive` gives what has arrived. A socket whose owner died is swept away by the
next sender.
"""

import contextlib
import os
import socket
import tempfile
from pathlib import Path

FRAME_MAX = 250


def default_folder() -> Path:
    """The air of this user: $XDG_RUNTIME_DIR or the temporary folder."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"pulseweave-air-{os.getuid()}"


def named(word: str | None) -> Path | None:
    """The folder that `--air WORD` means; None, for `on` and for nothing, is the air of this user."""
    return None if word in (None, "on") else Path(word)


class Air:
    """One radio with address `mac` in the air of `folder`; `fileno()` for select()."""

    def __init__(self, mac: bytes, folder: Path | None = None):
        self.mac = mac
        self.folder = folder or default_folder()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = self.folder / mac.hex()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.socket.bind(str(self.path))
        self.inode = self.path.stat().st_ino

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, frame: bytes) -> int:
        """Broadcast; returns how many radios took it. A full receiver misses it, as in the room."""
        taken = 0
        for other in self.folder.iterdir():
            if other == self.path:
                continue
            try:
                self.socket.sendto(self.mac + frame, str(other))
                taken += 1
            except (ConnectionRefusedError, FileNotFoundError):
                with contextlib.suppress(OSError):
                    other.unlink()
            except OSError:
                pass
        return taken

    def receive(self):
        """(mac, frame) of everything that waits."""
        while True:
            try:
                data = self.socket.recv(6 + 1500)
            except OSError:
                return
            if len(data) > 6:
                yield data[:6], data[6:]

    def close(self) -> None:
        """Leave the air; whoever has taken this place in it since stays."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()
        self.socket.close()

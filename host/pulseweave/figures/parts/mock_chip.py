"""A chip's ROM bootloader without a chip: `esp32-mock-bootloader` in a process of its own, with a MAC of its own.

In: chip, MAC, TCP port. Out: a `socket://` port that esptool flashes as it would a board; `baud` slows its line down
to that of a real one (10 bits a byte, both ways), 0 leaves it as fast as the machine is. Tests and figures only.
"""

import contextlib
import socket
import subprocess
import sys
import threading
import time

START = """
import sys
from esp32_mock_bootloader import registers
mac = tuple(bytes.fromhex(sys.argv[1]))
registers.mac_bytes_for_chip = lambda chip: mac
from esp32_mock_bootloader.cli import main
sys.exit(main(sys.argv[2:]))
"""


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class MockChip:
    """One chip, from `with` to its end. `port` is what esptool opens; `kill()` pulls the plug."""

    def __init__(self, chip: str = "esp32", mac: str = "240ac4000001", baud: int = 0):
        self.number = free_port()
        line = [sys.executable, "-c", START, mac, "run", "--chip", chip, "--port", str(self.number)]
        self.process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.mac = ":".join(mac[i : i + 2] for i in range(0, 12, 2))
        self.slow = Slow(self.number, baud) if baud else None
        self.port = f"socket://127.0.0.1:{self.slow.number if self.slow else self.number}"

    def __enter__(self) -> "MockChip":
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.number), 1):
                return self
            time.sleep(0.02)
        raise RuntimeError("the mock bootloader did not start")

    def kill(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_) -> None:
        self.kill()
        if self.slow:
            self.slow.close()


class Slow:
    """A TCP port in front of another, as fast as a serial line of `baud`."""

    def __init__(self, behind: int, baud: int):
        self.rate = baud / 10
        self.behind = behind
        self.server = socket.create_server(("127.0.0.1", 0))
        self.number = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
                far = socket.create_connection(("127.0.0.1", self.behind))
            except OSError:
                return
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        free = time.monotonic()
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                free = max(free, time.monotonic()) + len(data) / self.rate
                time.sleep(max(0.0, free - time.monotonic()))
                sink.sendall(data)
        for s in (source, sink):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Nobody else can connect."""
        self.server.close()

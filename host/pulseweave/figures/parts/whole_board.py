"""A virtual board in a process of its own, and a line with a hundred frames a second: for figures of the bench."""

import os
import pty
import random
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from pulseweave import serial_link


class VirtualBoard:
    """A running board; `port` is its pty. Use as a context manager."""

    def __init__(self, folder: Path, *options: str):
        line = ["--board", "virtual", "--dir", str(folder), "--air", str(folder.parent / "air"), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulseweave", "virtual-board", *line], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = self.process.stdout.readline().strip()

    def __enter__(self) -> "VirtualBoard":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()


class BusyLine:
    """A pty on which `rate` frames a second arrive: one in ten a beat, one a text, the others states."""

    def __init__(self, rate: int = 100):
        self.ours, theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.port, self.rate = os.ttyname(theirs), rate
        self.on = True
        threading.Thread(target=self._talk, daemon=True).start()

    def _talk(self) -> None:
        rng = random.Random(1)
        words = len(serial_link.fields())
        begin, i = time.monotonic(), 0
        while self.on:
            state = [rng.randrange(4096) for _ in range(words)]
            state[0] = 1
            frame = serial_link.encode_frame(serial_link.STATE, i, struct.pack(f"<I{words}H", i * 10, *state))
            if i % 10 == 3:
                frame = serial_link.encode_frame(
                    serial_link.BEAT, i, struct.pack("<IHHBB", i * 10, 12800, i, 200, 0)
                )
            if i % 10 == 7:
                frame += b"something happened\r\n"
            try:
                os.read(self.ours, 4096)
            except OSError:
                pass
            try:
                os.write(self.ours, frame)
            except OSError:
                pass
            i += 1
            time.sleep(max(0.0, begin + i / self.rate - time.monotonic()))

    def close(self) -> None:
        """Silence."""
        self.on = False

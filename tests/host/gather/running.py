"""Processes for tests of the whole: the `pulseweave` command, started, read, ended by its own pid."""

import re
import signal
import subprocess
import sys
import threading
import time

from ports import PATIENCE


class Running:
    """`pulseweave ARGUMENTS` in a process of its own; `said` is its standard error so far."""

    def __init__(self, *arguments: str, env=None):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulseweave", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, env=env,
        )  # fmt: skip
        self.lines: list[str] = []
        self.out: list[str] = []
        self._threads = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stderr, self.lines), (self.process.stdout, self.out))
        ]
        for t in self._threads:
            t.start()

    def _read(self, stream, lines):
        lines.extend(iter(stream.readline, ""))  # as they come

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def until(self, pattern: str, seconds=40.0, out=False) -> re.Match:
        end = time.monotonic() + seconds * PATIENCE
        while True:
            if found := re.search(pattern, "".join(self.out if out else self.lines)):
                return found
            assert self.process.poll() is None and time.monotonic() < end, (self.said[-3000:], self.out[-20:])
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT, seconds=30) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for t in self._threads:
            t.join(5)
        return self.process.returncode


def eventually(what, seconds=30.0, step=0.1):
    """The first true value of what()."""
    end = time.monotonic() + seconds * PATIENCE
    while not (value := what()):
        assert time.monotonic() < end, f"not within {seconds * PATIENCE} s"
        time.sleep(step)
    return value

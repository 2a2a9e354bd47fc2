"""Worker processes: each runs a share of the room's nodes in one MicroPython, driven over two pipes.

The message layout is documented in worker/main.py. A worker that dies or raises becomes a `WorkerFailure` with the
node, the virtual time and the traceback that MicroPython printed.
"""

import fcntl
import json
import os
import select
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from pulseweave import micropython
from pulseweave.paths import DEVICE, WORKER

HEADER = struct.Struct("<BBHII")
FRAME = struct.Struct("<HHIH")  # of a frame to its listeners
PIPE_BYTES = 1 << 20
HEAP_PER_NODE = 160 << 10  # bytes on the 64-bit port, measured: see `make bench`
LETTERS = {"B": "<u1", "H": "<u2", "h": "<i2", "I": "<u4", "i": "<i4"}  # of `struct`, in numpy's words
POLLS = (
    20_000  # of who waits awake until he sleeps all the same: some 10 ms, in which a tick of many nodes comes
)
HEAP_BASE = 8 << 20  # four are too few nowhere; a collection sweeps all of it


RUNNING: set[subprocess.Popen] = set()  # workers of this process


class WorkerFailure(Exception):
    """A worker raised or died. `node` is -1 where it is not known."""

    def __init__(self, node: int, t_s: float, text: str):
        where = f"node {node}" if node >= 0 else "a worker"
        super().__init__(f"{where} failed at {t_s:.2f} s of virtual time\n{text.rstrip()}")
        self.node, self.t_s, self.text = node, t_s, text


class Worker:
    """One MicroPython process with the nodes of `plan` (see worker/fleet.py); `first` is its first node's index.

    `awake`: it and the host wait for each other's messages for a while without going to sleep (see nodes.py).
    """

    def __init__(
        self, plan: dict, first: int, native: bool = False, firmware: Path = DEVICE, awake: bool = False
    ):
        self.first = first
        self.n = len(plan["nodes"])
        here_in, there_out = os.pipe()
        there_in, here_out = os.pipe()
        for fd in (there_out, here_out):
            widen(fd)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)
        heap = f"{(HEAP_BASE + HEAP_PER_NODE * self.n) >> 10}k"
        code = micropython.fit(WORKER, native)
        line = micropython.command(
            code / "main.py",
            str(there_in),
            str(there_out),
            str(code / "shims"),
            str(micropython.fit(firmware, native)),
            *(["awake"] if awake else []),
            heap=heap,
            native=native,
        )
        self.process = subprocess.Popen(
            line,
            pass_fds=(there_in, there_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=micropython.environment(),
            start_new_session=True,  # Ctrl-C is the host's to handle
        )
        RUNNING.add(self.process)
        os.close(there_in)
        os.close(there_out)
        self._in = os.fdopen(here_in, "rb", buffering=PIPE_BYTES)
        self._out = os.fdopen(here_out, "wb", buffering=0)
        self._ready = None
        if awake:
            self._ready = select.poll()
            self._ready.register(self._in, select.POLLIN)
        self.tick = 0
        self.shown: bytes | None = None  # for a replay: the strand as it was last shown
        self.send(b"C", json.dumps(plan).encode())
        hello = json.loads(self.receive()[3])
        self.record = struct.Struct(hello["format"])
        self.names: list[str] = hello["names"]
        kinds = [LETTERS[c] for c in hello["format"][1:]]
        self.layout = np.dtype(list(zip(self.names, kinds, strict=True)))
        self.wide = np.dtype([(name, np.int64) for name in self.names])
        self.scenes: list[str] = hello["scenes"]
        self.pixel_bytes: int = hello["pixels"]

    def send(self, op: bytes, *parts: bytes, flags: int = 0, count: int = 0, tick: int = 0) -> None:
        """One message. Raises WorkerFailure where nobody listens any more."""
        self.tick = tick or self.tick
        body = b"".join(parts)
        data = memoryview(HEADER.pack(op[0], flags, count, tick, len(body)) + body)
        try:
            while data:
                data = data[self._out.write(data) :]
        except OSError:
            raise self.died() from None

    def receive(self) -> tuple[int, int, int, bytes]:
        """(op, flags, count, body) of the worker's answer. Raises WorkerFailure."""
        if self._ready:
            for _ in range(POLLS):
                if self._ready.poll(0):
                    break
        head = self._in.read(HEADER.size)
        if len(head) < HEADER.size:
            raise self.died()
        op, flags, count, _, length = HEADER.unpack(head)
        body = self._in.read(length)
        if len(body) < length:
            raise self.died()
        if op == ord("E"):
            e = json.loads(body)
            raise WorkerFailure(e["node"], e["t_s"], e["traceback"])
        return op, flags, count, body

    def ask(self, request: dict, tick: int = 0) -> dict:
        """A rare request and its answer (worker/requests_table.py)."""
        self.send(b"X", json.dumps(request).encode(), tick=tick)
        return json.loads(self.receive()[3])

    def died(self) -> WorkerFailure:
        try:
            code = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            code = None
        self._log.seek(0)
        said = self._log.read()[-4000:].decode(errors="replace")
        how = "stopped answering" if code is None else f"ended with {code}"
        return WorkerFailure(
            -1, self.tick * 0.02, f"the worker of nodes {self.first}..{self.first + self.n - 1} {how}\n{said}"
        )

    def close(self) -> None:
        """Ask it to go, wait, insist."""
        try:
            self._out.write(HEADER.pack(ord("Q"), 0, 0, 0, 0))
        except OSError:
            pass
        for stream in (self._out, self._in):
            try:
                stream.close()
            except OSError:
                pass
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        RUNNING.discard(self.process)
        self._log.close()


def kill() -> None:
    """End all workers of this process, whatever they do; who waits for one gets WorkerFailure."""
    for process in list(RUNNING):
        process.kill()


def widen(fd: int) -> None:
    """A larger pipe buffer saves context switches; where the system has none, the default works too."""
    try:
        fcntl.fcntl(fd, getattr(fcntl, "F_SETPIPE_SZ", 1031), PIPE_BYTES)
    except OSError:
        pass

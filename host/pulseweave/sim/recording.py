"""Recordings of a run: everything that went into every node and everything that came out, so that any node replays.

A file is a zlib stream of length-prefixed MessagePack objects: a header, then one per tick with samples (`s`), frames
delivered (`r`), requests (`q`), pixels (`p`) and frames sent (`f`; no such key where a node failed and the run ended);
flushed every virtual second, so that what was written before a crash can be read. Raises Problem where a file is
damaged, missing or not ours.
"""

import contextlib
import struct
import zlib
from pathlib import Path

import msgspec
import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim.workers import FRAME, Worker, WorkerFailure

MAGIC = b"PWREC1\n"
LENGTH = struct.Struct("<I")


class Recorder:
    """Writes a recording to `path`. Raises Problem where it cannot be written, now or later on (a full disk)."""

    def __init__(self, path: str):
        self.path = path
        try:
            self.file = open(path, "wb")  # noqa: SIM115 (lives as long as the run)
        except OSError as e:
            raise Problem(
                f"cannot write the recording {path}: {e.strerror}: choose another --record FILE"
            ) from None
        self._write(MAGIC)
        self.zip = zlib.compressobj(1)
        self.requests: list = []

    def _put(self, thing) -> None:
        data = msgspec.msgpack.encode(thing)
        self._write(self.zip.compress(LENGTH.pack(len(data)) + data))

    def _write(self, data: bytes, flush: bool = False) -> None:
        try:
            self.file.write(data)
            if flush:
                self.file.flush()
        except OSError as e:
            with contextlib.suppress(OSError):  # what waits cannot be written either
                self.file.close()
            raise Problem(
                f"cannot go on recording into {self.path}: {e.strerror}: choose another --record FILE"
            ) from None

    def begin(self, scenario, seed: int, plan: dict) -> None:
        self._put({"scenario": msgspec.to_builtins(scenario), "seed": seed, "plan": plan})

    def request(self, tick: int, node: int, request: dict) -> None:
        self.requests.append([node, request])

    def tick(self, number: int, block, heard, done) -> None:
        """A tick; `done` None: in this one a node failed."""
        said = {} if done is None else {"f": [[node, data] for node, _, data in done.frames]}
        self._put({
            "k": number,
            "s": None if block is None else [block[0].tobytes(), block[1].tobytes()],
            "r": [[dst, h.source, rssi, max(0, round((h.at_ms - (number - 1) * 20) * 1000)), h.frame]
                  for h in heard for dst, rssi in zip(h.listeners.tolist(), h.rssi.tolist())],
            "q": self.requests,
            "p": None if done is None or done.wire is None else done.wire.tobytes(),
            **said,
        })  # fmt: skip
        self.requests = []
        if number % 50 == 49:
            self._write(self.zip.flush(zlib.Z_SYNC_FLUSH), flush=True)

    def close(self) -> None:
        if not self.file.closed:
            self._write(self.zip.flush(), flush=True)
            self.file.close()


def read(path: str | Path):
    """Yields the header, then the ticks. A file cut off in the middle yields what is whole."""
    path = Path(path)
    if not path.is_file():
        raise Problem(f"no recording {path}: make one with `pulseweave sim --record {path.name}`")
    with path.open("rb") as f:
        if f.read(len(MAGIC)) != MAGIC:
            raise Problem(
                f"{path} is no recording of pulseweave: make one with `pulseweave sim --record FILE`"
            )
        unzip = zlib.decompressobj()
        buffer = bytearray()
        first = True
        while chunk := f.read(1 << 20):
            try:
                buffer += unzip.decompress(chunk)
            except zlib.error:
                raise Problem(f"{path} is damaged: its compressed stream does not continue") from None
            at = 0
            while len(buffer) - at >= 4:
                (n,) = LENGTH.unpack_from(buffer, at)
                if len(buffer) - at - 4 < n:
                    break
                try:
                    yield msgspec.msgpack.decode(buffer[at + 4 : at + 4 + n])
                except (msgspec.MsgspecError, RecursionError):
                    raise Problem(f"{path} is damaged: a record does not decode") from None
                first = False
                at += 4 + n
            del buffer[:at]
        if first:
            raise Problem(f"{path} is empty: the run ended before its first tick")


def replay(path: str | Path, node: int) -> dict:
    """Run one node (0-based) again on its recorded inputs; compares every pixel and frame.

    Returns {node, ticks, pixels_equal, frames_equal, first_difference_s}. Raises WorkerFailure where the node fails again.
    """
    try:
        return _replay(path, node)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error) as e:
        said = " ".join(str(e).split())
        raise Problem(
            f"{path} is damaged: it is not as a run writes it ({type(e).__name__}: {said})"
        ) from None


def _replay(path: str | Path, node: int) -> dict:
    source = read(path)
    head = next(source)
    plan = head["plan"]
    n = len(plan["nodes"])
    if not 0 <= node < n:
        raise Problem(f"{path} holds nodes 0 to {n - 1}: there is no node {node} (--node)")
    scene = head["scenario"].get("scene", "hearth")
    try:
        worker = Worker({**plan, "nodes": [plan["nodes"][node]]}, node)
    except WorkerFailure as e:
        said = e.text.strip().splitlines()[-1]
        raise Problem(f"{path}: node {node} does not start from it ({said}): record the run again") from None
    result = {
        "node": node,
        "ticks": 0,
        "pixels_equal": True,
        "frames_equal": True,
        "first_difference_s": None,
    }
    try:
        worker.ask({"do": "calibrate", "scene": scene})
        for t in source:
            _one(worker, t, node, n, result)
    finally:
        worker.close()
    return result


def _one(worker: Worker, t: dict, node: int, n: int, result: dict) -> None:
    k = t["k"]
    for who, request in t["q"]:
        if who == node:
            worker.ask({**request, "slot": 0}, tick=k)
    parts = []
    if t["s"]:
        pulse = np.frombuffer(t["s"][0], np.uint32).reshape(n, -1)
        skin = np.frombuffer(t["s"][1], np.uint16)
        parts += [pulse[node].tobytes(), skin[node : node + 1].tobytes()]
    count = 0
    for dst, src, rssi, us, data in t["r"]:
        if dst == node:
            parts += [FRAME.pack(len(data), src + 1, us, 1), struct.pack("<I", (rssi & 255) << 16), data]
            count += 1
    worker.send(b"T", *parts, flags=1 if t["s"] else 0, count=count, tick=k)
    _, flags, frames, body = worker.receive()
    if "f" not in t:
        return  # another node failed in this tick: what came out of it is not known
    at = 0
    sent = []
    for _ in range(frames):
        _, size, _ = struct.unpack_from("<HHI", body, at)
        at += 8
        sent.append(body[at : at + size])
        at += size
    same_frames = sent == [data for who, data in t["f"] if who == node]
    same_pixels = True
    if t["p"] is not None:
        whole = np.frombuffer(t["p"], np.uint8).reshape(n, -1)[node].tobytes()
        if flags & 1:
            same_pixels = body[at + 1 : at + 1 + worker.pixel_bytes] == whole
            worker.shown = whole
        else:
            same_pixels = worker.shown in (None, whole)
    elif flags & 1:
        same_pixels = False
    result["ticks"] += 1
    result["frames_equal"] &= same_frames
    result["pixels_equal"] &= same_pixels
    if not (same_frames and same_pixels) and result["first_difference_s"] is None:
        result["first_difference_s"] = round(k * 0.02, 2)

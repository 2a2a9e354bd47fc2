"""All nodes of a room behind one door: what goes to each worker process in a tick, and what all of them bring back.

In:  per tick the samples of a 100 ms block, the frames that were heard. Out: `Tick`. Requests between ticks.
A single worker may run ahead: it answers for several ticks at once; until those are taken nobody may ask the nodes anything.

Workers that are spread have a core each. The host shares that of the first, which has the fewest nodes; the others wait
awake for their messages, and the host for theirs: to wake a core that sleeps takes longer than a small room's tick.
"""

import itertools
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pulseweave.sim import cores
from pulseweave.sim.workers import FRAME, Worker

WHO = np.dtype("<u4")  # a listener of a frame: slot, and above it RSSI
SENT = struct.Struct("<HHI")  # of a frame: slot, bytes, microseconds into the tick


@dataclass
class Tick:
    """What one tick brought: frames sent, pixels if they changed, records if they were asked for."""

    number: int
    frames: list = field(default_factory=list)  # (node, offset_ms, bytes) in node order
    dirty: np.ndarray | None = None  # uint8[nodes]: strands that were written; None where none was
    wire: np.ndarray | None = None  # uint8[nodes, pixels, channels]: the whole picture then
    records: Any = None  # np.recarray with the names of worker/probe.py
    pinged: np.ndarray | None = None
    heard: list = field(default_factory=list)  # radio.Heard, of the frames of the last tick

    @property
    def shown(self) -> bool:
        return self.wire is not None


class Nodes:
    """Nodes 0..n-1 in `workers` processes; `shape` is a strand's (pixels, channels). Raises WorkerFailure.

    `native`, `firmware`, `spread`: as in Simulation.
    """

    def __init__(
        self,
        plan: dict,
        workers: int,
        shape: tuple[int, int],
        native: bool,
        firmware: Path,
        spread: bool = False,
    ):
        nodes = plan["nodes"]
        self.n = len(nodes)
        self.workers: list[Worker] = []
        workers = min(workers, self.n)
        self._cores = cores.mine()  # to be given back
        self.spread = spread and 1 < workers <= len(self._cores)
        try:
            for k, share in enumerate(shares(self.n, workers, self.spread)):
                part = {**plan, "nodes": [nodes[i] for i in share]}
                worker = Worker(part, int(share[0]), native, firmware, awake=self.spread and k > 0)
                self.workers.append(worker)
                if self.spread:
                    cores.keep(worker.process.pid, [self._cores[k]])
            if self.spread:
                cores.keep(0, [self._cores[0]])
        except BaseException:
            self.close()
            raise
        self.scenes = self.workers[0].scenes
        self.ahead = False  # the worker has run on: answers to the next ticks are on their way
        self._begun = False  # a tick is under way
        self._wire = np.zeros((self.n, *shape), np.uint8)
        self._firsts = [w.first for w in self.workers] + [self.n]
        self._pings = False

    def send(self, k: int, block, heard: list, powered: np.ndarray, records: bool, pings: bool, free: int):
        """Start tick k, and at most `free` - 1 after it. `block`: (pulse uint32[n, 10], skin uint16[n]), or None."""
        parts: list[list[bytes]] = [[] for _ in self.workers]
        counts = [0] * len(self.workers)
        everybody = not heard or b"\0" not in powered.tobytes()
        for h in heard:
            listeners, rssi = h.listeners, h.rssi
            if not everybody:
                on = powered[listeners]
                listeners, rssi = listeners[on], rssi[on]
            us = max(0, round((h.at_ms - (k - 1) * 20.0) * 1000))
            who = (rssi & 255) << 16 | listeners
            edges = [0, len(who)] if len(parts) == 1 else listeners.searchsorted(self._firsts).tolist()
            for w, (i, j) in enumerate(itertools.pairwise(edges)):
                if i < j:
                    here = (who[i:j] - self._firsts[w]).astype(WHO)
                    head = FRAME.pack(len(h.frame), h.source + 1, us, j - i)
                    parts[w] += (head, here.tobytes(), h.frame)
                    counts[w] += 1
        self._pings = pings
        flags = (block is not None) | records << 1 | pings << 2 | free << 4
        self._begun = True
        # the first, for whose core the host must wait, comes last
        for w in range(len(self.workers) - 1, -1, -1):
            worker = self.workers[w]
            head = []
            if block is not None:
                s = slice(worker.first, worker.first + worker.n)
                head = [block[0][s].tobytes(), block[1][s].tobytes()]
            worker.send(b"T", *head, *parts[w], flags=flags, count=counts[w], tick=k)

    def receive(self, k: int, records: bool) -> Tick:
        """What tick k brought."""
        done = Tick(k)
        self._begun = False
        lit, rows, pings = [], [], []
        for worker in self.workers:
            _, flags, count, body = worker.receive()
            self.ahead = bool(flags & 2)
            at = 0
            for _ in range(count):
                slot, n, us = SENT.unpack_from(body, at)
                at += SENT.size
                done.frames.append((worker.first + slot, us / 1000, body[at : at + n]))
                at += n
            if flags & 1:
                lit.append((worker, body, at))
                at += worker.n + worker.pixel_bytes
            if records:
                rows.append(np.frombuffer(body, worker.layout, worker.n, at))
                at += worker.record.size * worker.n
            if self._pings:
                pings.append(np.frombuffer(body, np.uint32, worker.n, at))
        if lit:
            done.dirty, done.wire = self._picture(lit)
        if records:
            wide = self.workers[0].wide  # 64 bits each, so that nobody's arithmetic overflows
            done.records = np.concatenate(rows).astype(wide).view(np.recarray)
        if pings:
            done.pinged = np.concatenate(pings)
        return done

    def _picture(self, lit: list) -> tuple[np.ndarray, np.ndarray]:
        """(strands written, the picture) from (worker, its answer, where in it) of those that show something new."""
        if len(self.workers) == 1:
            _, body, at = lit[0]
            wire = np.frombuffer(body, np.uint8, self._wire.size, at + self.n)
            return np.frombuffer(body, np.uint8, self.n, at), wire.reshape(self._wire.shape)
        dirty, wire = np.zeros(self.n, np.uint8), self._wire.copy()
        for worker, body, at in lit:
            share = slice(worker.first, worker.first + worker.n)
            dirty[share] = np.frombuffer(body, np.uint8, worker.n, at)
            shown = np.frombuffer(body, np.uint8, worker.pixel_bytes, at + worker.n)
            wire[share] = shown.reshape(wire[share].shape)
        self._wire = wire
        return dirty, wire

    # --- between ticks --------------------------------------------------------------------------------------------

    def tell(self, node: int, request: dict, tick: int) -> dict:
        """A request to one node (worker/requests_table.py) and its answer."""
        self._settled(tick)
        worker = next(w for w in reversed(self.workers) if w.first <= node)
        return worker.ask({**request, "slot": node - worker.first}, tick=tick)

    def ask(self, request: dict, tick: int) -> Iterable[tuple[int, dict]]:
        """A request to every worker: (its first node, its answer)."""
        self._settled(tick)
        for w in self.workers:
            yield w.first, w.ask(request, tick=tick)

    def _settled(self, tick: int) -> None:
        if self.ahead or self._begun:
            raise RuntimeError(f"the nodes are asked something in tick {tick}, which was promised to be free")

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [w.process.pid for w in self.workers]

    def close(self) -> None:
        """End the workers."""
        for w in self.workers:
            w.close()
        self.workers = []
        if self.spread:
            cores.keep(0, self._cores)


def shares(n: int, workers: int, spread: bool) -> list[np.ndarray]:
    """Who has which of `n` nodes: all as many; where they are spread, the first the fewest, for the host is there too."""
    if not spread:
        return np.array_split(np.arange(n), workers)
    first = max(1, n // (2 * workers))
    return [np.arange(first), *np.array_split(np.arange(first, n), workers - 1)]

"""`pulseweave sim --db`: a simulated room kept in a store, through its gateways' consoles, in the room's own time.

In: the simulation after every tick. Out: the same packets that `pulseweave gather` would have kept; t_s = 0 is the wall
clock at the start, so that a fast run fills an evening's worth of minutes.
"""

import time

from pulseweave.firmware import Firmware
from pulseweave.gather.collector import Collector
from pulseweave.gather.store import Store, open_store
from pulseweave.problem import Problem
from pulseweave.sim.consoles import EVERY, Console

FLUSH_TICKS = 250


class Keeper:
    """`step(sim)` after every tick; `close()` keeps the rest. Raises Problem where the store cannot be opened."""

    def __init__(self, url: str, live):
        self.store: Store = open_store(url)
        self.live = live
        self.sim = None
        self.begin = time.time()
        self.collector = Collector(self.store, wall=lambda: self.begin)
        self.lines: list[tuple] = []

    def step(self, sim) -> None:
        """Carry the consoles' bytes; write every five seconds of room time."""
        if sim is not self.sim:
            self._enter(sim)
        if sim.tick % EVERY:
            return
        now = sim.tick * 0.02
        for g, console in self.lines:
            if question := g.wants(now):
                console.put(question)
            console.carry(sim)
            self.collector.take(g, console.take(), now)
        self.last = now
        if sim.tick % FLUSH_TICKS == 0:
            self.collector.attempt()

    def _enter(self, sim) -> None:
        """A room begins: its gateways are asked anew, its time goes on from now."""
        if self.sim is not None:
            self.collector._offset = self.begin = max(time.time(), self.begin + self.last)
        self.sim = sim
        self.lines = []
        for head in sim.heads:
            g = self.collector.gateway(f"node {head + 1}")
            g.run = self.live.number
            g.inquiry = None  # a question over the mesh is a frame more: keeping a run must not change it
            self.lines.append((g, Console(head)))
        description = sim.description
        runs = Firmware(str(description.get("name", "")), str(description.get("release") or "")[:8])
        for i in range(sim.n):
            self.collector.told.hear(i + 1, runs)
        pixels = sim.strands.count
        self.store.hang(
            [
                (i + 1, str(i + 1), float(x), float(y), float(z), pixels)
                for i, (x, y, z) in enumerate(sim.positions)
            ]
        )
        self.last = 0.0

    def close(self) -> dict:
        """Keep what waits; returns the store's counts. Raises Problem where the store would not take it."""
        try:
            if not self.collector.attempt():
                raise Problem(f"the store did not take the last packets: {self.collector.trouble}", 1)
            return self.store.counts()
        finally:
            self.store.close()

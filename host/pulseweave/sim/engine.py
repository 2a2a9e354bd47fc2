"""The simulation: real nodes in worker processes, and around them the room, the radio and the visitors.

One step is one tick of 20 ms for every node. A run is a pure function of scenario, seed and code: `digest` is SHA-256
over every pixel and every radio frame of every tick, in node order, whatever the number of workers.
"""

import hashlib
import itertools
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pulseweave import boards
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem
from pulseweave.sim import room, visitors
from pulseweave.sim.body import Body
from pulseweave.sim.faults import Faults
from pulseweave.sim.frontend import FrontEnd
from pulseweave.sim.plan import plan
from pulseweave.sim.radio import Radio
from pulseweave.sim.scenario import MOST_NODES, Action, Scenario
from pulseweave.sim.script import Script
from pulseweave.sim.visitors.asking import ask
from pulseweave.sim.workers import FRAME, Worker

TICK_S = 0.02
BLOCK = 5  # ticks in the 100 ms in which visitors and bodies advance
SENT = struct.Struct("<HHI")  # of a frame: slot, bytes, microseconds into the tick
SHOWN, NOTED = struct.Struct("<IB"), struct.Struct("<IHH")  # in the digest, before pixels and before a frame
STEP_S = TICK_S * BLOCK


@dataclass
class Tick:
    """What one tick brought: frames sent, whether pixels changed, records if they were asked for."""

    number: int
    frames: list = field(default_factory=list)  # (node, offset_ms, bytes) in node order
    shown: bool = False
    records: Any = None  # np.recarray with the names of worker/probe.py
    pinged: np.ndarray | None = None
    heard: list = field(default_factory=list)  # radio.Heard, of the frames of the last tick


class Simulation:
    """A running room. Raises Problem on input that cannot work, WorkerFailure when a node's interpreter fails.

    `native`: MicroPython compiles the nodes' code to machine code; same digest, half as fast again, no tracebacks.
    `firmware`: the folder whose code the nodes run; `extra`: more for the workers' plan (worker/rough).
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int = 1,
        workers: int = 1,
        recorder=None,
        native=False,
        firmware: Path = DEVICE,
        extra: dict | None = None,
    ):
        n = scenario.nodes
        if not 1 <= n <= MOST_NODES:
            raise Problem(f"{n} nodes: a room has 1 to {MOST_NODES} (--nodes)")
        if not 1 <= workers <= 64:
            raise Problem(f"{workers} workers: use 1 to 64 (--workers)")
        self.scenario, self.seed, self.n = scenario, seed, n
        self.board = boards.load(scenario.board)
        self.description = self.board.device_dict()
        self.positions = room.layout(scenario.room.layout, n, scenario.room.spacing_m)
        self.cluster = room.clusters(self.positions, scenario.room.cluster)
        self.members = [np.flatnonzero(self.cluster == c).tolist() for c in range(self.cluster.max() + 1)]
        self.heads = [members[0] for members in self.members]  # the node of each cluster that may command
        crowd = dict(scenario.crowd)
        self.crowd: Any = visitors.load(scenario.visitors, seed, n, **crowd)
        self.body = Body(seed, n)
        self.front = FrontEnd(self.description, seed, n)
        self.faults = Faults(self.description, seed, n)
        self.radio = Radio(seed, self.positions, **scenario.radio)
        self.script = Script(self)
        s = self.description["strand"]
        self.strands = room.Strands(n, s["pixels"], s["order"])
        self.recorder = recorder
        self.air: Any = None  # shared with virtual boards (sim/air.py), where that was asked for
        self.workers: list[Worker] = []
        self.tick = 0
        self.digest = hashlib.sha256()
        self.truth = np.zeros(n)
        self.touching = np.zeros(n, bool)
        self.valence = np.zeros(n)
        self.seen = np.zeros(n)
        self.sent: list = []
        self.frames_shown = np.zeros(n, np.int64)
        self.damping = scenario.damping
        self.scene = scenario.scene
        self.events: list[dict] = []
        self.ping = 0
        self.ping_log: dict[int, tuple[int, float]] = {}
        self.steered: list[tuple[int, Action]] = []
        self.powered = np.ones(n, bool)
        try:
            self._start(workers, native, firmware, extra or {})
            self.script.begin()
        except BaseException:
            self.close()
            raise

    def _start(self, workers: int, native: bool, firmware: Path, extra: dict) -> None:
        """Plan every node from the seed and give each worker its share."""
        self.plan = {
            **plan(
                self.seed,
                self.positions,
                self.board,
                [head + 1 for head in self.heads],
                max(64, self.scenario.room.cluster),
            ),
            **extra,
        }
        nodes = self.plan["nodes"]
        self.phase_ms = np.array([p["phase_us"] / 1000 for p in nodes])
        self.boot_ms = np.array([p["boot_us"] / 1000 for p in nodes])
        self.ppm = np.array([p["ppm"] for p in nodes])
        for share in np.array_split(np.arange(self.n), min(workers, self.n)):
            part = {**self.plan, "nodes": [nodes[i] for i in share]}
            self.workers.append(Worker(part, int(share[0]), native, firmware))
        self._firsts = [w.first for w in self.workers] + [self.n]
        self._ahead = 0  # the worker has run on: answers to the next ticks are on their way
        self._pings = False
        self.scenes = self.workers[0].scenes
        self._spans: dict[str, tuple[float, float]] = {}
        self.eyes: room.Eyes | None = room.Eyes(self.strands, *self.span(self.scenario.scene))
        if self.recorder:
            self.recorder.begin(self.scenario, self.seed, self.plan)

    # --- one tick -----------------------------------------------------------------------------------------------

    def step(self, records: bool = False, ahead: int = 1) -> Tick:
        """Advance every node by one tick.

        `ahead`: for so many ticks, this one included, the caller wants no records and asks the nodes nothing. A single
        worker then runs on by itself to the end of the 100 ms for as long as nothing is on the air and nothing is to be
        done; the result is the same. Raises RuntimeError where the promise is broken.
        """
        k = self.tick
        if self._ahead:
            if records:
                raise RuntimeError(f"tick {k} was promised to be free")
            self.radio.rest(k, (k - 1) * 20.0)
            block, heard = None, []
        else:
            block, heard = self._begin(k, records, ahead)
        done = self._receive(k, records)
        done.heard = heard
        if self.recorder:
            self.recorder.tick(k, block, heard, done, self.strands.wire if done.shown else None)
        self.sent = done.frames
        self.tick += 1
        return done

    def _begin(self, k: int, records: bool, ahead: int):
        """Everything that comes before the nodes' turn: (samples or None, frames heard)."""
        self._script(k)
        block = self._sense(k) if k % BLOCK == 0 else None
        heard = self.radio.receive(k, (k - 1) * 20.0, self.sent)  # what was sent in the last tick
        if self.air:
            heard += self.air.exchange(k, self.sent)
        free = 1
        if not records and not self.air and len(self.workers) == 1 and self.radio.still:
            free = min(ahead, BLOCK - k % BLOCK, self._free(k))
        self._send(k, block, heard, records, free)
        return block, heard

    def _sense(self, k: int):
        """Visitors look, feel and touch; their bodies and the front ends make the next 100 ms of samples."""
        t = k * TICK_S
        if k and self.eyes:
            self.seen = self.eyes.seen()
        they = ask(self.crowd, self.scenario.visitors, t, STEP_S, self.seen)
        self.truth, self.touching, self.valence = they.arousal, they.touching, they.valence
        ppg, eda = they.ppg, they.eda
        if ppg is None or eda is None:
            own = self.body.step(t, STEP_S, self.truth, self.valence, self.touching)
            ppg = own[0] if ppg is None else ppg
            eda = own[1] if eda is None else eda
        pulse, skin = self.front.convert(ppg, eda, self.touching)
        if pulse.shape[1] != 2 * BLOCK:
            raise Problem(f"visitors: ppg has {pulse.shape[1]} samples in 0.1 s: 10 are needed (100 Hz)")
        pulse, skin = self.faults.apply(pulse, skin)
        return np.ascontiguousarray(pulse, np.uint32), np.ascontiguousarray(skin, np.uint16)

    def _send(self, k, block, heard, records, free):
        parts: list[list[bytes]] = [[] for _ in self.workers]
        counts = [0] * len(self.workers)
        everybody = not heard or bool(self.powered.all())
        for h in heard:
            listeners, rssi = h.listeners, h.rssi
            if not everybody:
                on = self.powered[listeners]
                listeners, rssi = listeners[on], rssi[on]
            us = max(0, round((h.at_ms - (k - 1) * 20.0) * 1000))
            edges = listeners.searchsorted(self._firsts).tolist()
            for w, (i, j) in enumerate(itertools.pairwise(edges)):
                if i < j:
                    who = (listeners[i:j] - self._firsts[w]) | (rssi[i:j] & 255) << 16
                    head = FRAME.pack(len(h.frame), h.source + 1, us, j - i)
                    parts[w] += (head, who.astype("<u4").tobytes(), h.frame)
                    counts[w] += 1
        self._pings = bool(self.ping_log)
        flags = (block is not None) | records << 1 | self._pings << 2 | free << 4
        for w, worker in enumerate(self.workers):
            head = []
            if block is not None:
                s = slice(worker.first, worker.first + worker.n)
                head = [block[0][s].tobytes(), block[1][s].tobytes()]
            worker.send(b"T", *head, *parts[w], flags=flags, count=counts[w], tick=k)

    def _receive(self, k, records) -> Tick:
        done = Tick(k)
        strands = self.strands
        lit, rows, pings = [], [], []
        for worker in self.workers:
            _, flags, count, body = worker.receive()
            self._ahead = flags & 2
            at = 0
            for _ in range(count):
                slot, n, us = SENT.unpack_from(body, at)
                at += SENT.size
                done.frames.append((worker.first + slot, us / 1000, body[at : at + n]))
                at += n
            if flags & 1:
                done.shown = True
                lit.append((worker, body, at))
                at += worker.n + worker.pixel_bytes
            if records:
                rows.append(np.frombuffer(body, worker.layout, worker.n, at))
                at += worker.record.size * worker.n
            if self._pings:
                pings.append(np.frombuffer(body, np.uint32, worker.n, at))
        if lit:
            dirty, strands.wire = self._shine(lit)
            self.frames_shown += dirty
            update = self.digest.update
            update(SHOWN.pack(k, 1))
            update(dirty)
            update(strands.wire)
        for node, _, data in done.frames:
            self.digest.update(NOTED.pack(k, node, len(data)))
            self.digest.update(data)
        if self.eyes:
            self.eyes.look()
        if records:
            wide = self.workers[0].wide  # 64 bits each, so that nobody's arithmetic overflows
            done.records = np.concatenate(rows).astype(wide).view(np.recarray)
        if pings:
            done.pinged = np.concatenate(pings)
        return done

    def _shine(self, lit) -> tuple[np.ndarray, np.ndarray]:
        """(strands written uint8[nodes], the new picture) from (worker, its answer, where in it) of those that show."""
        if len(self.workers) == 1:
            _, body, at = lit[0]
            wire = np.frombuffer(body, np.uint8, offset=at + self.n, count=self.n * self.strands.bytes)
            return np.frombuffer(body, np.uint8, self.n, at), wire.reshape(self.strands.shape)
        dirty, wire = np.zeros(self.n, np.uint8), self.strands.wire.copy()
        for worker, body, at in lit:
            share = slice(worker.first, worker.first + worker.n)
            dirty[share] = np.frombuffer(body, np.uint8, worker.n, at)
            shown = np.frombuffer(body, np.uint8, worker.pixel_bytes, at + worker.n)
            wire[share] = shown.reshape(wire[share].shape)
        return dirty, wire

    # --- what happens in the room ---------------------------------------------------------------------------------

    @property
    def t_s(self) -> float:
        return self.tick * TICK_S

    def _script(self, k: int) -> None:
        self.script.step(k)

    def _free(self, k: int) -> int:
        """In how many ticks from k on the script does something next."""
        return self.script.free(k, BLOCK)

    def steer(self, a: Action) -> None:
        """An order from outside of the scenario, kept so that the run can be taken again. Raises Problem."""
        self.steered.append((self.tick, a))
        self.script.do(a)

    def span(self, scene: str) -> tuple[float, float]:
        """A scene's luminance at level 0 and at level 1, rehearsed once. Raises Problem where there is no such scene."""
        if scene not in self._spans:
            answer = self.workers[0].ask({"do": "calibrate", "scene": scene}, tick=self.tick)
            if answer.get("error"):
                raise Problem(f"{self.scenario.name}: {answer['error']}: use one of {', '.join(self.scenes)}")
            low, high = answer["luminance"]
            self._spans[scene] = low, high
        return self._spans[scene]

    def tell(self, node: int, request: dict) -> dict:
        """A request to one node (0-based); recorded, because it changes what the node does."""
        worker = next(w for w in reversed(self.workers) if w.first <= node)
        self._settled()
        if self.recorder:
            self.recorder.request(self.tick, node, request)
        answer = worker.ask({**request, "slot": node - worker.first}, tick=self.tick)
        if answer.get("error"):
            raise Problem(answer["error"])
        return answer

    def ask(self, request: dict) -> list[dict]:
        """A request that changes nothing, to every worker."""
        self._settled()
        return [w.ask(request, tick=self.tick) for w in self.workers]

    def _settled(self) -> None:
        if self._ahead:
            raise RuntimeError(
                f"the nodes are asked something in tick {self.tick}, which was promised to be free"
            )

    def close(self) -> None:
        """End the workers and the recording."""
        for w in self.workers:
            w.close()
        self.workers = []
        if self.recorder:
            self.recorder.close()
        if self.air:
            self.air.close()

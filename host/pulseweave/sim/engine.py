"""The simulation: real nodes in worker processes, and around them the room, the radio and the visitors.

One step is one tick of 20 ms for every node. A run is a pure function of scenario, seed and code: `digest` is SHA-256
over every pixel and every radio frame of every tick, in node order, whatever the number of workers.
"""

import hashlib
import struct
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
from pulseweave.sim.nodes import Nodes, Tick
from pulseweave.sim.plan import plan
from pulseweave.sim.radio import Radio
from pulseweave.sim.scenario import MOST_NODES, Action, Scenario
from pulseweave.sim.script import TICK_S, Script
from pulseweave.sim.visitors.asking import ask
from pulseweave.sim.workers import WorkerFailure

BLOCK = 5  # ticks in the 100 ms in which visitors and bodies advance
SHOWN, NOTED = struct.Struct("<IB"), struct.Struct("<IHH")  # in the digest, before pixels and before a frame
STEP_S = TICK_S * BLOCK


class Simulation:
    """A running room. Raises Problem on input that cannot work, WorkerFailure when a node's interpreter fails.

    `native`: MicroPython compiles the nodes' code to machine code; same digest, half as fast again, no tracebacks.
    `firmware`: the folder whose code the nodes run; `extra`: more for the workers' plan (worker/rough). `spread`: the sooner
    the better, at the price of waiting awake: every worker on a core of its own, where there are so many.
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
        spread=False,
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
        self.nodes: Any = None  # Nodes, from _start on
        self.tick = 0
        self.digest = hashlib.sha256()
        self.truth = np.zeros(n)
        self.touching = np.zeros(n, bool)
        self.valence = np.zeros(n)
        self.seen = np.zeros(n)
        self.sent: list = []
        self._heard: list | None = None  # of the next tick, where that is under way already
        self.frames_shown = np.zeros(n, np.int64)
        self.damping = scenario.damping
        self.scene = scenario.scene
        self.events: list[dict] = []
        self.ping = 0
        self.ping_log: dict[int, tuple[int, float]] = {}
        self.steered: list[tuple[int, Action]] = []
        self.powered = np.ones(n, bool)
        try:
            self._start(workers, native, firmware, extra or {}, spread)
            self.script.begin()
        except BaseException:
            self.close()
            raise

    def _start(self, workers: int, native: bool, firmware: Path, extra: dict, spread: bool) -> None:
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
        self.nodes = Nodes(self.plan, workers, self.strands.shape[1:], native, firmware, spread)
        self.scenes = self.nodes.scenes
        self._spans: dict[str, tuple[float, float]] = {}
        self.eyes: room.Eyes | None = room.Eyes(self.strands, *self.span(self.scenario.scene))
        if self.recorder:
            self.recorder.begin(self.scenario, self.seed, self.plan)

    # --- one tick -----------------------------------------------------------------------------------------------

    def step(self, records: bool = False, ahead: int = 1) -> Tick:
        """Advance every node by one tick.

        `ahead`: for so many ticks, this one included, the caller wants no records and asks the nodes nothing. A single
        worker then runs on by itself to the end of the 100 ms for as long as nothing is on the air and nothing is to be
        done; workers that are spread begin the next tick while this one's pictures are looked at. The result is the same.
        Raises RuntimeError where the promise is broken.
        """
        k = self.tick
        block, heard, self._heard = None, self._heard, None
        if records and (self.nodes.ahead or heard is not None):
            raise RuntimeError(f"tick {k} was promised to be free")
        if self.nodes.ahead:
            self.radio.rest(k, (k - 1) * 20.0)
            heard = []
        elif heard is None:
            self._script(k)
            block = self._sense(k) if k % BLOCK == 0 else None
            heard = self._send(k, block, records, ahead)
        try:
            done = self.nodes.receive(k, records)
        except WorkerFailure:
            if self.recorder:
                self.recorder.tick(k, block, heard, None)
            raise
        done.heard = heard
        self.sent = done.frames
        if self.recorder:
            self.recorder.tick(k, block, heard, done)
        if ahead > 1 and self.nodes.spread and (k + 1) % BLOCK and not self.air and self._free(k) > 1:
            self._heard = self._send(k + 1, None, False, ahead - 1)
        self._show(k, done)
        self.tick += 1
        return done

    def watch(self, every: int = 50, most: int = BLOCK) -> Tick:
        """A step that brings records in every `every`-th tick; between those nothing is asked, for at most `most` ticks."""
        left = every - 1 - self.tick % every
        return self.step(records=not left, ahead=max(1, min(left, most)))

    def _send(self, k: int, block, records: bool, ahead: int) -> list:
        """Start the nodes' turn; the frames heard in it."""
        heard = self.radio.receive(k, (k - 1) * 20.0, self.sent)  # what was sent in the last tick
        if self.air:
            heard += self.air.exchange(k, self.sent)
        free = 1
        if not records and not self.air and len(self.nodes.workers) == 1 and self.radio.still:
            free = min(ahead, BLOCK - k % BLOCK, self._free(k))
        self.nodes.send(k, block, heard, self.powered, records, bool(self.ping_log), free)
        return heard

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

    def _show(self, k: int, done: Tick) -> None:
        """The strands light up, people look; pixels and frames go into the digest."""
        update = self.digest.update
        dirty, wire = done.dirty, done.wire
        if dirty is not None and wire is not None:
            self.strands.wire = wire
            self.frames_shown += dirty
            update(SHOWN.pack(k, 1))
            update(dirty.data)
            update(wire.data)
        for node, _, data in done.frames:
            update(NOTED.pack(k, node, len(data)))
            update(data)
        if self.eyes:
            self.eyes.look()

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
            answer = self.nodes.tell(0, {"do": "calibrate", "scene": scene}, self.tick)
            if answer.get("error"):
                raise Problem(f"{self.scenario.name}: {answer['error']}: use one of {', '.join(self.scenes)}")
            low, high = answer["luminance"]
            self._spans[scene] = low, high
        return self._spans[scene]

    def tell(self, node: int, request: dict) -> dict:
        """A request to one node (0-based); recorded, because it changes what the node does."""
        if self.recorder:
            self.recorder.request(self.tick, node, request)
        answer = self.nodes.tell(node, request, self.tick)
        if answer.get("error"):
            raise Problem(answer["error"])
        return answer

    def ask(self, request: dict) -> list[dict]:
        """A request that changes nothing, to every worker."""
        return [answer for _, answer in self.nodes.ask(request, self.tick)]

    def close(self) -> None:
        """End the workers and the recording."""
        if self.nodes:
            self.nodes.close()
        if self.air:
            self.air.close()
        if self.recorder:
            self.recorder.close()

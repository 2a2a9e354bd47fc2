"""The simulation: real nodes in worker processes, and around them the room, the radio and the visitors.

One step is one tick of 20 ms for every node. A run is a pure function of scenario, seed and code: `digest` is SHA-256
over every pixel and every radio frame of every tick, in node order, whatever the number of workers.
"""

import hashlib
import struct
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pulseweave import boards
from pulseweave.network import Network
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem
from pulseweave.sim import room, visitors
from pulseweave.sim.body import Body
from pulseweave.sim.faults import Faults
from pulseweave.sim.frontend import FrontEnd
from pulseweave.sim.radio import Radio
from pulseweave.sim.scenario import MOST_NODES, Action, Scenario
from pulseweave.sim.workers import Worker

TICK_S = 0.02
BLOCK = 5  # ticks in the 100 ms in which visitors and bodies advance
FRAME = struct.Struct("<HHhHI")
SENT = struct.Struct("<HHI")
STEP_S = TICK_S * BLOCK


@dataclass
class Tick:
    """What one tick brought: frames sent, whether pixels changed, records if they were asked for."""

    number: int
    frames: list = field(default_factory=list)  # (node, offset_ms, bytes) in node order
    shown: bool = False
    records: Any = None  # np.recarray with the names of worker/probe.py
    pinged: np.ndarray | None = None
    deliveries: list = field(default_factory=list)


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
        self._cut(False)
        self.rng = np.random.default_rng([seed, 0xAC7])  # who is meant where a script leaves it open
        s = self.description["strand"]
        self.strands = room.Strands(n, s["pixels"], s["order"])
        self.recorder = recorder
        self.workers: list[Worker] = []
        try:
            self._start(workers, native, firmware, extra or {})
        except BaseException:
            self.close()
            raise
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
        self.faulty: list[tuple[float, str, int]] = []
        self.powered = np.ones(n, bool)
        for node, kind in scenario.faults.items():
            self.faults.set(kind, [int(node)])
        if scenario.faults:
            self._flags()
        if not scenario.damping:
            self.command(Action(0, "damping", on=False))
        if scenario.scene != "hearth":
            self.command(Action(0, "scene", name=scenario.scene))

    def _start(self, workers: int, native: bool, firmware: Path, extra: dict) -> None:
        """Plan every node from the seed and give each worker its share."""
        rng = np.random.default_rng([self.seed, 0xB0A4D])
        plan_nodes = []
        for i in range(self.n):
            x, y, z = (int(v * 1000) for v in self.positions[i])
            plan_nodes.append({
                "node": i + 1,
                "board": self.board.name,
                "mac": f"025057{i + 1:06x}",
                "ppm": int(rng.integers(-40, 41)),
                "phase_us": int(rng.integers(0, 20000)),
                "boot_us": int(rng.integers(1, 200_000)) * 1000,
                "settings": {"node": i + 1, "x": x, "y": y, "z": z},
            })  # fmt: skip
        self.phase_ms = np.array([p["phase_us"] / 1000 for p in plan_nodes])
        self.boot_ms = np.array([p["boot_us"] / 1000 for p in plan_nodes])
        self.ppm = np.array([p["ppm"] for p in plan_nodes])
        shares = np.array_split(np.arange(self.n), min(workers, self.n))
        self.plan = {
            "boards": {self.board.name: self.description},
            "network": keys(self.seed, [head + 1 for head in self.heads]),
            "nodes": plan_nodes,
            **extra,
        }
        for share in shares:
            part = {**self.plan, "nodes": [plan_nodes[i] for i in share]}
            self.workers.append(Worker(part, int(share[0]), native, firmware))
        self._place = [(w, slot) for w, worker in enumerate(self.workers) for slot in range(worker.n)]
        self.scenes = self.workers[0].scenes
        answer = self.workers[0].ask({"do": "calibrate", "scene": self.scenario.scene})
        if answer.get("error"):
            raise Problem(f"{self.scenario.name}: {answer['error']}: use one of {', '.join(self.scenes)}")
        low, high = answer["luminance"]
        self.eyes = room.Eyes(self.n, low, high)
        if self.recorder:
            self.recorder.begin(self.scenario, self.seed, self.plan)

    # --- one tick -----------------------------------------------------------------------------------------------

    def step(self, records: bool = False) -> Tick:
        """Advance every node by one tick."""
        k = self.tick
        self._script(k)
        block = self._sense(k) if k % BLOCK == 0 else None
        self.deliveries = self.radio.step(k, (k - 1) * 20.0, self.sent)  # what was sent in the last tick
        self._send(k, block, self.deliveries, records)
        done = self._receive(k, records)
        done.deliveries = self.deliveries
        if self.recorder:
            self.recorder.tick(k, block, self.deliveries, done, self.strands.wire if done.shown else None)
        self.sent = done.frames
        self.tick += 1
        return done

    def _sense(self, k: int):
        """Visitors look, feel and touch; their bodies and the front ends make the next 100 ms of samples."""
        t = k * TICK_S
        if k:
            self.seen = self.eyes.seen()
        out = self._ask_crowd(t)
        self.truth = checked(out, "arousal", self.n, float)
        self.touching = checked(out, "touching", self.n, bool)
        self.valence = checked(out, "valence", self.n, float) if "valence" in out else np.zeros(self.n)
        ppg, eda = out.get("ppg"), out.get("eda")
        if ppg is None or eda is None:
            own = self.body.step(t, STEP_S, self.truth, self.valence, self.touching)
            ppg = own[0] if ppg is None else ppg
            eda = own[1] if eda is None else eda
        pulse, skin = self.front.convert(ppg, eda, self.touching)
        if pulse.shape[1] != 2 * BLOCK:
            raise Problem(f"visitors: ppg has {pulse.shape[1]} samples in 0.1 s: 10 are needed (100 Hz)")
        pulse, skin = self.faults.apply(pulse, skin)
        return np.ascontiguousarray(pulse, np.uint32), np.ascontiguousarray(skin, np.uint16)

    def _ask_crowd(self, t: float) -> dict:
        """The crowd's step; an exception in it becomes one line with its place. Raises Problem."""
        try:
            out = self.crowd.step(t, STEP_S, self.seen.copy())
        except Problem:
            raise
        except Exception as e:
            at = traceback.extract_tb(e.__traceback__)[-1]
            raise Problem(
                f"visitors {self.scenario.visitors}: step() failed at {t:.1f} s with {type(e).__name__}: {e} "
                f"({Path(at.filename).name}, line {at.lineno})"
            ) from None
        if not isinstance(out, dict):
            raise Problem(
                f"visitors {self.scenario.visitors}: step() returned {type(out).__name__}: a dict is needed"
            )
        return out

    def _send(self, k, block, deliveries, records):
        parts: list[list[bytes]] = [[] for _ in self.workers]
        counts = [0] * len(self.workers)
        start = (k - 1) * 20.0
        powered, place = self.powered.tolist() if deliveries else [], self._place
        pack, frame, at, us = FRAME.pack, None, None, 0
        for dst, src, rssi, t_ms, data in deliveries:
            if not powered[dst]:
                continue
            if data is not frame or t_ms != at:  # listeners of one frame follow each other
                frame, at, us = data, t_ms, max(0, round((t_ms - start) * 1000))
            w, slot = place[dst]
            parts[w] += (pack(slot, len(data), int(rssi), src + 1, us), data)
            counts[w] += 1
        flags = (1 if block is not None else 0) | (2 if records else 0) | (4 if self.ping_log else 0)
        for w, worker in enumerate(self.workers):
            head = []
            if block is not None:
                s = slice(worker.first, worker.first + worker.n)
                head = [block[0][s].tobytes(), block[1][s].tobytes()]
            worker.send(b"T", *head, *parts[w], flags=flags, count=counts[w], tick=k)

    def _receive(self, k, records) -> Tick:
        done = Tick(k)
        dirty = np.zeros(self.n, np.uint8)
        rows, pings = [], []
        sent = SENT.unpack_from
        for worker in self.workers:
            _, flags, count, body = worker.receive()
            at = 0
            for _ in range(count):
                slot, n, us = sent(body, at)
                at += SENT.size
                done.frames.append((worker.first + slot, us / 1000, body[at : at + n]))
                at += n
            s = slice(worker.first, worker.first + worker.n)
            if flags & 1:
                done.shown = True
                dirty[s] = np.frombuffer(body, np.uint8, worker.n, at)
                at += worker.n
                wire = np.frombuffer(body, np.uint8, worker.pixel_bytes, at)
                self.strands.wire[s] = wire.reshape(self.strands.wire[s].shape)
                at += worker.pixel_bytes
            if records:
                rows.append(np.frombuffer(body, worker.layout, worker.n, at))
                at += worker.record.size * worker.n
            if self.ping_log:
                pings.append(np.frombuffer(body, np.uint32, worker.n, at))
        self._digest(k, done, dirty)
        if done.shown:
            self.frames_shown += dirty
            self._luminance = self.strands.luminance()
        if k == 0 and not done.shown:
            self._luminance = self.strands.luminance()
        self.eyes.look(self._luminance)
        if records:
            wide = self.workers[0].wide  # 64 bits each, so that nobody's arithmetic overflows
            done.records = np.concatenate(rows).astype(wide).view(np.recarray)
        if pings:
            done.pinged = np.concatenate(pings)
        return done

    def _digest(self, k: int, done: Tick, dirty: np.ndarray) -> None:
        d = self.digest
        if done.shown:
            d.update(struct.pack("<IB", k, 1))
            d.update(dirty.tobytes())
            d.update(self.strands.wire.tobytes())
        for node, _, data in done.frames:
            d.update(struct.pack("<IHH", k, node, len(data)))
            d.update(data)

    # --- what happens in the room ---------------------------------------------------------------------------------

    def _script(self, k: int) -> None:
        t = k * TICK_S
        for a in self.scenario.script:
            first = round(a.at_s / TICK_S)
            every = round(a.every_s / TICK_S)
            if k == first or (every and k > first and (k - first) % every == 0):
                self.command(a)
        if k and k % 250 == 0 and t >= 20:
            self.command(Action(t, "ping"))
        for end, kind, node in [f for f in self.faulty if f[0] <= t]:
            self.faults.set(kind, [node], False)
            self._flags()
            self.faulty.remove((end, kind, node))

    def command(self, a: Action) -> None:
        """Do something in the room now; `a.node` -1 lets the seed choose. Raises Problem on what cannot be."""
        t = self.tick * TICK_S
        node = a.node if a.node >= 0 else int(self.rng.integers(self.n))
        if node >= self.n:
            raise Problem(f"node {node}: this room has nodes 0 to {self.n - 1}")
        do = a.do
        if do == "upset":
            self._crowd("upset", a.fraction, a.size, a.seconds)
        elif do == "lift":
            self._crowd("release", node)
        elif do == "touch":
            if a.node < 0:
                for i in range(self.n):
                    self._crowd("touch", i)
            else:
                self._crowd("touch", node)
        elif do == "partition":
            self._cut(True)
        elif do == "heal":
            self._cut(False)
        elif do == "fault":
            self.faults.set(a.name, [node])
            self._flags()
            self.faulty.append((t + a.seconds, a.name, node))
        elif do == "ping":
            self.ping = self.ping % 60000 + 1
            self.ping_log[self.ping] = (node, t)
            self.tell(node, {"do": "ping", "id": self.ping})
        elif do == "damping":
            self.damping = a.on
            for head in self.heads:
                self.tell(head, {"do": "damping", "on": a.on})
        elif do == "scene":
            self.scene = a.name
            for head in self.heads:
                self.tell(head, {"do": "scene", "name": a.name})
            low, high = self.workers[0].ask({"do": "calibrate", "scene": a.name})["luminance"]
            self.eyes.scale(low, high)
        elif do == "reboot":
            self.tell(node, {"do": "reboot"})
        elif do in ("off", "on"):
            self.powered[node] = do == "on"
            self.tell(node, {"do": do})
        elif do == "jam":
            self.radio.jam(self.positions[node], a.seconds)
        if do != "ping":
            self.events.append(
                {"t_s": round(t, 2), "kind": do, "node": node, "text": f"{do} {a.name}".strip()}
            )

    def _cut(self, halves: bool) -> None:
        """Who can hear whom: clusters are on different channels; `halves` also cuts each of them in two by position."""
        groups = []
        for members in self.members:
            if halves:
                order = [members[i] for i in np.argsort(self.positions[members, 0], kind="stable")]
                groups += [sorted(order[: len(order) // 2]), sorted(order[len(order) // 2 :])]
            else:
                groups.append(members)
        if len(groups) > 1:
            self.radio.partition(groups)
        else:
            self.radio.heal()

    def _crowd(self, what: str, *args) -> None:
        """A wish to the crowd, where it is a crowd that can be asked."""
        f = getattr(self.crowd, what, None)
        if f:
            f(*args)

    def _flags(self) -> None:
        for node, flag in enumerate(self.faults.flags.tolist()):
            self.tell(node, {"do": "sensor", "flags": flag})

    def tell(self, node: int, request: dict) -> dict:
        """A request to one node (0-based); recorded, because it changes what the node does."""
        worker = next(w for w in reversed(self.workers) if w.first <= node)
        if self.recorder:
            self.recorder.request(self.tick, node, request)
        answer = worker.ask({**request, "slot": node - worker.first}, tick=self.tick)
        if answer.get("error"):
            raise Problem(answer["error"])
        return answer

    def ask(self, request: dict) -> list[dict]:
        """A request that changes nothing, to every worker."""
        return [w.ask(request, tick=self.tick) for w in self.workers]

    def close(self) -> None:
        """End the workers and the recording."""
        for w in self.workers:
            w.close()
        self.workers = []
        if self.recorder:
            self.recorder.close()


def keys(seed: int, gateways: list[int]) -> dict:
    """The network of a simulated room, from its seed: key blobs in hex; the nodes in `gateways` may command."""

    def key(what: str) -> bytes:
        return hashlib.sha256(f"pulseweave simulated {what} {seed}".encode()).digest()[:16]

    network = Network("simulated", 1 + seed % 254, {1: key("network")}, {1: key("command")})
    return {"node": network.blob().hex(), "gateway": network.blob(True).hex(), "gateways": gateways}


def checked(out: dict, key: str, n: int, kind) -> np.ndarray:
    """One array of a crowd's answer. Raises Problem where it is missing or has another shape."""
    try:
        a = np.asarray(out[key], kind)
    except KeyError:
        raise Problem(f"visitors: step() returned no {key!r}: it must return arousal and touching") from None
    except (TypeError, ValueError) as e:
        raise Problem(f"visitors: {key!r} is no array of {n} numbers ({e})") from None
    if a.shape != (n,):
        raise Problem(f"visitors: {key!r} has shape {a.shape}, not ({n},)")
    if kind is float and not np.isfinite(a).all():
        raise Problem(f"visitors: {key!r} contains numbers that are not finite")
    return a

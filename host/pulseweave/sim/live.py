"""A simulation seen live: paced by the clock, steered by a page, shown as `Source` to the web server.

The clock only decides when the next tick is computed, never what is in it. Commands from the page are applied between
ticks. In: a factory of simulations. Out: meta(), frame(), state(), events(), command().
"""

import secrets
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from pulseweave import __version__
from pulseweave.problem import Problem
from pulseweave.sim import scenario as scenarios
from pulseweave.sim.consoles import Console, Consoles
from pulseweave.sim.engine import BLOCK, Simulation
from pulseweave.sim.plan import source
from pulseweave.sim.scenario import Action

LATEST_S = 0.25  # more than this behind, and the room's time gives way
PATIENCE_S = 10.0  # a page waits so long for an order to be carried out
LATER = 16  # pictures that wait for a server that comes late
STATE_TICKS = 10  # five times a second: what the page shows beside the picture
SECOND = 50  # ticks


class Live:
    """`make(scenario_name) -> (Simulation, Measures)` starts a room; `seconds` None runs until stopped."""

    def __init__(self, make, name: str, seconds: float | None):
        self.make = make
        self.seconds = seconds
        self.sim: Simulation
        self.sim, self.measures = make(name)
        self.speed: float | None = 1.0
        self.paused = False
        self.wanted: deque = deque()
        self.stopping = False
        self.consoles = Consoles()
        self.run_number()
        self.after: list = [self.consoles.step]  # called with the simulation after every tick
        self.late_s = 0.0
        self.last_records: Any = None
        self.near: list = []
        self.notes: list = []
        self.tick_us = 0.0
        self._lock = threading.Lock()
        self._rgb = self.sim.strands.rgb()
        self._shown_t = 0.0
        self._watched = False
        self._pictures: deque = deque(maxlen=LATER)  # (s, rgb) that no page has had yet

    # --- the loop, in the simulation's own thread ----------------------------------------------------------------

    def run(self, beat=None) -> None:
        """Tick until the end, the stop, or an exception; `beat(self)` is called about once a second of virtual time."""
        begin, first = time.monotonic(), self.sim.tick
        while self.seconds is None or self.sim.tick * 0.02 < self.seconds:
            if self.sim.tick % BLOCK == 0:  # within a block the nodes may be ahead of us
                if self.stopping:
                    return
                if self.wanted:
                    self._obey()
                    begin, first = time.monotonic(), self.sim.tick
                if self.paused:
                    time.sleep(0.02)
                    begin, first = time.monotonic(), self.sim.tick
                    continue
            if self.speed:
                ahead = (self.sim.tick - first) * 0.02 / self.speed - (time.monotonic() - begin)
                if ahead > 0:
                    time.sleep(ahead)
                elif ahead < -LATEST_S:
                    self.late_s -= ahead
                    begin, first = time.monotonic(), self.sim.tick
            self._tick()
            if beat and self.sim.tick % 50 == 0:
                beat(self)

    def _tick(self) -> None:
        k = self.sim.tick
        began = time.perf_counter()
        # a second's record belongs to the measurements; those between are for the page only
        every = STATE_TICKS if self._watched else SECOND
        most = BLOCK if self.seconds is None else round(self.seconds * 50) - k
        done = self.sim.watch(every, most)
        records = done.records
        if records is not None:
            self.last_records = records
            if k % SECOND != SECOND - 1:
                done.records = None
        self.measures.tick(done)
        for step in self.after:
            step(self.sim)
        if k % 100 == 49:
            self.near = [near for a in self.sim.ask({"do": "neighbours"}) for near in a["neighbours"]]
        if k % 500 == 59 and self._watched:
            self.notes = [notes for a in self.sim.ask({"do": "notes"}) for notes in a["notes"]]
        if done.shown:
            # nobody to look at them: no pixels are copied
            rgb = self.sim.strands.rgb() if self._watched else self._rgb
            with self._lock:
                self._rgb, self._shown_t = rgb, (k + 1) * 0.02
                if self._watched:
                    self._pictures.append((self._shown_t, rgb))
        self.tick_us += ((time.perf_counter() - began) * 1e6 - self.tick_us) * 0.02

    def _obey(self) -> None:
        while self.wanted:
            order, answer = self.wanted.popleft()
            said = answer["done"]
            try:
                self._order(order)
                answer["ok"] = True
            except Problem as e:
                answer["error"] = str(e)
            said.set()

    def _order(self, order: dict) -> None:
        do = order.get("do")
        if do == "scenario":
            sim, measures = self.make(str(order.get("name")))
            old, self.sim, self.measures = self.sim, sim, measures
            self.near, self.notes, self.last_records = [], [], None
            self.consoles.anew()
            self.run_number()
            old.close()
            with self._lock:
                self._rgb, self._shown_t = sim.strands.rgb(), 0.0
                self._pictures.clear()
        elif do in ("pause", "resume"):
            self.paused = do == "pause"
        elif do == "speed":
            to = order.get("to", order.get("value"))
            if to == "fast":
                self.speed = None
            elif isinstance(to, int | float) and 0.1 <= to <= 64:
                self.speed = float(to)
            else:
                raise Problem(f"speed {to!r}: use 0.1 to 64, or fast")
        elif do == "damping":
            self.sim.steer(Action(0, "damping", on=bool(order.get("on"))))
        elif do == "upset":
            self.sim.steer(Action(0, "upset", fraction=fraction(order.get("fraction", 0.5))))
        elif do in ("lift", "touch"):
            node = order.get("node", 0)
            if not isinstance(node, int):
                raise Problem(f"node {node!r} is no number")
            self.sim.steer(Action(0, do, node=node))
        elif do == "scene":
            self.sim.steer(Action(0, "scene", node=0, name=str(order.get("name"))))
        else:
            raise Problem(f"the room knows no order {do!r}")

    # --- what the page sees, from any thread ------------------------------------------------------------------------

    def meta(self) -> dict:
        sim = self.sim
        return {
            "version": __version__,
            "scenario": sim.scenario.name,
            "title": sim.scenario.title,
            "scenarios": scenarios.names(),
            "nodes": sim.n,
            "pixels": sim.strands.count,
            "speed": self.speed or "fast",
            "paused": self.paused,
            "damping": sim.damping,
            "scene": sim.scene,
            "scenes": [n for n in sim.scenes if n not in ("identify", "fault")],
            "strands": [
                {
                    "node": i,
                    "name": str(i + 1),
                    "x": float(p[0]),
                    "y": float(p[1]),
                    "z": float(p[2]),
                    "pixels": sim.strands.count,
                }
                for i, p in enumerate(sim.positions)
            ],
        }

    def frame(self) -> tuple[float, bytes]:
        """The next picture that was not given yet, so that a server which comes late misses none; in a room that runs faster
        than the clock, and where all were given, the newest."""
        self._watched = True
        with self._lock:
            t_s, rgb = self._shown_t, self._rgb
            if self.speed != 1.0:
                self._pictures.clear()
            elif self._pictures:
                t_s, rgb = self._pictures.popleft()
        return t_s, rgb.tobytes()

    def state(self) -> dict:
        sim, r = self.sim, self.last_records
        state: dict = {
            "t_s": round(sim.tick * 0.02, 2),
            "speed": self.speed or "fast",
            "paused": self.paused,
            "damping": sim.damping,
            "tick_us": round(self.tick_us),
            "late_s": round(self.late_s, 2),
        }
        if r is None or len(r) != sim.n:
            return state
        here = sim.touching
        truth = float(sim.truth[here].mean()) if here.any() else 0.0
        contact = r.contact > 0
        mean = lambda a: round(float(a.mean()), 4)  # noqa: E731
        state["room"] = {
            "truth": round(truth, 4),
            "estimate": mean(r.arousal[contact] / 4096) if contact.any() else 0.0,
            "collective": mean(r.collective / 4096),
            "light": mean(sim.seen),
            "g": mean(r.g / 4096),
            "ratio": round(float(np.median(r.ratio_q8)) / 256, 3),
            "contagion": bool(r.contagion.mean() > 0.5),
            "synchrony": mean(r.synchrony / 4096),
            "spread": mean(r.spread / 4096),
        }
        near = self.near if len(self.near) == sim.n else [[]] * sim.n
        state["nodes"] = {
            "hr": (r.hr_q4 / 16).round(1).tolist(),
            "confidence": (r.confidence / 255).round(3).tolist(),
            "quality": (r.quality / 255).round(3).tolist(),
            "contact": contact.astype(int).tolist(),
            "arousal": (r.arousal / 4096).round(3).tolist(),
            "valence": (r.valence / 4096).round(3).tolist(),
            "level": (r.level / 4096).round(3).tolist(),
            "g": (r.g / 4096).round(3).tolist(),
            "rho": (r.rho / 4096).round(3).tolist(),
            "opted_out": r.opted_out.tolist(),
            "beats": r.beats.tolist(),
            "ma": r.ma.tolist(),
            "notes": self.notes if len(self.notes) == sim.n else [[]] * sim.n,
            "release": [source()] * sim.n,
            "neighbours": [[[n - 1, rssi] for n, rssi in row] for row in near],
            "health": [health(r, i, sim.powered[i]) for i in range(sim.n)],
        }
        radio = sim.radio.statistics()
        state["mesh"] = {
            "sent": int(radio["sent"]),
            "received": int(radio["received"]),
            "lost": int(radio["lost"]),
            "synced": int((r.synced > 0).sum()),
            "airtime": round(float(radio["airtime_fraction_max"]), 4),
        }
        return state

    def events(self) -> list[dict]:
        out, self.sim.events = self.sim.events, []
        return out

    def run_number(self) -> None:
        """Nodes of a simulation boot with the same epochs every time: whoever gathers them tells runs apart by this."""
        self.number = secrets.randbelow(1 << 22) + 1

    def gateways(self) -> dict:
        """What `pulseweave gather --sim` asks first: numbers of the nodes that may be gateways, and the strands."""
        strands = [{**s, "node": s["node"] + 1} for s in self.meta()["strands"]]  # ids of the mesh begin at 1
        return {"gateways": [head + 1 for head in self.sim.heads], "strands": strands}

    def console(self, node: int) -> Console:
        """The console of node 1, 2, ...; close it with `consoles.close`. Raises Problem."""
        if not 1 <= node <= self.sim.n:
            raise Problem(f"no node {node}: this room has nodes 1 to {self.sim.n}")
        return self.consoles.open(node - 1)

    def command(self, order: dict) -> dict:
        """Hand an order to the simulation's thread and wait for its answer: {"ok": True} or {"error": text}."""
        answer: dict = {"done": threading.Event()}
        self.wanted.append((order, answer))
        if not answer["done"].wait(PATIENCE_S):
            return {"error": "the room did not answer in time"}
        return {k: v for k, v in answer.items() if k != "done"}


def fraction(value) -> float:
    """A share of the crowd. Raises Problem."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Problem(f"fraction {value!r}: use a number from 0 to 1")
    return float(value)


def health(r, i: int, powered) -> str:
    """One word or two on how a node is; empty where all is well."""
    if not powered:
        return "off"
    said = []
    if r.sense_faults[i]:
        said.append("sensor fault")
    if not r.synced[i]:
        said.append("no mesh time")
    if r.faults[i]:
        said.append(f"{int(r.faults[i])} faults")
    if r.limited[i]:
        said.append("power limited")
    return ", ".join(said)

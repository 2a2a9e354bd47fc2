"""A simulation seen live: paced by the clock, steered by a page, shown as `Source` to the web server.

The clock only decides when the next tick is computed, never what is in it. Commands from the page are applied between
ticks. In: a factory of simulations. Out: meta(), frame(), state(), events(), command().
"""

import secrets
import threading
import time
from collections import deque
from typing import Any

from pulseweave import __version__
from pulseweave.problem import Problem
from pulseweave.sim import orders, shown
from pulseweave.sim.consoles import Console, Consoles
from pulseweave.sim.engine import BLOCK, Simulation

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
        if k % 100 == 49 and self._watched:
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
            self._change(str(order.get("name")))
        elif do in ("pause", "resume"):
            self.paused = do == "pause"
        elif do == "speed":
            self.speed = orders.speed(order.get("to", order.get("value")))
        else:
            orders.steer(self.sim, order)

    def _change(self, scenario: str) -> None:
        """Another room in this one's place. Raises Problem where there is none of that name: this one stays."""
        sim, measures = self.make(scenario)
        old, self.sim, self.measures = self.sim, sim, measures
        self.near, self.notes, self.last_records = [], [], None
        self.consoles.anew()
        self.run_number()
        old.close()
        with self._lock:
            self._rgb, self._shown_t = sim.strands.rgb(), 0.0
            self._pictures.clear()

    # --- what the page sees, from any thread ------------------------------------------------------------------------

    def meta(self) -> dict:
        return {"version": __version__, **self._pace(), **shown.plan(self.sim)}

    def _pace(self) -> dict:
        return {"speed": self.speed or "fast", "paused": self.paused}

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
            **self._pace(),
            "damping": sim.damping,
            "tick_us": round(self.tick_us),
            "late_s": round(self.late_s, 2),
        }
        if r is not None and len(r) == sim.n:
            state["room"] = shown.room(sim, r)
            state["nodes"] = shown.nodes(sim, r, self.near, self.notes)
            state["mesh"] = shown.mesh(sim, r)
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

"""A room as the page wants it (README.md of this folder), made from packets: live from gateways, or later from a store.

In: a `Table` that hears packets, the strands' places, a clock (UTC ms). Out: meta(), frame(), state(), events(), command().
`draw()` in a thread of one's own makes the pictures; everything else only hands out what is there.
"""

import logging
import math
import threading
import time
from collections.abc import Callable

import numpy as np

from pulseweave import __version__
from pulseweave.gather.draw import MOST, Draw
from pulseweave.gather.inquiry import Told
from pulseweave.gather.table import Row, Table, health, touched
from pulseweave.problem import Problem

log = logging.getLogger(__name__)
FPS = 25
SETTLE_MS = 15_000
LATE_S = 0.15  # no picture may take longer to draw than this, unless two ticks do
GATEWAY_WORDS = "nobody has been heard yet"


class Strand(dict):
    """{node, name, x, y, z, pixels}: metres, z the height of the top."""


def grid(nodes: list[int], pixels: int = 60) -> list[Strand]:
    """Places for strands nobody has measured: a grid of 1.4 m."""
    wide = max(1, math.ceil(math.sqrt(len(nodes) * 1.5)))
    return [
        Strand(node=n, name=str(n), x=1.4 * (i % wide), y=1.4 * (i // wide), z=2.6, pixels=pixels)
        for i, n in enumerate(nodes)
    ]


class Room:
    """`begin` UTC ms counts as t_s = 0. `mesh_ms(now_ms)`: the room's clock, which the waves of light follow."""

    def __init__(
        self,
        table: Table,
        strands: list[Strand],
        clock: Callable[[], int] = lambda: int(time.time() * 1000),
        mesh_ms: Callable[[int], int] = lambda ms: ms,
        title: str = "",
        words: Callable[[], str] = lambda: "",
        told: Told | None = None,
    ):
        self.people = told or Told()
        self.table, self.clock, self.mesh_ms, self.title, self.words = table, clock, mesh_ms, title, words
        self.measured = bool(strands)
        self.strands = strands
        self.begin = clock()
        self._lock = threading.Lock()
        self._rgb = bytes(3 * sum(s["pixels"] for s in strands))
        self._t, self._told = -1.0, None
        self._draw: Draw | None = None
        self._last = self._new_at = 0
        self._afresh = False
        self._tick_s = 0.0  # what a tick of all strands takes to draw
        self._contagion = False
        self._seen = 0
        self.running = True

    # --- pictures

    def run(self) -> None:
        """Draw until stopped; where drawing fails, it is said once and tried again with a new MicroPython."""
        due, said = time.monotonic(), False
        while self.running:
            try:
                self.step()
            except Exception as e:
                if not said and self.running:
                    log.error("the page has no pictures: %s", e)
                said = True
                if self._draw:
                    self._draw.close()
                    self._draw = None
                time.sleep(1)
            due = max(due + 1 / FPS, time.monotonic() - 0.2)
            time.sleep(max(0.0, due - time.monotonic()))

    def step(self) -> None:
        """One picture; the first one starts MicroPython, as does another set of strands."""
        now = self.clock()
        rows = self.table.rows(now)
        if not self.measured:
            self._meet(rows)
        if not self.strands:
            return
        if self._draw is None:
            self._draw = Draw(
                [(s["node"], s["x"], s["y"], s["z"]) for s in self.strands], self.strands[0]["pixels"]
            )
            self.table.scenes = tuple(self._draw.scenes)
            self._last = now - 40
        # where drawing is slower than the room, its time gives way, not the pictures
        most = int(LATE_S / self._tick_s) if self._tick_s else MOST
        ticks = max(1, min(max(2, most), round((now - self._last) / 20)))
        began = time.monotonic()
        afresh, self._afresh = self._afresh or not 0 <= now - self._last < 60_000, False
        if afresh:
            self._new_at = now
        self._last = now
        rgb, told = self._draw.picture(
            self.mesh_ms(now), now, rows, self.table.scene, self.table.damping, ticks, afresh
        )
        self._tick_s += ((time.monotonic() - began) / ticks - self._tick_s) * (0.2 if self._tick_s else 1)
        with self._lock:
            self._rgb, self._told, self._t = rgb, told, (now - self.begin) / 1000

    def _meet(self, rows: dict[int, Row]) -> None:
        """Strands nobody has placed are hung as they are met."""
        known = [s["node"] for s in self.strands]
        new = sorted(set(rows) - set(known))
        if new:
            strands = grid(known + new)
            with self._lock:
                self.strands = strands
                self._rgb = bytes(len(strands) * strands[0]["pixels"] * 3)
                self._told = None
            if self._draw:
                self._draw.close()
            self._draw = None

    def afresh(self) -> None:
        """Time has jumped: what has been fading is forgotten."""
        self._afresh = True

    def close(self) -> None:
        """No more pictures."""
        self.running = False
        if self._draw:
            self._draw.close()

    # --- what the page asks

    def meta(self) -> dict:
        scenes = list(self.table.scenes)
        scene = self.table.scene
        return {
            "version": __version__,
            "scenario": "gathering",
            "title": self.title,
            "scenarios": [],
            "nodes": len(self.strands),
            "pixels": self.strands[0]["pixels"] if self.strands else 0,
            "speed": 1,
            "paused": False,
            "damping": self.table.damping,
            "orders": [],
            "scene": scenes[scene] if scene < len(scenes) else str(scene),
            "scenes": [],
            "strands": self.strands,
        }

    def frame(self) -> tuple[float, bytes]:
        with self._lock:
            return self._t, self._rgb

    def state(self) -> dict:
        now = self.clock()
        rows = self.table.rows(now)
        with self._lock:
            told, strands = self._told, self.strands
        state: dict = {"t_s": (now - self.begin) / 1000, "health": self.words()}
        if told is None or len(told) != len(strands):
            return state | ({} if strands else {"health": self.words() or GATEWAY_WORDS})
        here = [rows.get(s["node"]) for s in strands]
        there = [r for r in here if r and touched(r)]
        weight = sum(r.state.confidence for r in there)
        mean = sum(r.state.confidence * r.state.arousal for r in there) / weight / 255 if weight else 0.0
        settled = (
            now - self._new_at > SETTLE_MS
        )  # damping that has just begun takes the first it sees for a surge
        contagion = settled and bool(told["contagion"].mean() > 0.5)
        if contagion and not self._contagion:
            self.table.happened.append((now, "contagion", "stirred together"))
        self._contagion = contagion

        def column(f, zero=0.0):
            return [round(f(r), 3) if r else zero for r in here]

        state["room"] = {
            "estimate": round(mean, 4),
            "collective": round(sum(r.state.arousal for r in there) / max(1, len(there)) / 255, 4),
            "light": round(float(told["level"].mean()) / 4096, 4),
            "g": round(sum(r.state.g for r in here if r) / 255 / max(1, sum(map(bool, here))), 4),
            "ratio": round(float(np.median(told["ratio"])) / 256, 3),
            "contagion": contagion,
            "synchrony": round(float(told["synchrony"].mean()) / 4096, 4),
        }
        state["nodes"] = {
            "confidence": column(lambda r: r.state.confidence / 255),
            "contact": [int(bool(r and touched(r))) for r in here],
            "arousal": column(lambda r: r.state.arousal / 255),
            "g": column(lambda r: r.state.g / 255),
            "level": (told["level"] / 4096).round(3).tolist(),
            "health": [health(r, now) for r in here],
            **firmware(self.people, [s["node"] for s in strands]),
        }
        heard, missed = sum(r.heard for r in here if r), sum(r.missed for r in here if r)
        state["mesh"] = {"received": heard, "lost": missed, "sent": heard}
        return state

    def events(self) -> list[dict]:
        out = []
        while self.table.happened:
            at_ms, kind, text = self.table.happened.popleft()
            out.append({"t_s": (at_ms - self.begin) / 1000, "kind": kind, "text": text})
        return out

    def command(self, order: dict) -> dict:
        raise Problem("this page only looks: a room that is gathered takes no orders from here")


def firmware(told: Told, nodes: list[int]) -> dict[str, list]:
    """Columns for the page: `release`, `board`, `odd` (what most others of its kind run, "" = the same), `notes`."""
    known, odd = dict(told.known), told.odd()
    here = [known.get(n) for n in nodes]
    return {
        "release": [f.release if f else "" for f in here],
        "board": [f.board if f else "" for f in here],
        "odd": [odd.get(n, "") for n in nodes],
        "notes": [list(f.notes) if f else [] for f in here],
    }

"""A stored gathering on the live page: the same room, fed from the store, with a slider over its time.

In: a store and a span. Out: a source for the page that plays, pauses, runs faster and goes anywhere. Strands are drawn anew
by the device's code from what was kept, as for a gathering that is just happening.
"""

import time

from pulseweave.firmware import Firmware
from pulseweave.gather.inquiry import Told
from pulseweave.gather.record import Event, State
from pulseweave.gather.room import Room, Strand, grid
from pulseweave.gather.store import Store
from pulseweave.gather.table import OLD_MS, POLICY, SCENE, Table
from pulseweave.problem import Problem

PAST_S = 180  # of the curve, after a jump
STEP_MS = 2000  # read from the store at once
LONGEST_STEP_MS = 60_000
FASTEST = 64


class Replay(Room):
    """`store` is used by the thread that runs `run()` only."""

    def __init__(self, store: Store, from_ms: int, to_ms: int, title: str = ""):
        self.store, self.from_ms, self.to_ms = store, from_ms, to_ms
        self.speed, self.paused, self.jumps = 1.0, False, 0
        self._at, self._real = float(from_ms), time.monotonic()
        self._wanted: float | None = float(from_ms)
        self._read = from_ms
        self._rows: list[tuple] = []
        nodes = [n for (n,) in store.db.all("select distinct node from lives where event = 0 order by node")]
        places = store.db.all("select node, name, x, y, z, pixels from strands order by node")
        known = {p[0] for p in places}
        strands = [Strand(zip(("node", "name", "x", "y", "z", "pixels"), p, strict=True)) for p in places]
        if not strands or set(nodes) - known:
            strands = grid(nodes)
        if not strands:
            raise Problem(f"{store.db.where}: nothing has been gathered into it yet")
        super().__init__(Table(), strands, clock=lambda: round(self._at), title=title, words=self._words)
        self.begin = from_ms

    def _words(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._at / 1000))

    # --- time, in the drawing thread

    def step(self) -> None:
        now = time.monotonic()
        passed, self._real = (now - self._real) * 1000 * self.speed, now
        if self._wanted is not None:
            self._go(self._wanted)
        elif not self.paused and self._at < self.to_ms:
            self._at = min(self._at + min(passed, LONGEST_STEP_MS), self.to_ms)
            self._feed()
        elif self._t >= 0 and not self._afresh:
            return  # nothing moves: the picture stays
        super().step()

    def _go(self, to: float) -> None:
        """To another moment: what was known then, the scene that was lit, the curve that led there."""
        self._wanted = None
        at = round(min(max(to, self.from_ms), self.to_ms))
        curve = self.store.curve(at - PAST_S * 1000, at, PAST_S)
        scene, policy = (
            self.store.db.one(
                "select data from events where kind = ? and at_ms <= ? order by at_ms desc limit 1",
                (kind, at),
            )
            for kind in (SCENE, POLICY)
        )
        # from here on pages see the other moment: its curve comes with it
        self._rows = [((t - self.from_ms) / 1000, a, None, g) for t, _, _, a, _, g in curve]
        self.jumps += 1
        self._at = float(at)
        self.table.clear()
        self.table.scene = (scene or 0) >> 8 & 255
        self.table.damping = not (policy or 0) & 1
        self.people = Told()
        for node, (board, release, _) in self.store.firmware(at).items():
            self.people.hear(node, Firmware(board, release))
        self._read = at - OLD_MS
        self._feed()
        self.table.happened.clear()
        self._afresh = True

    def _feed(self) -> None:
        """What was kept between the last look and now."""
        until = round(self._at)
        span = (self._read, until)
        db = self.store.db
        for node, n, life, at_ms, kind, data in db.all(
            "select node, n, life, at_ms, kind, data from events where at_ms > ? and at_ms <= ? order by at_ms",
            span,
        ):
            said = (data & 0xFFFF).to_bytes(2) if data else b""
            self.table.hear(at_ms, Event(node, n & 0xFFFF, life + 1, 0, kind, said))
        for some in db.rows(
            "select node, n, life, at_ms, arousal, fast, confidence, g, flags, rssi from states "
            "where at_ms > ? and at_ms <= ? order by at_ms",
            span,
        ):
            for node, n, life, at_ms, *values in some:
                self.table.hear(at_ms, State(node, n & 0xFFFF, life + 1, 0, *values))
        self._read = until

    # --- what the page asks beyond a live room

    def meta(self) -> dict:
        return super().meta() | {
            "scenario": "replay",
            "speed": int(self.speed) if self.speed >= 1 else self.speed,
            "paused": self.paused,
            "orders": ["pause", "speed", "seek"],
            "replay": {"seconds": (self.to_ms - self.from_ms) / 1000},
        }

    def history(self) -> list[tuple]:
        """The curve up to this moment, after a jump."""
        return self._rows

    def command(self, order: dict) -> dict:
        do, wish = order.get("do"), order.get("to")
        to = float(wish) if isinstance(wish, int | float) and not isinstance(wish, bool) else -1.0
        if do in ("pause", "resume"):
            self.paused = do == "pause"
        elif do == "speed" and 0.1 <= to <= FASTEST:
            self.speed = to
        elif do == "speed" and wish == "fast":
            self.speed = float(FASTEST)
        elif do == "seek" and 0 <= to <= (self.to_ms - self.from_ms) / 1000:
            self._wanted = self.from_ms + to * 1000.0
        else:
            raise Problem(f"a stored gathering can be paused, sped up and gone through, not {str(do)[:20]}")
        return {}

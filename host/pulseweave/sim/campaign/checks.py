"""The invariants of a room, checked after every step; those of a single board are checked beside it (worker/rough/watch.py).

In: the room after every tick. Out: `failure`, the first thing that must not be, or None; `healthy` bool[seconds, nodes].
"""

from dataclasses import dataclass

import numpy as np

from pulseweave.sim.campaign.room import (
    CONTACT,
    FAULT,
    KNOWN,
    ON,
    SENSE,
    STRANGE,
    SYNCED,
    WAITS,
    CampaignRoom,
)
from pulseweave.sim.engine import TICK_S, Tick
from pulseweave.sim.lightmeter import LightMeter

FLASHES = 3.0  # a second, WCAG 2.3.1
STALE_TICKS = 45 * 50  # a ping this old must not be obeyed any more: 30 s, and what clocks differ
MANY_PINGS = 10_000
SETTLE_S = 12.0  # a hand is felt, or its leaving noticed
FLOOR_S = (100.0, 90.0, 80.0)  # before the end: the floor of the heap when all faults are over
CEILING_S = (22.0, 12.0, 2.0)  # and at the very end
GROWTH = 2048  # bytes in a room, within the quiet end
GROWTH_NODE = (
    96 << 10
)  # bytes a node since its first half minute: modules that load with the first command, notes
WARM_S = 15.0
LIGHT_TICKS = 100  # between two looks at the pictures: many at once cost little more than one
HOUR_S = 3600.0

INVARIANTS = {
    "limiter": "flashes stay below three in any second, and the current within its budget",
    "share": "the unmediated share is never below a quarter",
    "unsealed": "what no member sealed has no effect, and nothing has it twice",
    "configuration": "a configuration that was saved is there after every boot",
    "roster": "everybody knows everybody, with a common time, when all is over",
    "heap": "the floor of the heap is flat",
    "late": "the hardware holds no tick longer than its budget",
    "watchdog": "the watchdog is fed only by a tick that did all its work",
    "dark": "the strand lives while anything does",
    "safe": "safe mode after five crash boots, and after nothing else",
    "note": "a crash leaves a note",
    "raised": "no tick raises",
    "start": "every start brings a node",
    "recovery": "all parts work when all is over",
    "worker": "the interpreter lives",
}


@dataclass(frozen=True)
class Failure:
    """An invariant that did not hold: where (-1 the room), when, and what was seen."""

    invariant: str
    node: int
    t_s: float
    text: str


class Checks:
    """Watches `room` for its `seconds`."""

    def __init__(self, room: CampaignRoom, seconds: float):
        self.room, self.seconds = room, seconds
        self.meter = LightMeter(room.strands)
        self.budget = float(room.description["strand"]["budget_ma"])
        self.failure: Failure | None = None
        self.healthy: list[np.ndarray] = []
        # pings that were obeyed: node, boot, tick at which it was sent
        self.seen: set[tuple[int, int, int]] = set()
        self.boots = np.zeros(room.n, np.int64)
        self.warm = 0
        self.early: list[int] = []
        self.late: list[int] = []
        self.floors: list[int] = []  # after every hour

    def fail(self, invariant: str, node: int, tick: int, text: str) -> None:
        if self.failure is None:
            self.failure = Failure(invariant, node, round(tick * TICK_S, 2), text)

    def tick(self, done: Tick) -> None:
        """After every step."""
        room, k = self.room, done.number
        if done.shown:
            self.meter.push(room.strands.wire, (k + 1) * TICK_S)
        if k % 50 == 49:
            self.second(k)

    def second(self, k: int) -> None:
        """Once a second."""
        room, t = self.room, (k + 1) * TICK_S
        if k % LIGHT_TICKS == LIGHT_TICKS - 1 or t > self.seconds - 1:
            self._light()
        found, obeyed, rows = room.look()
        for what, node, tick, text in sorted(found, key=lambda f: f[2]):
            self.fail(what, node, tick, text)
        for node, boot, ping, tick in obeyed:
            sent = room.pings.get(ping)
            if sent is None or tick - sent > STALE_TICKS:
                self.fail("unsealed", node, tick, f"obeyed ping {ping} long after it was sent")
            elif (node, boot, sent) in self.seen:
                self.fail("unsealed", node, tick, f"obeyed ping {ping} twice")
            else:
                self.seen.add((node, boot, sent))
        if len(self.seen) > MANY_PINGS:  # in a room of days: who obeys an old one fails for that
            self.seen = {p for p in self.seen if k - p[2] <= STALE_TICKS}
        if rows[:, STRANGE].any():
            self.fail(
                "unsealed", int(rows[:, STRANGE].argmax()), k, "a node in the table that nobody provisioned"
            )
        self.boots = rows[:, -1]
        self._health(rows, t)
        self._heap(t, k)
        self._hours(k)

    def _light(self) -> None:
        """Of all pictures since the last time."""
        meter = self.meter
        meter.look()
        if meter.current_ma > self.budget:
            tick = round(meter.current_s / TICK_S) - 1
            self.fail("limiter", -1, tick, f"{meter.current_ma:.0f} mA of {self.budget:.0f}")
        worst, at_s = meter.flash.worst
        if worst > FLASHES:
            where = meter.flash.report()["worst_where"]
            self.fail("limiter", -1, round(at_s / TICK_S) - 1, f"{worst:g} flashes in a second at {where}")

    def _health(self, rows: np.ndarray, t: float) -> None:
        room = self.room
        settled = t - room.guests.changed > SETTLE_S
        roster = (rows[:, KNOWN] == room.n - 1) & (rows[:, SYNCED] > 0) & (rows[:, FAULT] == 0)
        parts = (rows[:, ON] > 0) & (rows[:, WAITS] == 0) & (rows[:, SENSE] == 0)
        hands = ~settled | (rows[:, CONTACT] == room.touching)
        self.healthy.append(roster & parts & hands)
        if t >= self.seconds - TICK_S:
            for ok, invariant in ((roster, "roster"), (parts & hands, "recovery")):
                if not ok.all():
                    node = int(np.argmin(ok))
                    names = [
                        "on",
                        "mesh_fault",
                        "waits",
                        "known",
                        "strange",
                        "synced",
                        "sensor_faults",
                        "contact",
                        "boots",
                    ]
                    said = ", ".join(f"{a} {b}" for a, b in zip(names, rows[node].tolist()))
                    self.fail(
                        invariant,
                        node,
                        round(t / TICK_S),
                        f"at the end: {said}, touched {room.touching[node]}",
                    )

    def _hours(self, k: int) -> None:
        """Nothing grows from hour to hour; in the first two, what is loaded on first need may come."""
        if (k + 1) % round(HOUR_S / TICK_S):
            return
        self.floors.append(self.room.floor())
        grew = self.floors[-1] - self.floors[min(1, len(self.floors) - 1)]
        if grew > GROWTH * self.room.n:
            self.fail("heap", -1, k, f"{grew} bytes more than after the second hour")

    def _heap(self, t: float, k: int) -> None:
        left = self.seconds - t
        if abs(t - WARM_S) < TICK_S:
            self.warm = self.room.floor()
        for marks, values in ((FLOOR_S, self.early), (CEILING_S, self.late)):
            if any(abs(left - m) < TICK_S for m in marks):
                values.append(self.room.floor())
        if self.early and len(self.late) == len(CEILING_S):
            grew, since = min(self.late) - max(self.early), min(self.late) - self.warm
            self.late.append(0)  # said once
            if grew > GROWTH:
                self.fail("heap", -1, k, f"{grew} bytes more than 80 s ago, though nothing happened")
            elif since > GROWTH_NODE * self.room.n:
                self.fail("heap", -1, k, f"{since} bytes more than at {WARM_S:g} s")

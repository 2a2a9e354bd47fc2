"""What is known of a cluster right now: the newest packet of every node, from whichever gateway it came.

In: packets with their time, in any order, from several threads. Out: rows for drawing and for the page. Nothing older than
a minute counts: that is how long the mesh itself believes a value.
"""

import threading
from collections import deque
from dataclasses import dataclass

from pulseweave.gather.record import FAULT, KINDS, LIMITED, SAFE, TOUCHED, Event, State

OLD_MS = 60_000
LATE = 512  # versions that a packet may be behind before the node is thought to have started again
SCENE, POLICY, IDENTIFY, ALARM, PING, VISITOR = 1, 2, 4, 5, 6, 7
SAID = {
    POLICY: "a policy for the damping",
    3: "a new configuration",
    IDENTIFY: "a strand blinks to be found",
    VISITOR: "a visitor let go",
}


@dataclass
class Row:
    """A node's newest version."""

    node: int
    at_ms: int
    state: State
    heard: int = 0  # versions that came
    missed: int = 0  # versions skipped on the way


class Table:
    """`hear(at_ms, packet)`; `rows(now_ms)`; `scene` the number of the room's scene; `happened` events for the page."""

    def __init__(self, scenes: tuple[str, ...] = ()):
        self.scenes = scenes
        self.scene = 0
        self.damping = True
        self.now: dict[int, Row] = {}
        self.happened: deque = deque(maxlen=256)  # (at_ms, kind, text)
        self._told: deque = deque(maxlen=64)
        self._lock = threading.Lock()

    def hear(self, at_ms: int, p: State | Event) -> None:
        """A packet; one that was heard before, or is older than what is known, changes nothing."""
        with self._lock:
            if isinstance(p, Event):
                self._event(at_ms, p)
                return
            row = self.now.get(p.node)
            if row is None:
                self.now[p.node] = Row(p.node, at_ms, p, 1)
                return
            ahead = ((p.serial - row.state.serial) & 0xFFFF ^ 0x8000) - 0x8000
            epoch = row.state.epoch
            if p.epoch and epoch and p.epoch != epoch:  # it has started again, or this is from before
                ahead = LATE if (p.epoch - epoch) & 255 < 128 else 0
            if ahead > 0 or ahead < -LATE:
                row.heard += 1
                row.missed += ahead - 1 if 0 < ahead < LATE else 0
                row.state, row.at_ms = p, at_ms
            elif p.rssi and not row.state.rssi:
                row.state = row.state._replace(rssi=p.rssi)

    def _event(self, at_ms: int, p: Event) -> None:
        key = p.node, p.serial, p.epoch
        if key in self._told:
            return
        self._told.append(key)
        text = SAID.get(p.kind, "")
        if p.kind == SCENE and p.data:
            self.scene = p.data[0]
            text = (
                f"scene {self.scenes[self.scene]}" if self.scene < len(self.scenes) else f"scene {self.scene}"
            )
        elif p.kind == POLICY and len(p.data) > 1:
            self.damping = not p.data[1] & 1
            text = f"damping {'on' if self.damping else 'off'}"
        elif p.kind == ALARM:
            text = f"node {p.node} raises alarm {p.data[0] if p.data else ''}"
        if text:
            self.happened.append((at_ms, KINDS.get(p.kind, "event"), text))

    def rows(self, now_ms: int) -> dict[int, Row]:
        """By node, those that were heard within a minute."""
        with self._lock:
            return {n: r for n, r in self.now.items() if now_ms - r.at_ms < OLD_MS}

    def clear(self) -> None:
        """As if nothing had been heard."""
        with self._lock:
            self.now.clear()
            self._told.clear()
            self.happened.clear()


def health(row: Row | None, now_ms: int) -> str:
    """In words; empty where all is well."""
    if row is None:
        return "not heard"
    said = []
    flags = row.state.flags
    if now_ms - row.at_ms > 15_000:
        said.append(f"silent for {(now_ms - row.at_ms) // 1000} s")
    if flags & FAULT:
        said.append("sensor fault")
    if flags & LIMITED:
        said.append("power limited")
    if flags & SAFE:
        said.append("safe mode")
    return ", ".join(said)


def touched(row: Row) -> bool:
    """Whether somebody is there."""
    return bool(row.state.flags & TOUCHED)

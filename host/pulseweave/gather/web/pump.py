"""The pump between one room and many pages: what is newest, made ready once, taken by each page at its own pace.

In: a source (see README.md). Out: per kind of message the newest one, already encoded, with a count.
A page that reads slowly finds newer messages when it comes back; nothing is queued for it. Only events are kept in
order, the last 256 of them.
"""

import asyncio
import logging
import time
from collections import deque
from typing import Generic, TypeVar

from pulseweave.gather.web import wire

log = logging.getLogger(__name__)
POLL_S = 0.010  # a room makes a picture every 40 ms; looking four times as often keeps them evenly spaced
LEAST_S = 0.028  # no more than about 35 pictures a second, however fast the room runs; in real time a late one may catch up
STATE_S = 0.25
META_S = 1.0
GARBAGE_S = 60.0
EVENTS = 256
HISTORY = 2400  # rows of the curve kept for pages that come later: ten minutes at 4 Hz


Message = TypeVar("Message", str, bytes)


class Newest(Generic[Message]):
    """The newest message of one kind and how many there have been."""

    def __init__(self, empty: Message):
        self.message, self.count = empty, 0

    def put(self, message: Message) -> None:
        self.message = message
        self.count += 1


class Pump:
    """Asks the source at its rates and wakes every page that waits. Lives in the server's event loop."""

    def __init__(self, source):
        self.source = source
        self.meta, self.state, self.picture = Newest(""), Newest(""), Newest(b"")
        self.room = {}  # the newest meta as the source gave it
        self.neighbours = self.notes = []  # of the newest state, by strand
        self.events = deque(maxlen=EVENTS)  # (count, event)
        self.event_count = 0
        self.history = deque(maxlen=HISTORY)
        self.histories = 0  # how often the curve has begun anew
        self.waiting = set()  # an asyncio.Event per page
        self.seq = 0
        self._t = None
        self._said = set()
        self._garbage: dict[str, float] = {}  # who has sent some, and when that was said

    async def run(self) -> None:
        """Until cancelled. A source that raises is reported once and asked again."""
        loop = asyncio.get_running_loop()
        sent = state_due = meta_due = 0.0
        while True:
            now = loop.time()
            new = False
            if now >= meta_due:
                meta_due = now + META_S
                new |= self._ask(self.take_meta)
            soon = now - sent < LEAST_S and self.room.get("speed") != 1
            if not soon and self._ask(self.take_picture):
                sent, new = now, True
            if now >= state_due:
                state_due = now + STATE_S
                new |= self._ask(self.take_state)
            if new:
                self.wake()
            await asyncio.sleep(max(0.002, POLL_S - (loop.time() - now)))

    def wake(self) -> None:
        for event in self.waiting:
            event.set()

    def _ask(self, what) -> bool:
        try:
            return what()
        except Exception:
            if what.__name__ not in self._said:
                self._said.add(what.__name__)
                log.exception("the room's source failed in %s; said once", what.__name__)
            return False

    def take_meta(self) -> bool:
        """The room's description, where it has changed."""
        meta = self.source.meta()
        message = wire.text("meta", meta=meta)
        if message == self.meta.message:
            return False
        if meta.get("scenario") != self.room.get("scenario"):
            self.history.clear()
        self.room = meta
        self.meta.put(message)
        return True

    def take_picture(self) -> bool:
        """The newest pixels, where room time has moved. Counts the pictures nobody could see."""
        t_s, rgb = self.source.frame()
        if t_s == self._t or not self.room:
            return False
        nodes, pixels = self.room["nodes"], self.room["pixels"]
        if len(rgb) != nodes * pixels * 3:  # another scenario has begun: its description comes first
            self.take_meta()
            nodes, pixels = self.room["nodes"], self.room["pixels"]
        steps = 1
        if self._t is not None and self.room.get("speed") == 1 and self._t < t_s < self._t + 1:
            steps = max(1, round((t_s - self._t) * self.room.get("fps", 25)))
        self.seq += steps
        self._t = t_s
        self.picture.put(wire.picture(self.seq, t_s, nodes, pixels, rgb))
        return True

    def take_state(self) -> bool:
        """What the nodes and the room are in, the curve, and what has happened."""
        state = dict(self.source.state())
        nodes = dict(state.get("nodes") or {})
        self.neighbours = nodes.pop("neighbours", [])
        self.notes = nodes.pop("notes", [])
        state["nodes"] = nodes
        self.state.put(wire.text("state", state=state))
        room, t_s = state.get("room") or {}, state.get("t_s", 0.0)
        if (told := getattr(self.source, "jumps", 0)) != self.histories:  # a replay went to another moment
            self.histories = told
            self.history = deque(self.source.history(), maxlen=HISTORY)
        if self.history and t_s < self.history[-1][0]:
            self.history.clear()
        if not self.history or t_s > self.history[-1][0]:
            self.history.append((t_s, room.get("collective"), room.get("truth"), room.get("g")))
        for event in self.source.events():
            self.event_count += 1
            self.events.append((self.event_count, event))
        return True

    def first_garbage(self, who: str) -> bool:
        """Whether to say so: once in a minute for each address, however often it comes back."""
        now = time.monotonic()
        self._garbage = {w: t for w, t in self._garbage.items() if now - t < GARBAGE_S}
        return self._garbage.setdefault(who, now) == now

    def near(self, node: int) -> str:
        """For those who lean towards the strand at index `node`: whom it hears, its newest crash notes."""
        links = self.neighbours[node] if node < len(self.neighbours) else []
        notes = self.notes[node] if node < len(self.notes) else []
        return wire.text("near", node=node, neighbours=[list(link) for link in links], notes=notes[-2:])

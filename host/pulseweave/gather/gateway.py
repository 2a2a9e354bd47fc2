"""One gateway's stream, from bytes to packets: asks, takes them in order, counts what no longer exists. No line, no clock.

    gateway = Gateway("ttyUSB0", resume)      # resume(node, epoch) -> number of the first record not yet kept
    line.write(gateway.wants(now_s))          # often; mostly b""
    for packet in gateway.feed(line.read(), now_s): ...

Numbers are consecutive from the node's boot. A gap is asked for again; what the answer says is gone from the node's ring is
counted in `lost`, exactly once. Protocol: device/weave/console/README.md.
"""

import struct
from collections.abc import Callable, Iterator

from pulseweave import serial_link as link
from pulseweave.gather.inquiry import CRASH, OTHER, STATUS, Inquiry
from pulseweave.gather.record import SIZE, Event, State, decode

RING = 512  # records a node keeps
RENEW_S = 2.0  # how often we ask, at least
CREDIT = 200  # records after which we ask again
REPEAT_S = 0.3  # and not more often than that
STEP_MS = 1000  # what records and answers may disagree about the mesh's time
SPAN_MS = 600_000  # between the oldest record of a ring and its newest, at most
NONE = 1 << 29  # a first question that lets nothing leave
FRAME = struct.Struct(">H")
NUMBER = 77  # of our questions


def nothing(node: int, epoch: int) -> int:
    """Where no store remembers anything."""
    return 0


class Gateway:
    """`node`, `epoch` once it has answered; `next` the number we need next; `lost`, `garbage`, `restarts` counters."""

    def __init__(self, name: str, resume: Callable[[int, int], int] = nothing):
        self.name, self.resume = name, resume
        self.node = self.epoch = self.next = 0
        self.known = False
        self.run = (
            0  # which run of a simulation, whose nodes boot with the same epochs every time; 0 = real nodes
        )
        self._epochs: dict[int, int] = {}
        self.lost = self.garbage = self.restarts = self.taken = 0
        self.mesh_ms, self.mesh_at_s = 0, 0.0  # the node's mesh time, and ours, of its last answer
        self._then = 0  # the number of the first record after that
        self.trouble = ""  # what the node says it cannot do
        self.inquiry: Inquiry | None = None  # where somebody wants to know who is who
        self._asked_s, self._asked, self._again = -1e9, 0, False
        self._line()

    def _line(self) -> None:
        self._receiver, self._answers = link.Receiver(), link.Answers()

    def lost_line(self) -> None:
        """The line was closed: what was half received is void, the node is asked anew."""
        self._line()
        self.known = False
        self._asked_s = -1e9

    def wants(self, now_s: float) -> bytes:
        """What to write to the node now."""
        late = now_s - self._asked_s
        if late < REPEAT_S or not (self._again or late >= RENEW_S or self.next - self._asked >= CREDIT):
            return self.inquiry.wants(self.node, now_s) if self.inquiry and self.known else b""
        self._asked_s, self._again, self._asked = now_s, False, self.next
        return link.command(NUMBER, f"gateway {self.next if self.known else NONE}")

    def feed(self, data: bytes, now_s: float) -> Iterator[State | Event]:
        """Packets that are new, in order."""
        for item in self._receiver.feed(data):
            if isinstance(item, link.Text):
                continue
            answer = self._answers.feed(item)  # hears of every frame: a lost one spoils an answer under way
            if item.kind == link.GATEWAY:
                if (packet := self._record(item.payload, now_s)) is not None:
                    yield packet
            elif answer and answer[:2] == (link.ANSWER, NUMBER):
                self._answer(link.document(answer[2]), now_s)
            elif answer and self.inquiry and self.known and answer[1] in (OTHER, STATUS, CRASH):
                self.inquiry.answer(answer[1], self.node, link.document(answer[2]))

    def when(self, packet: State | Event) -> float:
        """Our time, in s, at which a packet was right."""
        return self.mesh_at_s + self._since(packet.mesh_ms) / 1000

    def _since(self, ms: int) -> int:
        return ((ms - self.mesh_ms) & 0x3FFFFFFF ^ 0x20000000) - 0x20000000

    def _clock(self, ms: int, now_s: float) -> None:
        """The mesh time of a record that comes now: where it cannot be, the node's clock has stepped (it met the room)."""
        low, high = -SPAN_MS, STEP_MS
        if self.next >= self._then:  # it was heard after the answer
            low, high = -STEP_MS, (now_s - self.mesh_at_s) * 1000 + STEP_MS
        if not low <= self._since(ms) <= high:
            self.mesh_ms, self.mesh_at_s, self._then = ms, now_s, self.next

    def _answer(self, d, now_s: float) -> None:
        if not isinstance(d, dict) or not all(
            isinstance(d.get(k), int) for k in ("node", "epoch", "next", "mesh_ms")
        ):
            self.trouble = str(d.get("error", d) if isinstance(d, dict) else d)[:100]
            return
        self.trouble = ""
        self.mesh_ms, self.mesh_at_s, self._then = d["mesh_ms"], now_s, d["next"]
        came = d["node"], d["epoch"] | self.run << 30
        same = came == (self.node, self.epoch)
        if not (self.known and same):
            kept = self.resume(*came)  # which may raise: then this is still the node from before
            self.restarts += self.known
            self.next = max(kept, self.next if same else 0)
            self.node, self.epoch, self.known = *came, True
            if self.inquiry:
                self.inquiry.begin()
            self._again, self._asked_s = True, -1e9
        first = d["next"] - RING
        if first > self.next:  # gone for good
            self.lost += first - self.next
            self.next = first
        elif self.next > d["next"]:
            self.next = d[
                "next"
            ]  # a store that remembers more than the node has ever said: numbers began again

    def _record(self, payload: bytes, now_s: float) -> State | Event | None:
        if len(payload) != FRAME.size + SIZE or not self.known:
            self.garbage += len(payload) != FRAME.size + SIZE
            return None
        (low,) = FRAME.unpack_from(payload)
        ahead = ((low - self.next) & 0xFFFF ^ 0x8000) - 0x8000
        if ahead:
            self._again |= ahead > 0  # a gap: once more from there; behind: we have it
            return None
        self._clock(int.from_bytes(payload[FRAME.size : FRAME.size + 4]), now_s)
        self.next += 1
        packet = decode(payload[FRAME.size :])
        if packet is None:
            self.garbage += 1
            return None
        self.taken += 1
        if self.inquiry:
            self.inquiry.heard(packet)
        if packet.node == self.node and not packet.epoch:
            return packet._replace(epoch=self.epoch & 255 | self.run << 8)
        if self.run:
            byte = packet.epoch or self._epochs.get(packet.node, 1)
            self._epochs[packet.node] = byte
            return packet._replace(epoch=byte | self.run << 8)
        return packet

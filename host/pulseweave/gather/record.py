"""A record: what a gateway node heard, 16 bytes on the wire, and what of it may be kept.

In: records of the gateway stream (device/weave/console/README.md). Out: `State` and `Event`: quantised affect of a visitor
with its confidence, damping, flags; the head of an event. There is no field for anything a sensor delivers, and of an event
only those bytes are taken that say nothing of a body.
"""

import struct
from typing import NamedTuple

RECORD = struct.Struct(">IHH6sBB")
SIZE = RECORD.size
EVENT = 255  # in place of -RSSI
AGE_MS = 250
TOUCHED, SAFE, LIMITED, FAULT = 1, 2, 4, 8  # flags of a state: device/weave/node.py
KINDS = {1: "scene", 2: "policy", 3: "config", 4: "identify", 5: "alarm", 6: "ping", 7: "visitor"}
TELLING = (1, 2, 4, 5, 6)  # kinds whose data say nothing of a visitor


class State(NamedTuple):
    """One version of what a node shares. Values 0..255 stand for 0..1; `mesh_ms` when the values were right."""

    node: int
    serial: int  # low 16 bits of the version
    epoch: int  # low byte of the node's epoch, 0 = unknown (simulated nodes: and the run's number)
    mesh_ms: int
    arousal: int
    fast: int
    confidence: int
    g: int
    flags: int
    rssi: int  # dBm at the gateway, 0 = not in earshot


class Event(NamedTuple):
    """Something told to everybody; `data` has at most two bytes."""

    node: int
    serial: int  # low 16 bits of the origin's sequence number
    epoch: int
    mesh_ms: int
    kind: int
    data: bytes


def decode(record: bytes) -> State | Event | None:
    """A record, or None where its numbers cannot be: nobody has id 0 or 65535."""
    ms, node, serial, body, last, epoch = RECORD.unpack(record)
    if not 0 < node < 65535 or ms >> 30:
        return None
    if last == EVENT:
        kind, n = body[0], body[1]
        if not 0 < kind < 16:
            return None
        return Event(node, serial, epoch, ms, kind, body[2 : 2 + min(n, 2)] if kind in TELLING else b"")
    arousal, fast, confidence, g, flags, age = body
    if last > 127:
        return None
    if not flags & TOUCHED:  # nobody is there: nothing is known of anybody
        arousal = fast = confidence = 0
    made = (ms - age * AGE_MS) & 0x3FFFFFFF
    return State(node, serial, epoch, made, arousal, fast, confidence, g, flags, -last)


def encode(packet: State | Event, age: int = 0) -> bytes:
    """The 16 bytes of a packet, for tests and benchmarks; `age` in 250 ms."""
    if isinstance(packet, Event):
        body = bytes((packet.kind, len(packet.data))) + packet.data.ljust(4, b"\0")
        return RECORD.pack(packet.mesh_ms, packet.node, packet.serial, body, EVENT, packet.epoch)
    p = packet
    body = bytes((p.arousal, p.fast, p.confidence, p.g, p.flags, age))
    ms = (p.mesh_ms + age * AGE_MS) & 0x3FFFFFFF
    return RECORD.pack(ms, p.node, p.serial, body, -p.rssi, p.epoch)

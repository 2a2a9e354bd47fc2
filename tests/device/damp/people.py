"""Stand-ins around one node's damping: an estimate, the mesh's table of the room, the clock that drives them."""

from array import array

ONE = 4096
REST = 971  # what a visitor at rest reads


class Dice:
    """Random numbers below 2**16 that fit 31 bits (a 20-bit congruence)."""

    def __init__(self, seed):
        self.x = (seed * 7919 + 12345) & 0xFFFFF

    def below(self, n):
        self.x = (self.x * 1021 + 7) & 0xFFFFF
        return (self.x >> 4) * n >> 16


class Estimate:
    def __init__(self, rest=REST):
        self.rest = self.arousal = self.fast = rest
        self.confidence = self.fast_confidence = 200


class Table:
    def __init__(self, n, node=1, fast=REST):
        self.count = n
        self.node = array("H", [node] + [node + k for k in range(1, n)])
        self.arousal = array("H", [fast] * n)
        self.fast = array("H", [fast] * n)
        self.g = array("H", [0] * n)
        self.confidence = bytearray([200] * n)
        self.flags = bytearray(n)
        self.age = array("i", [0] * n)

    def say(self, fast):
        for i in range(self.count):
            self.fast[i] = fast


class Clock:
    """Drives a Damp; keeps the table's own row as node.py does."""

    def __init__(self, damp, affect, room):
        self.damp, self.affect, self.room = damp, affect, room
        self.now = 0
        self.contact = 1

    def run(self, ticks):
        d, a, r = self.damp, self.affect, self.room
        now = self.now
        for _ in range(ticks):
            r.fast[0] = d.fast if self.contact and not d.opted_out else 0
            r.confidence[0] = a.confidence if self.contact and not d.opted_out else 0
            r.g[0] = d.g
            d.step(now, a, self.contact, r)
            now = (now + 20) & 0x3FFFFFFF
        self.now = now

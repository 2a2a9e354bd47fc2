"""A room of real Damp objects, for a host that plays the visitors: damp_room.py NODES SEED LOSS LAW (unix port).

stdin:  per 0.1 s, NODES little-endian uint16: what each node's estimator says, Q12.
stdout: per 0.1 s, NODES + 2 uint16: the levels, node 0's damping and its measured gain (Q8).
Each node says its values once a second, at its own moment; each other node misses LOSS of 1024 of them.
LAW: `on` the law; `off` damping off; `level` the level law alone; a number: damping fixed at that Q12 value.
"""

import sys
from array import array

from weave.damp import Damp
from weave.damp.law import Law
from weave.fixed import log2_q8

REST = 971  # what a visitor at rest reads: -1.17 log-odds


class Estimate:
    """Stands where Affect stands."""

    def __init__(self):
        self.rest = self.arousal = self.fast = REST
        self.confidence = self.fast_confidence = 200


class LevelLaw(Law):
    """The level law alone, for comparison: it knows nothing but how high the room is."""

    def step(self, m, n, g, rho, above, strength):
        self.aim = self._compress(log2_q8(m if m > 82 else 82), above)


class Table:
    """Stands where the mesh's table stands; row 0 is the own node."""

    def __init__(self, n, node):
        self.count = n
        self.node = array("H", [node] + [k for k in range(1, n + 1) if k != node])
        self.arousal = array("H", [REST] * n)
        self.fast = array("H", [REST] * n)
        self.g = array("H", [0] * n)
        self.confidence = bytearray([200] * n)
        self.flags = bytearray(n)
        self.age = array("i", [0] * n)


class Room:
    """All nodes, one clock, a radio that loses."""

    def __init__(self, n, seed, loss, law):
        self.n = n
        self.loss = loss
        self.dice = seed * 7919 + 1
        self.law = law
        self.damps = [Damp(k + 1) for k in range(n)]
        self.tables = [Table(n, k + 1) for k in range(n)]
        self.estimates = [Estimate() for _ in range(n)]
        self.now = 0
        if law == "level":
            for d in self.damps:
                d.law = LevelLaw()
        if law == "off":
            for d in self.damps:
                d.policy(bytes((1, 1, 4, 0, 1, 236, 64, 0)), 0, 8)

    def chance(self):
        self.dice = (self.dice * 1103515245 + 12345) & 0x7FFFFFFF
        return self.dice >> 21

    def hear(self, said, tenth):
        for k in range(self.n):
            t = self.tables[k]
            t.fast[0] = t.arousal[0] = self.damps[k].fast
            t.g[0] = self.damps[k].g
            for i in range(1, self.n):
                t.age[i] += 100
        for k in range(tenth % 10, self.n, 10):
            for j in range(self.n):
                if j != k and self.chance() >= self.loss:
                    t = self.tables[j]
                    i = k + 1 if k < j else k
                    t.fast[i] = t.arousal[i] = self.damps[k].fast
                    t.g[i] = self.damps[k].g
                    t.age[i] = 0

    def tenth(self, said):
        """0.1 s: five ticks of every node."""
        for k in range(self.n):
            e = self.estimates[k]
            e.fast = e.arousal = said[k]
            d = self.damps[k]
            for i in range(5):
                d.step(self.now + 20 * i, e, 1, self.tables[k])
                if self.law not in ("on", "off", "level"):
                    d.g = d._aim = int(self.law)
        self.now += 100


def main():
    n, seed, loss = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    room = Room(n, seed, loss, sys.argv[4])
    said = array("H", [0] * n)
    out = array("H", [0] * (n + 2))
    tenth = 0
    while sys.stdin.buffer.readinto(said) == 2 * n:
        room.hear(said, tenth)
        room.tenth(said)
        for k in range(n):
            out[k] = room.damps[k].level
        out[n] = room.damps[0].g
        out[n + 1] = room.damps[0].gain_q8
        sys.stdout.buffer.write(out)
        tenth += 1


main()

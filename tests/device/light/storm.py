"""Storms over strands: random scenes, parameters, hearts, clocks, dropped frames and reboots; pixels to stdout.

storm.py SEED STRANDS TICKS REBOOTS CHANNELS: first a line `pixels channels budget...`, then per tick of 20 ms all wire
bytes (GRB or GRBW), and at the end a line with the number of things that happened. A third of the strands have a painter
who ignores the scenes and writes whatever it likes before the guard; a third have power budgets that bite.
"""

import sys

from room import Affect, Damp, Sense, Strand
from weave.light import Light, Site

N = 11
MASK = 0x3FFFFFFF
# in the guard's parameters: steps, swings, brightness, border and bend of the waves, clock and phases
PLACES = (3, 5, 145, 146, 147, 148, 149, 155, 13, 150, 153, 154)


class Dice:
    def __init__(self, seed):
        self.x = seed * 2654435761 % 0x7FFFFFFF or 1

    def __call__(self, n):
        x = self.x
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.x = x
        return (x >> 4) % n


class Swing:
    """A value that stays, flips or jumps."""

    def __init__(self, dice, low, high):
        self.dice, self.low, self.high = dice, low, high
        self.change()

    def change(self):
        d = self.dice
        self.a = self.low + d(self.high - self.low + 1)
        self.b = self.low if d(2) else self.high
        self.half = (0, 1, 2, 3, 5, 8, 12, 20, 25, 50)[d(10)]
        self.noisy = d(5) == 0

    def at(self, tick):
        if self.noisy:
            return self.low + self.dice(self.high - self.low + 1)
        if self.half and tick // self.half & 1:
            return self.b
        return self.a


class Stormy:
    """One strand and everything that may happen to it."""

    def __init__(self, k, dice, reboots, channels):
        self.dice = dice
        self.reboots = reboots
        self.wild = k % 3 == 1
        self.budget = (20000, 20000, 90, 20000, 40, 200)[k % 6]
        self.strand = Strand(N, channels)
        self.sense, self.affect, self.damp = Sense(), Affect(), Damp()
        self.site = Site(x=dice(20000), y=dice(20000), z=dice(3000), budget_ma=self.budget)
        self.now = dice(MASK)
        self.mesh = dice(MASK)
        self.clock = lambda now: self.mesh  # made once: a tick allocates nothing
        self.pause = 0
        self.happened = 0
        self.values = [Swing(dice, 0, 4096) for _ in range(6)] + [
            Swing(dice, -4096, 4096),
            Swing(dice, 0, 255),
        ]
        self.beat = Swing(dice, 0, 1)
        self.paint = [
            Swing(dice, 0, m)
            for m in (65535, 65535, 2000, 2000, 80, 32767, 32767, 100000, 16384, MASK, 65535, 65535)
        ]
        self.hue = Swing(dice, 0, 5)
        self.light = Light(self.strand, self.site)

    def wire(self, buf):
        """From now on the strand's bytes are these."""
        self.strand.buf = buf
        self.light = Light(self.strand, self.site)

    def event(self):
        d = self.dice
        self.happened += 1
        what = d(14)
        light = self.light
        if what < 5:
            self.values[d(8)].change()
        elif what == 5:
            at = (self.mesh + d(8000) - 3000) & MASK if d(4) else d(MASK)
            light.on_scene(bytes((d(8), d(40), d(256), d(256))), 0, 4, 1, at if d(5) else -1)
        elif what == 6:
            self.mesh = (self.mesh + (d(4000) - 2000 if d(2) else d(MASK))) & MASK
        elif what == 7:
            self.pause = d(40)
        elif what == 8:
            self.beat.change()
        elif what == 9:
            self.sense.contact = d(2)
        elif what == 10:
            self.damp.opted_out = d(4) == 0
            self.damp.guide = d(2) * d(256)
        elif what == 11:
            self.now = (self.now + d(2000) - 1000 if d(3) else d(MASK)) & MASK
        elif what == 12:
            light.on_echo(
                bytes((0x80, d(256), d(8), d(256), d(8), d(256), d(2), 62 + d(180), d(18))),
                0,
                9,
                1,
                self.mesh,
            )
        elif self.reboots:
            self.light = Light(self.strand, self.site)
        else:
            light.show_only(d(7), self.now, d(3000))
        for p in self.paint:
            if d(4) == 0:
                p.change()

    def tick(self, t):
        self.now = (self.now + 20) & MASK
        self.mesh = (self.mesh + 20) & MASK
        if self.dice(12) == 0:
            self.event()
        if self.pause:
            self.pause -= 1
            return
        if self.wild:
            if t & 1:
                guard = self.light.guard
                v = guard.v
                for i in range(len(PLACES)):
                    v[PLACES[i]] = self.paint[i].at(t)
                v[14] = 60000
                for side in (0, 4):
                    hue = 4 * self.hue.at(t)
                    for i in range(4):
                        v[137 + side + i] = v[113 + hue + i] if self.dice(50) else self.dice(65281)
                for i in range(128):
                    guard.ring[i] = v[148] & 1023
                guard.colour()
                guard.power()
                guard.show(self.now)
            return
        s, a, m = self.sense, self.affect, self.damp
        w = self.values
        m.level, m.own, m.collective = w[0].at(t), w[1].at(t), w[2].at(t)
        m.g, a.arousal = w[3].at(t), w[4].at(t)
        m.rho = w[5].at(t)
        a.valence, a.confidence = w[6].at(t), w[7].at(t)
        s.onset = (s.onset + self.beat.at(t)) & 0xFFFF
        self.light.step(self.now, self.clock, s, a, m)


def main(seed, strands, ticks, reboots, channels):
    dice = Dice(seed)
    storms = [Stormy(k, dice, reboots, channels) for k in range(strands)]
    # all strands in one buffer, written at once
    size = channels * N
    wire = bytearray(size * strands)
    for k in range(strands):
        storms[k].wire(memoryview(wire)[size * k : size * (k + 1)])
    out = sys.stdout.buffer
    out.write("%d %d %s\n" % (N, channels, " ".join(str(s.budget) for s in storms)))
    for t in range(ticks):
        for s in storms:
            s.tick(t)
        out.write(wire)
    out.write("%d\n" % sum(s.happened for s in storms))


main(*(int(a) for a in sys.argv[1:6]))

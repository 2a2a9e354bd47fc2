"""Runs under MicroPython: one frame of light by the firmware, and of the same scene written the usual way.

frames.py FRAMES PIXELS... PATHS: JSON {pixels: [us of ours, us of the usual, bytes allocated by ours, by the usual]}; a
frame of ours is two ticks (one prepares, one renders).
"""

import gc
import json
import sys

frames, pixels = int(sys.argv[1]), [int(n) for n in sys.argv[2].split(",")]
sys.path[:] = sys.argv[3:] + sys.path

from time import _real  # noqa: E402

from still import Still, Strand, clock  # noqa: E402
from usual import Hearth, play, strip  # noqa: E402
from weave.light import Light, Site  # noqa: E402

nanoseconds = _real.time_ns
BLOCK = 20


class Ours:
    """The firmware's light, with `frame(k)`."""

    def __init__(self, n):
        self.light = Light(Strand(n, (1, 0, 2)), Site(budget_ma=20000))
        self.visitor = Still(2048)
        self.visitor.valence = 1200

    def frame(self, k):
        if k % 21 == 0:
            self.visitor.onset += 1
        now = 40 * k
        v = self.visitor
        self.light.step(now, clock, v, v, v)
        self.light.step(now + 20, clock, v, v, v)


class Usual:
    """The same scene with floats."""

    def __init__(self, n):
        self.hearth = Hearth(strip(n))

    def frame(self, k):
        play(self.hearth, k)


class Nothing:
    def __init__(self, n):
        pass

    def frame(self, k):
        pass


def measured(what):
    """(us, bytes left on the heap) a frame: the median of blocks, as the clock's steps are coarse; collections count."""
    for k in range(100):
        what.frame(k)
    taken = []
    for block in range(frames // BLOCK):
        t = nanoseconds()
        for k in range(block * BLOCK, block * BLOCK + BLOCK):
            what.frame(k)
        taken.append(nanoseconds() - t)
    gc.collect()
    before = gc.mem_alloc()
    what.frame(7)
    left = gc.mem_alloc() - before
    return sorted(taken)[len(taken) // 2] / 1000 / BLOCK, left


out = {}
for n in pixels:
    nothing, a, b = measured(Nothing(n)), measured(Ours(n)), measured(Usual(n))
    out[n] = [a[0] - nothing[0], b[0] - nothing[0], a[1] - nothing[1], b[1] - nothing[1]]
print(json.dumps(out))

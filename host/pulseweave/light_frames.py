"""Runs in MicroPython: the device's own Light, rendering one scene for `pulseweave scene preview`.

light_frames.py SCENE STRANDS PIXELS SECONDS LEVEL BPM: 25 frames a second of RGB bytes, strand after strand, to stdout.
"""

import sys

from weave.light import Light, Site


class Strand:
    channels = 3
    order = (0, 1, 2)

    def __init__(self, n):
        self.n = n
        self.buf = bytearray(3 * n)

    def show(self):
        pass


class Visitor:
    """Sense, affect and damp in one: a calm visitor at `level`, touching."""

    onset = g = opted_out = valence = 0
    contact = 1
    confidence = 255
    rho = 1024

    def __init__(self, level, k):
        self.level = self.own = self.collective = self.arousal = level
        self.valence = (0, 2600, -2600)[k % 3]


def main(scene, strands, pixels, seconds, level, bpm):
    lights = [
        Light(Strand(pixels), Site(x=500 * k, dz=17 * pixels, budget_ma=20000, scene=scene))
        for k in range(strands)
    ]
    visitors = [Visitor(level, k) for k in range(strands)]
    out = sys.stdout.buffer
    for t in range((seconds + 4) * 50):
        for k in range(strands):
            if bpm and (t + 7 * k) % (3000 // bpm) == 0:
                visitors[k].onset += 1
            lights[k].step(20 * t, 20 * t, visitors[k], visitors[k], visitors[k])
            if t >= 200 and t % 2 == 0:
                out.write(lights[k].guard.out)


main(sys.argv[1], *(int(a) for a in sys.argv[2:7]))

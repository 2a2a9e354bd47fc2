"""Runs in MicroPython: the device's own Light, playing one scene on a few strands for `pulseweave scene preview`.

player.py SCENE STRANDS PIXELS LEVEL BPM: for every line on stdin one frame of RGB bytes, strand after strand, on stdout,
40 ms after the last. A line that names a scene cross-fades to it.
"""

import sys

from still import Still, Strand, clock
from weave.light import Light, Site

SETTLE = 200  # ticks before the first frame: colours and levels arrive
APART_MM = 700


def main(scene, strands, pixels, level, bpm):
    lights = [
        Light(Strand(pixels), Site(x=APART_MM * k, dz=33 * pixels, budget_ma=20000, scene=scene))
        for k in range(strands)
    ]
    visitors = [Still(level) for _ in range(strands)]
    for k in range(strands):
        visitors[k].valence = (0, 2600, -2600)[k % 3]
    out = sys.stdout.buffer
    t = 0
    while True:
        wanted = t >= SETTLE and t % 2 == 0
        if wanted:
            line = sys.stdin.readline()
            if not line:
                return
            if line.strip() in Light.names:
                for light in lights:
                    light.set_scene(Light.names.index(line.strip()), -1)
        now = 20 * t & 0x3FFFFFFF
        for k in range(strands):
            if bpm and (t + 7 * k) % (3000 // bpm) == 0:
                visitors[k].onset += 1
            lights[k].step(now, clock, visitors[k], visitors[k], visitors[k])
            if wanted:
                out.write(lights[k].guard.out)
        t += 1


main(sys.argv[1], *(int(a) for a in sys.argv[2:6]))

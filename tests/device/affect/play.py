"""Runs under MicroPython: plays one-second inputs to `Affect` and prints what it says, a line a second.

play.py FILE. FILE: lines of seven integers: contact quality hr_q4 rmssd_q4 skin_ok g_ns scrs; an empty line starts a
new Affect. Lines out: arousal fast valence confidence fast_confidence valence_confidence.
"""

import sys

from weave.affect import Affect


class Inputs:
    """What `Affect` reads of a `Sense`."""

    contact = quality = hr_q4 = rmssd_q4 = skin_ok = g_ns = scrs = 0
    beats = beat_ms = ibi_q4 = 0


def main(path):
    inputs, now = Inputs(), 0
    affect = Affect(inputs)
    with open(path) as f:
        for line in f:
            words = line.split()
            if not words:
                inputs = Inputs()
                affect = Affect(inputs)
                continue
            i = inputs
            i.contact, i.quality, i.hr_q4, i.rmssd_q4, i.skin_ok, i.g_ns, i.scrs = [int(w) for w in words]
            for _ in range(50):
                now = (now + 20) & 0x3FFFFFFF
                affect.step(now)
            a = affect
            print(a.arousal, a.fast, a.valence, a.confidence, a.fast_confidence, a.valence_confidence)


main(sys.argv[1])

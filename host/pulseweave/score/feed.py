"""Runs under MicroPython: one file of converted samples in, what `Sense` and `Affect` made of them out, line by line.

feed.py FILE. FILE: 8 int32 (ticks, full, pulsatile, contact_min, contact_max, rate in mHz, pulse present, skin present),
then per tick of 20 ms one int32 pulse sample and one int32 skin sum (8 readings; -1 = none). Lines out:
  b beat_ms ibi_q4 quality gap                                      a beat decided since the last tick
  o now                                                   an onset (provisional, for the light)
  s now contact quality hr rmssd skin_ok g scl scrs scr          once a second
  a now arousal fast valence confidence fast_confidence valence_confidence visitor skin heart rmssd rise
    (once a second; the last four: deviations as the model used them, octaves x 1024)
"""

import sys
from array import array

from weave.affect import Affect
from weave.sense import Sense

TICK_MS = 20
CHUNK = 500


class Pulse:
    """The pulse sensor of a recording: one sample per tick."""

    fault = 0

    def __init__(self, head):
        _, self.full, pulsatile, self.contact_min, self.contact_max, self.rate_mhz, present, _ = head
        self.pulsatile = bool(pulsatile)
        self.n = 1 if present else 0
        self.samples = array("i", [0] * 32)

    def poll(self, now):
        return self.n


class Skin:
    """The skin sensor of a recording: the sum of 8 readings per tick, where there is one."""

    fault = 0
    oversample = 8

    def __init__(self):
        self.samples = array("i", [0])

    def poll(self, now):
        return 1 if self.samples[0] >= 0 else 0


def second(now, s, a):
    """The two lines of a second."""
    skin = (s.skin_ok, s.g_ns, s.scl_ns, s.scrs, s.scr_ns)
    print("s", now, s.contact, s.quality, s.hr_q4, s.rmssd_q4, *skin)
    deviations = [f.known(f.dev) for f in (a.skin, a.heart, a.rmssd)]
    deviations.append(a.skin.known(a.skin.rise))
    confidences = (a.confidence, a.fast_confidence, a.valence_confidence)
    print("a", now, a.arousal, a.fast, a.valence, *confidences, a.visitor, *deviations)


def main(path):
    with open(path, "rb") as f:
        head = array("i", f.read(32))
        pulse, skin = Pulse(head), Skin()
        sense = Sense(pulse, skin)
        affect = Affect(sense)
        beats = onset = 0
        now = 0
        chunk = bytearray(8 * CHUNK)
        while True:
            n = f.readinto(chunk)
            if not n:
                break
            rows = array("i", chunk)
            for i in range(0, n // 4, 2):
                now += TICK_MS
                pulse.samples[0] = rows[i]
                skin.samples[0] = rows[i + 1]
                sense.step(now)
                affect.step(now)
                if sense.beats != beats:
                    beats = sense.beats
                    s = sense
                    print("b", s.beat_ms, s.ibi_q4, s.quality, s.gap)
                if sense.onset != onset:
                    onset = sense.onset
                    print("o", now)
                if now % 1000 == 0:
                    second(now, sense, affect)


main(sys.argv[1])

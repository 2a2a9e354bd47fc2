"""Sensors with a hand on them, for device tests: they implement the driver's interface and nothing of the node's.

`Finger` makes a pulse wave of given intervals (systolic wave and dicrotic notch), as an analog sensor's counts or as
18-bit light that falls with blood; `Palm` makes readings of a Grove GSR for a conductance. Everything is exact and
seeded by nothing: disturbances are put in by the tests.
"""

import math
from array import array


def shape(phase, notch):
    """One pulse, 0..1, at a phase of 0..1 of the beat."""
    a = (phase - 0.16) / 0.07
    b = (phase - 0.42) / 0.09
    return (
        math.exp(-0.5 * a * a)
        + notch * math.exp(-0.5 * b * b)
        + 0.25 * math.exp(-3 * phase) * min(1, phase * 8)
    )


class Finger:
    """A pulse sensor. `intervals` are ms of the beats to come, the last one repeats; `level` is the wave at rest."""

    fault = 0
    rate_mhz = 50000

    def __init__(self, intervals, light=False, swing=1200, notch=0.35, strengths=(1,)):
        self.pulsatile = not light
        self.full = 262143 if light else 4095
        self.contact_min, self.contact_max = (50000, 262000) if light else (1000, 3000)
        self.samples = array("i", [0] * 32)
        self.intervals = list(intervals)
        self.strengths = strengths
        self.swing = swing
        self.notch = notch
        self.on = True
        self.t = 0.0  # ms
        self.start = 0.0
        self.beat = 0
        self.beats = []  # ms of the starts of beats
        self.add = 0
        self.period = 20.0

    def interval(self):
        return self.intervals[min(self.beat, len(self.intervals) - 1)]

    def value(self):
        """The next sample."""
        self.t += self.period
        while self.t - self.start >= self.interval():
            self.start += self.interval()
            self.beat += 1
            self.beats.append(self.start)
        strength = self.strengths[self.beat % len(self.strengths)]
        y = shape((self.t - self.start) / self.interval(), self.notch) * strength
        if not self.on:
            return 434 if self.pulsatile else 1500
        if self.pulsatile:
            x = 1700 + y * self.swing
        else:
            x = 100000 - y * self.swing
        return max(0, min(self.full, int(x + 0.5) + self.add))

    def poll(self, now):
        self.samples[0] = self.value()
        return 1


class Palm:
    """A skin sensor over a conductance `us`; None is no hand."""

    fault = 0
    oversample = 11

    def __init__(self, us=None):
        self.us = us
        self.samples = array("i", [0])

    def poll(self, now):
        a = 2048.0 if self.us is None else (100000 * 2048 - 4096 * self.us * 1000) / (100000 + 2000 * self.us)
        self.samples[0] = max(0, min(4095 * 11, int(a * 11 + 0.5)))
        return 1


def run(sense, ms, now=0, each=None):
    """Step `sense` for ms, calling each(now) after every tick; returns the time reached."""
    for _ in range(ms // 20):
        now += 20
        sense.step(now)
        if each:
            each(now)
    return now

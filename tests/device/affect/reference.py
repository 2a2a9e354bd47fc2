"""The affect model in float64, after the metric's text (device/weave/affect/README.md), for tests only.

In: rows of contact, quality, hr_q4, rmssd_q4, skin_ok, g_ns, scrs (one a second). Out: rows of arousal, fast (0..1),
valence (-1..1), confidence, fast_confidence, valence_confidence (0..1). No integer, table or shift of the device is used.
"""

import math

import numpy as np
from pulseweave.score.weights import constants

LEARN, TRUST, CALM, FLOOR_NS, TREND, SETTLE, CAP = 60, 180, 205 / 1024, 200, 32, 82 / 1024, 0.25
FADE = 4 / 255


class Feature:
    """A quantity in octaves against its baseline."""

    def __init__(self, up, down):
        self.up, self.down = up, down
        self.age, self.value, self.base, self.trend = 0, 0.0, 0.0, 0.0
        self.fresh, self.dev, self.rise = 0.0, 0.0, 0.0

    def miss(self):
        self.rise = 0.0
        self.fresh = max(0.0, self.fresh - FADE)

    def take(self, v, calm):
        if self.age == 0:
            self.value = self.base = self.trend = v
        self.value += (v - self.value) / 2
        self.trend += (self.value - self.trend) / TREND
        if self.age < LEARN:
            self.age += 1
            self.base += (v - self.base) / self.age
        elif calm:
            off = self.trend - self.base
            self.base += off / (self.up if off > 0 else self.down)
        self.fresh = 1.0
        self.dev = min(1.0, max(-1.0, self.value - self.base))
        self.rise = min(1.0, max(-1.0, self.value - self.trend))


def logistic(z):
    return 1 / (1 + math.exp(-z))


def affect(rows: np.ndarray) -> np.ndarray:
    """float64[n, 6] for int[n, 7]."""
    w = {k: v / 1024 for k, v in constants().items()}
    rest = logistic(w["BIAS"])
    out, skin = np.zeros((len(rows), 6)), None
    for k, (contact, quality, hr, rmssd_q4, ok, g, scrs) in enumerate(rows.tolist()):
        if not contact or skin is None:
            skin, heart, rmssd = Feature(900, 900), Feature(1800, 128), Feature(1800, 1800)
            answers, seen, calm = 4, scrs, True
            if not contact:
                continue
        if ok:
            skin.take(math.log2(g + FLOOR_NS), calm)
        else:
            skin.miss()
        if quality >= TRUST and hr:
            heart.take(math.log2(hr), calm)
        else:
            heart.miss()
        if quality >= TRUST and rmssd_q4:
            rmssd.take(math.log2(rmssd_q4 + 16), calm)
        else:
            rmssd.miss()
        if scrs != seen:
            answers = 5
        trust = (skin.fresh * answers + heart.fresh * 3) / 8 * max(skin.age, heart.age) / LEARN
        s, h, r = skin.dev * skin.fresh, heart.dev * heart.fresh, rmssd.dev * rmssd.fresh
        rise = skin.rise * skin.fresh
        onset = max(0.0, rise - SETTLE)
        held = max(0.0, s + 4 * min(rise, 0.0) - SETTLE)
        z = w["BIAS"] + w["SKIN"] * s + w["HEART"] * h + w["RMSSD"] * r + w["RISE"] * rise
        slow = logistic(z)
        fast = logistic(w["BIAS"] + w["HEART"] * h + w["SKIN"] * held / 2)
        calm = h + onset < CALM
        valence = min(CAP, max(-CAP, (r - h) * trust / 4))
        out[k] = (
            rest + (slow - rest) * trust,
            rest + (fast - rest) * trust,
            valence,
            trust * max(slow, 1 - slow),
            trust,
            trust * rmssd.fresh / 4,
        )
    return out

"""The affect model in float64, after the metric's text (device/weave/affect/README.md), for tests only.

In: rows of contact, quality, hr_q4, rmssd_q4, skin_ok, g_ns, scrs (one a second). Out: rows of arousal, fast (0..1),
valence (-1..1), confidence, fast_confidence, valence_confidence (0..1). No integer, table or shift of the device is used.
"""

import math

import numpy as np
from pulseweave.score.weights import constants

LEARN, TRUST, CALM, FLOOR_NS, ALIVE_S, CAP = 60, 150, 154 / 1024, 200, 180, 0.25
FADE = 4 / 255


class Feature:
    """A quantity in octaves against its baseline."""

    def __init__(self, drift, smooth):
        self.drift, self.smooth = drift, smooth
        self.age, self.value, self.base, self.fresh, self.dev, self.now = 0, 0.0, 0.0, 0.0, 0.0, 0.0

    def miss(self):
        self.fresh = max(0.0, self.fresh - FADE)

    def take(self, v, calm):
        if self.age == 0:
            self.value = self.base = v
        self.value += (v - self.value) * self.smooth
        if self.age < LEARN:
            self.age += 1
            self.base += (v - self.base) / self.age
        elif calm:
            self.base += (v - self.base) / self.drift
        self.fresh = 1.0
        self.dev = min(1.0, max(-1.0, self.value - self.base))
        self.now = min(1.0, max(-1.0, v - self.base))


def logistic(z):
    return 1 / (1 + math.exp(-z))


def affect(rows: np.ndarray) -> np.ndarray:
    """float64[n, 6] for int[n, 7]."""
    w = {k: v / 1024 for k, v in constants().items()}
    rest = logistic(w["BIAS"])
    out, skin = np.zeros((len(rows), 6)), None
    for k, (contact, quality, hr, rmssd_q4, ok, g, scrs) in enumerate(rows.tolist()):
        if not contact or skin is None:
            skin, heart, rmssd = Feature(900, 0.5), Feature(1800, 1 / 16), Feature(1800, 1.0)
            alive, seen = 0, scrs
            if not contact:
                continue
        if ok:
            skin.take(math.log2(g + FLOOR_NS), True)
        else:
            skin.miss()
        if quality >= TRUST and hr:
            heart.take(math.log2(hr), heart.dev < CALM)
        else:
            heart.miss()
        if quality >= TRUST and rmssd_q4:
            rmssd.take(math.log2(rmssd_q4 + 16), heart.dev < CALM)
        else:
            rmssd.miss()
        alive = ALIVE_S if scrs != seen else max(0, alive - 1)
        seen = scrs
        mature = max(skin.age, heart.age) / LEARN
        trust = (skin.fresh * (5 if alive else 4) + heart.fresh * 3) / 8 * mature
        s, h, r = skin.dev * skin.fresh, heart.dev * heart.fresh, rmssd.dev * rmssd.fresh
        slow = logistic(w["BIAS"] + w["SKIN"] * s + w["HEART"] * h + w["RMSSD"] * r)
        fast = logistic(w["BIAS"] + w["SKIN"] * skin.now * skin.fresh + w["HEART"] * heart.now * heart.fresh)
        valence = min(CAP, max(-CAP, (r - h) * trust / 4))
        out[k] = (
            rest + (slow - rest) * trust,
            rest + (fast - rest) * trust,
            valence,
            trust,
            trust,
            trust * rmssd.fresh / 4,
        )
    return out

"""Affect: how aroused a visitor is against the visitor's own rest, once a second. The metric: README.md beside this.

In:  a `Sense`. Out: `arousal` (for people, a lag of about 10 s), `fast` (for damping, about 3 s) Q12; `valence` Q12
signed, a tint; three confidences 0..255; `visitor` a rotating 16-bit id, 0 = nobody.
The work of a second is spread over its 50 ticks: one feature per tick, then the sums. Nothing counts time but the
first minute, in which the baseline is learnt and confidence grows.
Integer bounds: deviations +-1024 (Q10), weights below 2**15 (Q10), sums below 2**28.
"""

from micropython import const

from .feature import LEARN, Feature, log2_q10
from .logistic import logistic
from .weights import BIAS, HEART, RMSSD, SKIN

_TICKS = const(50)
_TRUST = const(150)  # quality from which the heart is listened to
_CALM = const(154)  # deviation of the heart below which its baseline may drift: 0.15 octave
_VALENCE_CAP = const(1024)  # a quarter: a tint
_ROTATE_S = const(900)
_FLOOR_NS = const(200)  # added to conductance before its logarithm: noise of a dry hand is not arousal
_ALIVE_S = const(180)


class Affect:
    def __init__(self, sense):
        self.sense = sense
        self.skin = Feature(900, 1)
        self.heart = Feature(1800, 4)
        self.rmssd = Feature(1800, 0)
        self.rest = logistic(BIAS)  # what a visitor at rest reads
        self.phase = 0
        self.mix = 0x5EED
        self.clear()

    def clear(self):
        """Nobody: forget the visitor."""
        self.arousal = self.fast = self.valence = 0
        self.confidence = self.fast_confidence = self.valence_confidence = 0
        self.visitor = 0
        self.skin.clear()
        self.heart.clear()
        self.rmssd.clear()
        self.scrs = self.sense.scrs
        self.beats = self.sense.beats
        self.alive = 0  # seconds for which a skin response still vouches for the skin
        self.seconds = 0
        self.met = 0  # beats since touch, up to 8

    def step(self, now):
        """Once per tick."""
        sense = self.sense
        if not sense.contact:
            if self.met or self.visitor or self.confidence or self.skin.age:
                self.clear()
            self.beats = sense.beats
            self.scrs = sense.scrs
            return
        if sense.beats != self.beats:
            self.beats = sense.beats
            self.meet()
        phase = self.phase + 1
        if phase >= _TICKS:
            phase = 0
        self.phase = phase
        if phase == 5:
            if sense.skin_ok:
                self.skin.take(log2_q10(sense.g_ns + _FLOOR_NS), 1)
            else:
                self.skin.miss()
        elif phase == 10:
            if sense.quality >= _TRUST and sense.hr_q4:
                heart = self.heart
                heart.take(log2_q10(sense.hr_q4), heart.dev < _CALM)
            else:
                self.heart.miss()
        elif phase == 20:
            if sense.quality >= _TRUST and sense.rmssd_q4:
                self.rmssd.take(log2_q10(sense.rmssd_q4 + 16), self.heart.dev < _CALM)
            else:
                self.rmssd.miss()
        elif phase == 40:
            self.judge()

    def meet(self):
        """A beat: its timing stirs the visitor's id, which holds for a quarter of an hour."""
        sense = self.sense
        self.mix = ((self.mix ^ ((sense.beat_ms ^ sense.ibi_q4) & 0xFFFF)) * 12829 + 13849) & 0xFFFF
        if self.met < 4:
            self.met += 1
        if self.met == 4 and (self.visitor == 0 or self.seconds >= _ROTATE_S):
            self.visitor = self.mix or 1
            self.seconds = 0

    def judge(self):
        """Deviations to arousal; what is not known counts as rest, and little trust draws towards rest."""
        skin = self.skin
        heart = self.heart
        rmssd = self.rmssd
        s = (skin.dev * skin.fresh) // 255
        h = (heart.dev * heart.fresh) // 255
        z = BIAS * 1024 + SKIN * s + HEART * h
        z += RMSSD * ((rmssd.dev * rmssd.fresh) // 255)
        # trust: what is known x how well the baseline is; a skin that never responds tells less
        sense = self.sense
        if sense.scrs != self.scrs:
            self.scrs = sense.scrs
            self.alive = _ALIVE_S
        elif self.alive:
            self.alive -= 1
        self.seconds += 1
        mature = skin.age if skin.age > heart.age else heart.age
        known = (skin.fresh * (5 if self.alive else 4) + heart.fresh * 3) >> 3
        trust = known * mature // LEARN
        self.confidence = trust
        self.arousal = self.rest + (((logistic(z >> 10) - self.rest) * trust) // 255)
        z = BIAS * 1024 + SKIN * ((skin.now * skin.fresh) // 255) + HEART * ((heart.now * heart.fresh) // 255)
        self.fast_confidence = trust
        self.fast = self.rest + (((logistic(z >> 10) - self.rest) * trust) // 255)
        # valence: a calm heart with much variability tends to be pleasant (weak, and said so)
        v = ((rmssd.dev * rmssd.fresh) // 255) - h
        v = v * trust // 255
        self.valence = _VALENCE_CAP if v > _VALENCE_CAP else -_VALENCE_CAP if v < -_VALENCE_CAP else v
        self.valence_confidence = trust * rmssd.fresh // 1020

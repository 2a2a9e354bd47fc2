"""Affect: how aroused a visitor is against the visitor's own rest, once a second. The metric: README.md beside this.

In:  a `Sense`. Out: `arousal` (for people), `fast` (for damping: follows within seconds and comes back to rest) Q12;
`valence` Q12 signed, a tint; three confidences 0..255; `visitor` a rotating 16-bit id, 0 = nobody.
The work of a second is spread over its 50 ticks: one feature per tick, then the sums. Nothing counts time but the
first minute, in which the baseline is learnt and confidence grows.
Integer bounds: deviations +-1024 (Q10), weights below 2**15 (Q10), sums below 2**28.
"""

from .curve import log2_q10, logistic
from .feature import LEARN, Feature
from .weights import BIAS, HEART, RISE, RMSSD, SKIN

_TICKS = const(50)
_TRUST = const(180)  # quality from which the heart is listened to
_CALM = const(205)  # octaves of heart and onset together below which baselines drift: 0.2
_SETTLE = const(82)  # octaves in half a minute that are the electrodes': 0.08
_VALENCE_CAP = const(1024)  # a quarter: a tint
_ROTATE_S = const(900)
_FLOOR_NS = const(200)  # added to conductance before its logarithm: noise of a dry hand is not arousal


class Affect:
    def __init__(self, sense):
        self.sense = sense
        self.skin = Feature(900, 900)
        self.heart = Feature(1800, 128)  # who has just arrived finds rest on the way down
        self.rmssd = Feature(1800, 1800)
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
        self.answers = 4  # eighths that the skin counts for: 5 once it has responded
        self.calm = True
        self.seconds = 0
        self.met = 0  # beats since touch, up to 4

    def step(self, now):
        """Once per tick."""
        sense = self.sense
        if not sense.contact:
            if self.met or self.arousal or self.skin.age:
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
            self.feel(self.skin, sense.skin_ok and sense.g_ns + _FLOOR_NS)
        elif phase == 10:
            self.feel(self.heart, sense.quality >= _TRUST and sense.hr_q4)
        elif phase == 20:
            self.feel(self.rmssd, sense.quality >= _TRUST and sense.rmssd_q4 and sense.rmssd_q4 + 16)
        elif phase == 40:
            self.judge()

    def feel(self, feature, v):
        """A second of one quantity, 0 = not measured."""
        if v:
            feature.take(log2_q10(v), self.calm)
        else:
            feature.miss()

    def meet(self):
        """A beat: its timing stirs the visitor's id, which holds for a quarter of an hour."""
        sense = self.sense
        self.mix = ((self.mix ^ ((sense.beat_ms ^ sense.ibi_q4) & 0xFFFF)) * 12829 + 13849) & 0xFFFF
        if self.met < 4:
            self.met += 1
        if self.met == 4 and (self.visitor == 0 or self.seconds >= _ROTATE_S):
            self.visitor = self.mix or 1
            self.seconds = 0

    def draw(self, p, trust):
        """A probability as far as it is known: little trust draws it towards rest."""
        return self.rest + (p - self.rest) * trust // 255

    def judge(self):
        """Deviations to arousal."""
        skin = self.skin
        heart = self.heart
        rmssd = self.rmssd
        h = heart.known(heart.dev)
        r = rmssd.known(rmssd.dev)
        rise = skin.known(skin.rise)
        s = skin.known(skin.dev)
        # trust: what is known x how well the baseline is
        if self.sense.scrs != self.scrs:
            self.answers = 5
        self.seconds += 1
        trust = skin.age if skin.age > heart.age else heart.age
        trust = ((skin.fresh * self.answers + heart.fresh * 3) * trust + 4 * LEARN) // (8 * LEARN)
        self.fast_confidence = trust
        self.valence_confidence = trust * rmssd.fresh // 1020
        # valence: a calm heart with much variability tends to be pleasant (weak, and said so)
        v = (r - h) * trust // 255
        self.valence = _VALENCE_CAP if v > _VALENCE_CAP else -_VALENCE_CAP if v < -_VALENCE_CAP else v
        # electrodes settle: only a quicker rise than theirs is news
        self.calm = h + (rise - _SETTLE if rise > _SETTLE else 0) < _CALM
        # and skin recovers slowly: in `fast`, what is on its way back to rest does not count
        v = s - _SETTLE
        if rise < 0:
            v += rise << 2
        h *= HEART
        self.fast = self.draw(logistic(BIAS * 1024 + h + (SKIN * v >> 1 if v > 0 else 0) >> 10), trust)
        p = logistic(BIAS * 1024 + SKIN * s + h + RMSSD * r + RISE * rise >> 10)
        self.arousal = self.draw(p, trust)
        # stressed or not: how probable the likelier of the two is
        self.confidence = trust * (p if p > 2048 else 4096 - p) >> 12

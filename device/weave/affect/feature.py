"""Feature: one measured quantity against the visitor's own baseline.

In:  a value in octaves x 1024 (Q10), once a second, or nothing. Out: `dev`, its deviation from the baseline, Q10,
limited to +-1024; `fresh` 0..255 falling with seconds without a value; `age` seconds learnt, up to LEARN.
The baseline is the mean of the first LEARN values, then drifts by 1/`drift` of the deviation per second.
Integer bounds: baseline in Q10 << 13, |value| < 2**15: 2**28.
"""

from micropython import const

LEARN = const(60)
_LIMIT = const(1024)  # one octave
_C0 = const(866)
_C1 = const(326)
_STALE = const(4)  # `fresh` lost per second without a value


def log2_q10(v):
    """1024*log2(v) for an integer 1 <= v < 2**24, error < 3: log2(1+f) = f + f (1-f) (C0 - C1 f), in Q11."""
    n = 10
    while v >= 4096:
        v >>= 1
        n += 1
    while v < 2048:
        v <<= 1
        n -= 1
    f = v - 2048
    g = (f * (2048 - f)) >> 11
    return ((n + 1) << 10) + ((f + ((g * (_C0 - ((_C1 * f) >> 11))) >> 11) + 1) >> 1)


class Feature:
    def __init__(self, drift, smooth):
        self.drift = drift  # s
        self.smooth = smooth  # one-pole shift at 1 Hz
        self.clear()

    def clear(self):
        """Forget the visitor."""
        self.age = 0
        self.value_q6 = 0  # smoothed value, Q10 << 6
        self.base_q13 = 0
        self.dev = 0
        self.now = 0  # unsmoothed deviation, Q10
        self.fresh = 0

    def miss(self):
        """A second without a value: the last deviation fades into the baseline."""
        if self.fresh >= _STALE:
            self.fresh -= _STALE
        else:
            self.fresh = 0

    def take(self, v, calm):
        """A second with value v; the baseline drifts only where calm."""
        age = self.age
        if age == 0:
            self.value_q6 = v << 6
            self.base_q13 = v << 13
        self.value_q6 += ((v << 6) - self.value_q6) >> self.smooth
        off = (v << 13) - self.base_q13
        if age < LEARN:
            age += 1
            self.age = age
            self.base_q13 += off // age
        elif calm:
            self.base_q13 += off // self.drift
        self.fresh = 255
        base = self.base_q13 >> 13
        d = (self.value_q6 >> 6) - base
        self.dev = _LIMIT if d > _LIMIT else -_LIMIT if d < -_LIMIT else d
        d = v - base
        self.now = _LIMIT if d > _LIMIT else -_LIMIT if d < -_LIMIT else d

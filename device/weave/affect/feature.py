"""Feature: one measured quantity against the visitor's own baseline.

In:  a value in octaves x 1024 (Q10), once a second, or nothing. Out, Q10, limited to +-1024: `dev` deviation of the
smoothed value from the baseline, `rise` from its mean of 32 s; `fresh` 0..255 falling with seconds without a value;
`age` seconds learnt, up to LEARN.
The baseline is the mean of the first LEARN values, then follows that mean of 32 s, while calm: by 1/`up` of the way
per second where it is higher, by 1/`down` where it is lower.
Integer bounds: baseline in Q10 << 13, |value| < 2**15: 2**28.
"""

LEARN = const(60)
_LIMIT = const(1024)  # one octave
_STALE = const(4)  # `fresh` lost per second without a value


def limit(d):
    """d in 1/64 of Q10 to Q10 within an octave."""
    d = d + 32 >> 6
    return _LIMIT if d > _LIMIT else -_LIMIT if d < -_LIMIT else d


class Feature:
    def __init__(self, up, down):
        self.up = up  # s
        self.down = down
        self.clear()

    def clear(self):
        """Forget the visitor."""
        self.value = self.trend = 0  # smoothed value and its mean of 32 s, Q10 << 6
        self.base = 0  # Q10 << 13
        self.age = self.dev = self.rise = self.fresh = 0

    def known(self, d):
        """d as far as it is fresh: what is not known fades into rest."""
        return d * self.fresh // 255

    def miss(self):
        """A second without a value."""
        self.rise = 0
        fresh = self.fresh - _STALE
        self.fresh = fresh if fresh > 0 else 0

    def take(self, v, calm):
        """A second with value v; the baseline drifts only where calm."""
        v <<= 6
        age = self.age
        if not age:
            self.value = self.trend = v
            self.base = v << 7
        value = self.value + ((v - self.value) >> 1)
        self.value = value
        trend = self.trend
        trend += (value - trend) >> 5
        self.trend = trend
        if age < LEARN:
            age += 1
            self.age = age
            self.base += ((v << 7) - self.base) // age
        elif calm:
            v = (trend << 7) - self.base
            self.base += v // (self.up if v > 0 else self.down)
        self.fresh = 255
        self.dev = limit(value - (self.base >> 7))
        self.rise = limit(value - trend)

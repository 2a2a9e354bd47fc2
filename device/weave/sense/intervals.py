"""Intervals: what the last minute of beats says. In: intervals, ms x 16. Out: heart rate, RMSSD, who is to be trusted.

An interval is clean where it is 333..1500 ms and within 30 % of the median of the last five (accepted or not, so
that a true change is followed after three beats and one missed beat misleads nobody). `hr_q4` is the mean rate of
the last eight clean intervals, bpm x 16; `rmssd_q4` covers successive clean pairs of the last 60 s, ms x 16, 0 until
there are 20 (Task Force 1996). Integer bounds: differences in ms x 4 up to 1200, 128 squares 1.9e8.
"""

from array import array

from micropython import const

_PAIRS = const(128)
_SHORTEST = const(5328)  # 333 ms
_LONGEST = const(24000)  # 1500 ms
_WINDOW_S = const(60)
_ENOUGH = const(20)
_STEP = const(1200)  # a difference of 300 ms is no variability any more


def isqrt(v):
    """Integer square root of 0..2**30-1."""
    r = 0
    b = 1 << 28
    while b > v:
        b >>= 2
    while b:
        if v >= r + b:
            v -= r + b
            r = (r >> 1) + b
        else:
            r >>= 1
        b >>= 2
    return r


class Intervals:
    def __init__(self):
        self.recent = array("H", [0] * 5)
        self.row = array("H", [0] * 5)
        self.cleaned = array("H", [0] * 8)
        self.diffs = array("h", [0] * _PAIRS)
        self.times = array("H", [0] * _PAIRS)  # seconds, 16 bits
        self.clear()

    def clear(self):
        """Forget the visitor's rhythm."""
        self.n = 0  # intervals in `recent`, up to 5, then 5..9
        self.m = 0  # the same for `cleaned`
        self.sum = 0
        self.head = self.count = 0
        self.squares = 0
        self.before = 0  # last interval if it was clean, else 0
        self.median_q4 = self.hr_q4 = self.rmssd_q4 = 0

    def add(self, ibi_q4, t_s):
        """Take one interval ending at second t_s (16 bits); returns 1 where it is clean."""
        if not _SHORTEST <= ibi_q4 <= _LONGEST:
            self.before = 0
            return 0
        n = self.n
        self.recent[n % 5] = ibi_q4
        n += 1
        self.n = n if n < 10 else 5
        k = n if n < 5 else 5
        row = self.row
        for i in range(k):
            v = self.recent[i]
            j = i
            while j > 0 and row[j - 1] > v:
                row[j] = row[j - 1]
                j -= 1
            row[j] = v
        median = row[k >> 1]
        self.median_q4 = median
        off = ibi_q4 - median
        if off < 0:
            off = -off
        if off * 10 > median * 3:
            self.before = 0
            return 0
        m = self.m
        self.sum += ibi_q4 - (self.cleaned[m & 7] if m >= 8 else 0)
        self.cleaned[m & 7] = ibi_q4
        m += 1
        self.m = m if m < 16 else 8
        k = m if m < 8 else 8
        self.hr_q4 = (960000 * k) // (self.sum >> 4)
        if self.before:
            self.pair((ibi_q4 - self.before) >> 2, t_s)
        self.before = ibi_q4
        return 1

    def pair(self, d, t_s):
        """Take the difference of two successive clean intervals, ms x 4, into RMSSD."""
        if d > _STEP:
            d = _STEP
        elif d < -_STEP:
            d = -_STEP
        head = self.head
        count = self.count
        while count:
            i = (head - count) & 127
            if count < _PAIRS and (t_s - self.times[i]) & 0xFFFF < _WINDOW_S:
                break
            self.squares -= self.diffs[i] * self.diffs[i]
            count -= 1
        self.diffs[head] = d
        self.times[head] = t_s
        self.squares += d * d
        self.head = (head + 1) & 127
        count += 1
        self.count = count
        self.rmssd_q4 = isqrt((self.squares // count) << 4) if count >= _ENOUGH else 0

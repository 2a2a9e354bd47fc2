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


def median(values, row, n):
    """Upper median of the first n values, sorted into `row`."""
    for i in range(n):
        v = values[i]
        while i > 0 and row[i - 1] > v:
            row[i] = row[i - 1]
            i -= 1
        row[i] = v
    return row[n >> 1]


class Intervals:
    def __init__(self):
        self.last = array("H", [0] * 5)
        self.row = array("H", [0] * 5)
        self.clean = array("H", [0] * 8)
        self.diffs = array("h", [0] * _PAIRS)
        self.times = array("H", [0] * _PAIRS)  # seconds, 16 bits
        self.clear()

    def clear(self):
        """Forget the visitor's rhythm."""
        self.n = 0  # intervals told, the last five in `last` (31 bits: years of one touch)
        self.m = 0  # clean ones, the last eight in `clean`, and their sum
        self.sum = self.head = self.count = self.squares = 0
        self.before = 0  # last interval if it was clean, else 0
        self.median = self.hr_q4 = self.rmssd_q4 = 0

    def add(self, ibi_q4, t_s):
        """Take one interval ending at second t_s (16 bits); returns 1 where it is clean."""
        before = self.before
        self.before = 0
        if not _SHORTEST <= ibi_q4 <= _LONGEST:
            return 0
        n = self.n
        self.last[n % 5] = ibi_q4
        n += 1
        self.n = n
        middle = median(self.last, self.row, n if n < 5 else 5)
        self.median = middle
        if not -3 * middle <= (ibi_q4 - middle) * 10 <= 3 * middle:
            return 0
        self.before = ibi_q4
        n = self.m
        clean = self.clean
        total = self.sum + ibi_q4
        if n > 7:
            total -= clean[n & 7]
        clean[n & 7] = ibi_q4
        n += 1
        self.m = n
        self.sum = total
        self.hr_q4 = (960000 * (n if n < 8 else 8)) // (total >> 4)
        if before:
            self.pair((ibi_q4 - before) >> 2, t_s)
        return 1

    def pair(self, d, t_s):
        """Take the difference of two successive clean intervals, ms x 4, into RMSSD."""
        if d > _STEP:
            d = _STEP
        elif d < -_STEP:
            d = -_STEP
        head = self.head
        count = self.count
        diffs = self.diffs
        squares = self.squares + d * d
        while count:
            i = (head - count) & 127
            if count < _PAIRS and (t_s - self.times[i]) & 0xFFFF < _WINDOW_S:
                break
            squares -= diffs[i] * diffs[i]
            count -= 1
        diffs[head] = d
        self.times[head] = t_s
        self.squares = squares
        self.head = (head + 1) & 127
        count += 1
        self.count = count
        self.rmssd_q4 = isqrt((squares // count) << 4) if count >= _ENOUGH else 0

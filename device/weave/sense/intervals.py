"""Intervals: when exactly a beat was, and what the last minute of beats says.

`locate` - in: the ring of samples and the index of a steepest upslope. Out: the fiducial in 1/256 sample (`n` << 8
scale). The steepest upslope of the first difference is aligned with the running mean upslope of this visitor by
cross-correlation, with parabolic interpolation of the peak: on real recordings the interval error is 5 % below
that of the bare steepest slope. Until a template exists the steepest slope itself is interpolated.
Integer bounds: differences scaled to +-1024, products 2**20, sum of 19 products 2e7.

`add` - in: intervals, ms x 16. Out: heart rate, RMSSD, who is to be trusted.
An interval is clean where it is 333..1500 ms and within 30 % of the median of the last five (accepted or not, so
that a true change is followed after three beats and one missed beat misleads nobody). `hr_q4` is the mean rate of
the last eight clean intervals, bpm x 16; `rmssd_q4` covers successive clean pairs of the last 60 s, ms x 16, 0 until
there are 20 (Task Force 1996). Integer bounds: differences in ms x 4 up to 1200, 129 squares 1.9e8.
"""

from array import array

_PAIRS = const(128)
_SHORTEST = const(5328)  # 333 ms
_LONGEST = const(24000)  # 1500 ms
_WINDOW = const(59)  # x 1024 ms, which divides the clock's 2**30: 60 s
_ENOUGH = const(20)
_STEP = const(1200)  # a difference of 300 ms is no variability any more
_MASK = const(63)
_BEFORE = const(6)  # samples of the template before and after the steepest slope
_WIDTH = const(19)
_SHIFT = const(3)  # lags tried to either side
_START = const(10)  # _BEFORE + _SHIFT + 1: the steepest slope within the segment
_SEG = const(27)  # _WIDTH + 2 * _SHIFT, and one more at either end to interpolate


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


def vertex(row, i):
    """Offset of the vertex of the parabola through row[i-1], row[i], row[i+1], in 1/256; limited to +-1/2."""
    a = row[i - 1]
    c = row[i + 1]
    bend = 2 * row[i] - a - c
    if bend <= 0:
        return 0
    a = ((c - a) * 128) // bend
    return 128 if a > 128 else -128 if a < -128 else a


def steepest(row, i):
    """Index of the greatest of row[i-2..i+2]."""
    for k in range(i - 2, i + 3):
        if row[k] > row[i]:
            i = k
    return i


class Intervals:
    def __init__(self):
        self.template = array("i", [0] * _WIDTH)
        self.slopes = array("i", [0] * _SEG)
        self.corr = array("i", [0] * (2 * _SHIFT + 1))
        self.likeness = 0  # 0..255: correlation 0.5..1 of the last beat with the template
        self.last = array("H", [0] * 5)
        self.row = array("H", [0] * 5)
        self.clean = array("H", [0] * 8)
        self.diffs = array("h", [0] * _PAIRS)
        self.times = array("H", [0] * _PAIRS)  # seconds, 16 bits
        self.clear()

    def clear(self):
        """Forget the visitor's rhythm."""
        self.known = 0  # 0 no template, else the shift at which it learns
        self.n = 0  # intervals told, the last five in `last` (31 bits: years of one touch)
        self.m = 0  # clean ones, the last eight in `clean`, and their sum
        self.sum = self.head = self.count = self.squares = 0
        self.before = 0  # last interval if it was clean, else 0
        self.median = self.hr_q4 = self.rmssd_q4 = 0

    def locate(self, ring, peak: int) -> int:
        """The fiducial near sample `peak`, in 1/256 sample, masked to 28 bits."""
        row = self.slopes
        peak -= _START  # where the segment starts
        top: int = 1
        t: int = ring[(peak - 1) & _MASK]
        for i in range(_SEG):
            x: int = ring[(peak + i) & _MASK]
            v: int = x - t
            t = x
            row[i] = v
            if v < 0:
                v = -v
            if v > top:
                top = v
        for i in range(_SEG):
            row[i] = (row[i] << 10) // top
        template = self.template
        known: int = self.known  # the first beats weigh 1, 1/2, 1/4 ... then 1/16
        if known:
            corr = self.corr
            at: int = 0
            for k in range(2 * _SHIFT + 1):
                v = 0
                for i in range(_WIDTH):
                    v += template[i] * row[i + k + 1]
                if not k or v > top:
                    top = v
                    at = k
                corr[k] = v >> 6
            frac: int = vertex(corr, at) if 0 < at < 2 * _SHIFT else 0
            at += 1
            # the template may wander: what counts is its own steepest point
            top = steepest(template, _BEFORE)
            anchor: int = ((top - _BEFORE) << 8) + vertex(template, top)
        else:
            at = steepest(row, _START)
            frac = vertex(row, at)
            at -= _BEFORE
            anchor = 0
        peak += at + _BEFORE
        # where the template lies, the segment is compared and learnt, shifted by the fraction
        half = (1 << known) >> 1
        dot = ours = theirs = 0
        for i in range(_WIDTH):
            v = row[at]
            at += 1
            if frac >= 0:
                v += ((row[at] - v) * frac) >> 8
            else:
                v += ((v - row[at - 2]) * frac) >> 8
            t = template[i] if known else v
            dot += t * v
            ours += v * v
            theirs += t * t
            template[i] = t + ((v - t + half) >> known)
        norm: int = (isqrt(ours) * isqrt(theirs)) >> 7
        dot = ((dot >> 7) * 510) // norm - 255 if norm else 0
        self.likeness = 0 if dot < 0 else 255 if dot > 255 else dot
        if known < 4:
            self.known = known + 1
        # the difference row[i] lies half a sample before sample peak + i
        return (((peak & 0xFFFFF) << 8) - 128 + frac + anchor) & 0xFFFFFFF

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
            d = (ibi_q4 - before) >> 2
            if d > _STEP:
                d = _STEP
            elif d < -_STEP:
                d = -_STEP
            head = self.head  # RMSSD: the difference comes in, those of a minute ago go out
            count = self.count
            diffs = self.diffs
            squares = self.squares + d * d
            while count:
                i = (head - count) & 127
                if count < _PAIRS and (t_s - self.times[i]) & 0xFFFF < _WINDOW:
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
        return 1

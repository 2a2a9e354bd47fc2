"""Detector: samples of a pulse wave in, beats out, decided 0.35..0.55 s after the upslope.

In:  one sample per call at 50 Hz, any integer 0..262143, rising with blood volume.
Out: `peak` index of the sample before which the accepted upslope was steepest (see `n`), `strength` its height,
     `agreed` 1 where an independent detector saw exactly one pulse since the last beat, `onset` counts upslopes
     at once, for a light that beats with the heart (provisional: about one in fifty is taken back).

The slope is the difference of two neighbouring means of 4 samples (times 4), null at 12.5 and 25 Hz. A candidate is
a local maximum of the slope; it is a beat when no steeper one follows within 0.28 s (0.48 s where it is weaker than
usual), it comes no sooner than 5/8 of the usual interval after the last beat, and it reaches a quarter of the median
of the last strengths, less when a beat is overdue. A strong upslope in the middle of two intervals running says that
every second beat is being missed: the usual interval is halved. After Zong et al. 2003
(slope-sum function, refractory, decay). The witness is Elgendi et al. 2013, two moving averages, on the raw wave.

Integer bounds at 18 bits: slope 4 * 2**18, moving averages 33 * 5 * 2**18 = 4.3e7.
"""

from array import array

from .intervals import median

_RING = const(64)
_MASK = const(63)
_COUNT = const(0xFFFFF)  # sample counter, 20 bits: 5.8 h, compared by masked difference
_SOON = const(14)  # samples a candidate waits for a steeper one: as steep as usual,
_LATE = const(24)  # and less
_SHORT = const(12)  # refractory limits, samples: 0.24 s and 0.6 s
_LONG = const(30)
_FASTEST = const(16)  # shortest interval, samples (0.32 s)
_KEEP = const(8)  # strengths remembered
_FORGET = const(125)  # samples without a beat after which the level halves (2.5 s)


class Detector:
    def __init__(self, floor):
        self.floor = floor  # slopes below are noise of the converter
        self.ring = array("i", [0] * _RING)
        self.strengths = array("i", [0] * _KEEP)
        self.row = array("i", [0] * _KEEP)
        self.n = self.peak = self.onset = 0
        self.clear(0)

    def clear(self, x):
        """Forget the pulse; the wave starts at level x."""
        for i in range(_RING):
            self.ring[i] = x
        for i in range(_KEEP):
            self.strengths[i] = 0
        self.short = x * 5
        self.long = x * 33
        self.usual = 40  # usual interval, samples; set by the owner from cleaned intervals
        self.since = 999  # samples since the last beat's upslope
        self.quiet = 999  # samples since the last onset
        self.age = -1  # of the candidate in samples, -1 = none
        self.s = 0  # its height
        self.kept = 0  # beats, the strengths of the last 8 in `strengths` (31 bits: years of one touch)
        self.level = 0  # their median
        self.d = self.d2 = 0
        self.above = self.blocks = 0
        self.rival = 0  # where in the refractory a strong upslope was, samples after the last beat
        self.twice = 0  # intervals in a row with a strong upslope in their middle
        # 24 attributes: with 23 the table of names would be full, and every method call would search all of it
        self.strength = self.agreed = 0

    def push(self, x: int) -> int:
        """One sample; returns 1 when a beat has just been decided, 2 when the rate also proved to be twice as fast."""
        ring: ptr32 = self.ring  # pyright: ignore[reportAssignmentType] (viper: a pointer into it)
        n: int = (self.n + 1) & _COUNT
        self.n = n
        level: int = self.level
        # witness: is the mean of 0.1 s above the mean of 0.66 s?
        long = self.long + x - ring[(n - 33) & _MASK]
        self.long = long
        short = self.short + x - ring[(n - 5) & _MASK]
        self.short = short
        long = short * 33 - long * 5  # their difference, times 33
        if self.above:
            if long < 0:
                self.above = 0
        elif long > level << 2:
            self.above = 1
            self.blocks += 1
        # slope, centred 3.5 samples back
        d1: int = self.d
        d = d1 + x - 2 * ring[(n - 4) & _MASK] + ring[(n - 8) & _MASK]
        ring[n & _MASK] = x
        self.d = d
        since = self.since + 1
        self.since = since
        quiet = self.quiet + 1
        refractory = (self.usual * 5) >> 3
        if refractory < _SHORT:
            refractory = _SHORT
        elif refractory > _LONG:
            refractory = _LONG
        floor: int = self.floor
        if d > level >> 1 and d > floor and quiet > refractory and since > refractory:
            quiet = 0
            self.onset = (self.onset + 1) & 0xFFFF
        self.quiet = quiet
        d2: int = self.d2
        self.d2 = d1
        if since > _FORGET and not since & 31 and level:
            # silence: whatever set the level may have been a jolt
            for i in range(_KEEP):
                self.strengths[i] >>= 1
            level >>= 1
            self.level = level
        age: int = self.age
        if age >= 0:
            age += 1
            self.age = age
        if d1 > d2 and d1 >= d and d1 > floor:
            if since <= refractory:
                if d1 > level >> 1:
                    self.rival = since
            elif age < 0 or d1 > self.s:
                self.s = d1
                self.age = 1
                return 0
        if age < _SOON or age < _LATE and age < refractory and self.s < level - (level >> 3):
            return 0
        self.age = -1
        since -= age
        s: int = self.s
        need = level >> 2
        over = since - self.usual - (self.usual >> 2)
        if over > 40:
            over = 40
        if over > 0:  # overdue: ask for less, down to a fifth
            need -= (need * over) // 50
        if s < need:
            return 0
        self.since = age
        self.peak = (n - age) & _COUNT
        self.strength = s
        self.agreed = self.blocks == 1
        n = self.kept
        self.strengths[n & 7] = s
        n += 1
        self.kept = n
        self.level = median(self.strengths, self.row, n if n < _KEEP else _KEEP)
        half = since >> 1  # did a strong upslope come in the middle?
        off = self.rival - half
        twice = self.twice + 1
        if half < _FASTEST or not -(half >> 2) <= off <= half >> 2:
            twice = 0
        self.rival = self.blocks = self.twice = 0
        if twice > 1:
            self.usual = half
            return 2
        self.twice = twice
        return 1

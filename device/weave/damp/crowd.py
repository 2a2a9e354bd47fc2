"""The room, one visitor after the other: what the table of the mesh says about everybody, three rows a tick.

In:  the mesh's table (`fast` Q12, `confidence` 0..255, `g` Q12, `node`, `age` ms, `count`); row 0 is this node; what a
     visitor at rest reads, Q12.
Out: all arousal counted from rest as in `beyond`. After each round of 25 ticks (0.5 s): `mean` Q12 weighted by
     confidence, `weight` the sum of confidences, `visitors`, `others` (nodes we hear), `g` Q12 mean damping where
     visitors are, `spread` Q12 mean distance from the mean, `p90` Q12, `synchrony` Q12 0..1: |sum of changes| / sum of
     |changes| over 16 s, 1 = all move together.
A row counts once per node, while it is fresh, and only with a visitor (confidence > 0). At most 64 rows count.
Fresh: 5 s and 0.4 s per row of the table, because nodes whose values rest speak more rarely in a big room.
"""

from array import array

_SEATS = const(64)
_TTL_MS = const(5000)
_TTL_ROW_MS = const(400)
_PER_TICK = const(3)
_BINS = const(32)


_FULL = const(128)  # confidence that counts in full
_SLOPE = const(1868)
_BEND = const(692469)


def beyond(p: int) -> int:
    """Log-odds of an estimate p Q12, Q12: 4096 = 7. The estimate is a probability, squeezed at both ends by its logistic
    curve; log-odds are what body and sensors move in a straight line. (p-1/2)*(3.19 + 0.289/(p(1-p)+0.039)): error 0.024."""
    return (p - 2048) * (_SLOPE + _BEND // ((p * (4096 - p) >> 12) + 159)) >> 12


class Crowd:
    """Collective measures, collected without a burst of work: begin(rest), look(room) each tick, end()."""

    def __init__(self):
        self.mean = self.weight = self.visitors = 0
        self.g = self.spread = self.p90 = self.synchrony = 0
        self._slow = array("h", bytes(2 * _SEATS))  # each row's arousal 16 s behind
        self._bins = bytearray(_BINS)
        self.begin()

    def begin(self, rest=0):
        """Start a round; rest: `beyond` of an estimate at rest."""
        self.at = 0
        self.rest = rest
        self._sum = self._w = self._n = self._far = self._g = self._moved = self._path = 0

    def look(self, room) -> None:
        """The next rows."""
        i: int = self.at
        n: int = room.count
        ttl = _TTL_MS + n * _TTL_ROW_MS
        if ttl > 60000:
            ttl = 60000  # from there on a row is gone, see roster.py
        if n > _SEATS:
            n = _SEATS
        if i >= n:
            return
        end = i + _PER_TICK
        rest: int = self.rest
        if end > n:
            end = n
        while i < end:
            if room.age[i] < ttl:
                c: int = room.confidence[i]
                if c:
                    a = beyond(room.fast[i]) - rest
                    if a < 0:
                        a = 0
                    if c > _FULL:
                        c = _FULL
                    self._n += 1
                    self._w += c
                    self._sum += c * a
                    self._g += room.g[i]
                    d = a - self.mean
                    self._far += (d if d > 0 else -d) * c
                    d = a - self._slow[i]
                    self._slow[i] += (d + 16) >> 5
                    self._moved += d
                    self._path += d if d > 0 else -d
                    d = a >> 7
                    self._bins[d if d < _BINS else _BINS - 1] += 1
            i += 1
        self.at = i

    def end(self):
        """Close the round."""
        w = self._w
        n = self._n
        self.visitors = n
        self.weight = w
        if not n:
            self.mean = self.spread = self.p90 = self.g = self.synchrony = 0
            return
        self.mean = (self._sum + (w >> 1)) // w
        self.spread = self._far // w
        self.g = self._g // n
        d = self._moved
        self.synchrony = ((d if d > 0 else -d) << 12) // (self._path + 1)
        above = n // 10
        b = _BINS - 1
        while b and self._bins[b] <= above:
            above -= self._bins[b]
            b -= 1
        self.p90 = (b << 7) + 64
        b = 0
        while b < _BINS:
            self._bins[b] = 0
            b += 1

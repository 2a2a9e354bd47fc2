"""The room as one visitor after the other: what the table of the mesh says about everybody, three entries a tick.

In:  the mesh's table (arrays `fast` Q12, `confidence` 0..255, `node`, `age` ms since heard, and `count`).
Out: after each round of at most 25 ticks (0.5 s): `mean` Q12 confidence-weighted over visitors, `weight` the sum of
     confidences, `visitors`, `others` (fresh entries of other nodes), `spread` Q12 mean distance from the mean, `p90` Q12.
An entry counts once per node and while it is fresher than 5 s; a node without a visitor has confidence 0.
Entries beyond the first 64 of the table are left out: a cluster is never larger.
"""

from array import array

from micropython import const

SEATS = const(64)
TTL_MS = const(5000)
_PER_TICK = const(3)
_BINS = const(32)


class Crowd:
    """Collective measures of the room, collected without a burst of work."""

    def __init__(self, node):
        self.node = node
        self.mean = 0
        self.weight = 0
        self.visitors = 0
        self.others = 0
        self.spread = 0
        self.p90 = 0
        self.fresh = bytearray(SEATS)  # 1 where a seat holds a visitor who counts in this round
        self._bins = bytearray(_BINS)
        self._at = 0
        self._sum = self._w = self._n = self._far = self._others = 0

    def begin(self):
        """Start a round."""
        self._at = 0
        self._sum = self._w = self._n = self._far = self._others = 0

    def look(self, room):
        """The next three entries."""
        i = self._at
        n = room.count
        if n > SEATS:
            n = SEATS
        if i >= n:
            return
        end = i + _PER_TICK
        if end > n:
            end = n
        fast = room.fast
        confidence = room.confidence
        mean = self.mean
        while i < end:
            self.fresh[i] = 0
            if room.age[i] < TTL_MS:
                if room.node[i] != self.node:
                    self._others += 1
                c = confidence[i]
                if c > 0:
                    a = fast[i]
                    self.fresh[i] = 1
                    self._n += 1
                    self._w += c
                    self._sum += c * a
                    d = a - mean
                    self._far += (d if d > 0 else -d) * c
                    b = a >> 7
                    self._bins[b if b < _BINS else _BINS - 1] += 1
            i += 1
        self._at = i

    def end(self):
        """Close the round: the measures of the room."""
        w = self._w
        n = self._n
        self.visitors = n
        self.others = self._others
        self.weight = w
        if not w:
            self.mean = self.spread = self.p90 = 0
        else:
            self.mean = (self._sum + (w >> 1)) // w
            self.spread = self._far // w
            above = n - (n * 9 + 9) // 10  # visitors above the 90th percentile
            b = _BINS - 1
            while b > 0 and self._bins[b] <= above:
                above -= self._bins[b]
                b -= 1
            self.p90 = (b << 7) + 64
        b = 0
        while b < _BINS:
            self._bins[b] = 0
            b += 1

"""Events: told to everybody, by Trickle (RFC 6206): repeat at growing intervals, stay silent where k neighbours
already spoke.

In: sealed frames to pass on. Out: frames to send, one at a time. A slot keeps a frame as it was sealed; only its ttl falls.
Imin 30 ms, 6 doublings, k = 3. For LIFE_MS a slot wakes again when a neighbour's beacon shows that it missed the event.
"""

from array import array

from micropython import const

from .cmac import ALL
from .frame import diff, later

_IMIN = const(30)
_DOUBLINGS = const(6)
_K = const(3)
_RESTING = const(254)
_EMPTY = const(255)
_LIFE_MS = const(30000)
BLOCKS = (2, 4, 8, 14)  # payload blocks an event may have: the views that exist


class Events:
    """`slots` events on their way."""

    def __init__(self, slots):
        self.slots = slots
        # sequence number; local ms of arrival, of the interval's begin, of when to speak in it; origin
        self.seq, self.born, self._begin, self._at, self.origin = [
            array("i", bytes(4 * slots)) for _ in range(5)
        ]
        # word said and words heard in this interval, size of the frame, 1: the latest of a sticky kind, stays
        self._said, self._heard, self._size, self.pinned = [bytearray(slots) for _ in range(4)]
        self._k = bytearray(b"\xff" * slots)  # interval number, resting or empty
        self.frames = [bytearray(24 + 16 * BLOCKS[-1]) for _ in range(slots)]
        self._views = [[memoryview(f)[: 24 + 16 * p] for p in BLOCKS] for f in self.frames]
        self.active = 0
        self.newest = self.newer = -1  # the last two slots filled

    def find(self, origin, beat):
        """Slot of an event by the low 16 bits of its sequence number, -1 where it is not kept."""
        for s in range(self.slots):
            if self.seq[s] & 0xFFFF == beat and self.origin[s] == origin and self._k[s] != _EMPTY:
                return s
        return -1

    def keep(self, now, view, origin, seq, p, ttl):
        """Keep a sealed frame of p payload blocks and start to pass it on; the oldest makes room. Returns the slot."""
        s = 0
        age = -1
        for k in range(self.slots):
            if not self.pinned[k]:
                a = diff(now, self.born[k]) + 1
                if self._k[k] < _RESTING:
                    a >>= 4  # resting ones first
                elif self._k[k] == _EMPTY:
                    a = 0x1FFFFFFF
                if a > age:
                    age = a
                    s = k
        if self._k[s] < _RESTING:
            self.active -= 1
        size = BLOCKS.index(p)
        self._views[s][size][ALL] = view
        self.frames[s][3] = ttl
        self._size[s] = size
        self.origin[s] = origin
        self.seq[s] = seq
        self.born[s] = now
        self._k[s] = _RESTING
        self.newer = self.newest
        self.newest = s
        self.wake(s, now)
        return s

    def unpack(self, s, buf):
        """Copy the sealed frame of slot s into buf; returns its payload blocks."""
        f = self.frames[s]
        p = f[15]
        for k in range(24 + (p << 4)):
            buf[k] = f[k]
        return p

    def wake(self, s, now):
        """Speak (again) of a resting event that may still travel."""
        if self._k[s] == _RESTING and self.frames[s][3]:
            self.active += 1
            self._begin[s] = now
            self._plan(s, 0, 0)  # at once: the phases of the nodes' ticks spread the first words

    def _plan(self, s, k, wait):
        self._k[s] = k
        self._at[s] = later(self._begin[s], wait)
        self._said[s] = self._heard[s] = 0

    def hear(self, s):
        """The same event came from a neighbour."""
        if self._heard[s] < _K:
            self._heard[s] += 1

    def due(self, now, chance):
        """View of a frame to send now, or None. chance: 0..1023."""
        for s in range(self.slots):
            k = self._k[s]
            if k < _RESTING:
                if not self._said[s] and diff(now, self._at[s]) >= 0:
                    self._said[s] = 1
                    if self._heard[s] < _K:
                        return self._views[s][self._size[s]]
                wait = _IMIN << k
                if diff(now, self._begin[s]) >= wait:
                    if k == _DOUBLINGS - 1:
                        self._k[s] = _RESTING
                        self.active -= 1
                    else:
                        self._begin[s] = later(self._begin[s], wait)
                        self._plan(s, k + 1, wait + (wait * chance >> 10))
        return None

    def alive(self, s, now):
        """True where slot s holds an event young enough to be asked for."""
        return s >= 0 and self._k[s] != _EMPTY and diff(now, self.born[s]) < _LIFE_MS

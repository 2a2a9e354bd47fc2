"""Events: told to everybody, by Trickle (RFC 6206): repeat at growing intervals, stay silent where k neighbours
already spoke.

In: sealed frames to pass on. Out: frames to send, one at a time. A slot keeps a frame as it was sealed; only its ttl falls.
Imin 30 ms, 6 doublings, k = 3. For LIFE_MS a slot wakes again when a neighbour's beacon shows that it missed the event.
"""

from .frame import diff, fold, later

_IMIN = const(30)
_DOUBLINGS = const(6)
_K = const(3)
_SLOTS = const(6)
_RESTING = const(255)
_LIFE_MS = const(30000)
BLOCKS = (2, 4, 8, 14)  # payload blocks an event may have: the views that exist


def copy(to, frame):
    """Copy a whole sealed frame: cleared, and folded onto nothing."""
    n = 24 + (frame[15] << 4)
    fold(to, to, 0, to, n)
    fold(to, frame, 0, to, n)


class Events:
    """Six events on their way; each list has an item per slot, and one more."""

    def __init__(self):
        (
            self.origin,
            self.seq,  # low 16 bits of the sequence number
            self.pinned,  # 1: the latest of a sticky kind, stays
            self.born,  # mesh ms of its sealing: the same order everywhere
            self._came,  # local ms of arrival,
            self._begin,  # of the interval's begin,
            self._at,  # and of when to speak in it
            self._said,  # word said
            self._heard,  # and words heard in this interval
        ) = [[0] * (_SLOTS + 1) for _ in range(9)]  # the last is nobody's: what is not kept points there
        self._k = [_RESTING] * _SLOTS  # interval number; an empty slot rests, with origin 0 and ttl 0
        self.frames = [bytearray(24 + 16 * BLOCKS[-1]) for _ in range(_SLOTS)]
        self._views = [{p: memoryview(f)[: 24 + 16 * p] for p in BLOCKS} for f in self.frames]
        self.active = 0
        self.newest = self.newer = _SLOTS - 1  # the two born last: still empty

    def find(self, origin, beat):
        """Slot of an event by the low 16 bits of its sequence number, -1 where it is not kept."""
        for s in range(_SLOTS):
            if self.seq[s] == beat and self.origin[s] == origin:
                return s
        return -1

    def keep(self, now, frame, origin, seq, ttl, born):
        """Keep a sealed frame and start to pass it on; the oldest makes room. Returns the slot."""
        s = 0
        age = -1
        for k in range(_SLOTS):
            if not self.pinned[k]:
                a = (now - self._came[k]) & 0x3FFFFFFF
                if self._k[k] < _RESTING:
                    a >>= 4  # resting ones first
                if a > age:
                    age = a
                    s = k
        if self._k[s] < _RESTING:
            self.active -= 1
        copy(self.frames[s], frame)
        self.frames[s][3] = ttl
        self.origin[s] = origin
        self.seq[s] = seq & 0xFFFF
        self._came[s] = now
        self.born[s] = born
        self._k[s] = _RESTING
        a = b = _SLOTS
        for k in range(_SLOTS):
            if self.alive(k, now):
                if a == _SLOTS or diff(self.born[k], self.born[a]) > 0:
                    b = a
                    a = k
                elif b == _SLOTS or diff(self.born[k], self.born[b]) > 0:
                    b = k
        self.newest = a
        self.newer = b
        self.wake(s, now)
        return s

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
        for s in range(_SLOTS):
            k = self._k[s]
            if k < _RESTING:
                if not self._said[s] and diff(now, self._at[s]) >= 0:
                    self._said[s] = 1
                    if self._heard[s] < _K:
                        return self._views[s][self.frames[s][15]]
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
        return 0 <= diff(now, self._came[s]) < _LIFE_MS and self.origin[s]

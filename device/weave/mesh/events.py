"""Events: told to everybody, by Trickle (RFC 6206): repeat at growing intervals, stay silent where k neighbours
already spoke.

In: sealed frames to pass on. Out: frames to send, one at a time. A slot keeps the frame as it was sealed; only its
ttl falls.
Imin 30 ms, 6 doublings, k = 3. For LIFE_MS a slot wakes again when a neighbour's beacon shows that it missed the event.
"""

from array import array

from micropython import const

from weave.mesh.cmac import ALL
from weave.mesh.frame import later

_M = const(0x3FFFFFFF)
_H = const(0x20000000)
_IMIN = const(30)
_DOUBLINGS = const(6)
_K = const(3)
LIFE_MS = const(30000)
BLOCKS = (2, 4, 8, 14)  # payload blocks an event may have: the views that exist


def blocks_for(n):
    """Payload blocks for n bytes of payload, -1 where they are too many."""
    for p in BLOCKS:
        if n <= p << 4:
            return p
    return -1


class Events:
    """`slots` events on their way."""

    def __init__(self, slots):
        self.slots = slots
        self.origin = array("H", bytes(2 * slots))
        self.seq = array("i", bytes(4 * slots))
        self.born = array("i", bytes(4 * slots))  # local ms of arrival
        self._begin = array("i", bytes(4 * slots))  # of the interval
        self._at = array("i", bytes(4 * slots))  # when to speak in it
        self._k = bytearray(slots)  # interval number, 255 = resting, 254 = empty
        self._said = bytearray(slots)
        self._heard = bytearray(slots)
        self._size = bytearray(slots)
        self.frames = [bytearray(24 + 16 * BLOCKS[-1]) for _ in range(slots)]
        self._views = [[memoryview(f)[: 24 + 16 * p] for p in BLOCKS] for f in self.frames]
        self.pinned = bytearray(slots)  # 1: the latest of a sticky kind, stays
        self.active = 0
        for s in range(slots):
            self._k[s] = 254

    def find(self, origin, seq):
        """Slot of an event, -1 where it is not kept."""
        for s in range(self.slots):
            if self.seq[s] == seq and self.origin[s] == origin and self._k[s] != 254:
                return s
        return -1

    def keep(self, now, view, origin, seq, blocks, ttl, chance):
        """Keep a sealed frame of `blocks` payload blocks and start to pass it on; the oldest one makes room."""
        best = 0
        age = -1
        for s in range(self.slots):
            if self.pinned[s]:
                continue
            if self._k[s] == 254:
                best = s
                break
            a = (((now - self.born[s]) & _M) ^ _H) - _H
            if self._k[s] != 255:
                a >>= 4  # resting ones first
            if a > age:
                age = a
                best = s
        size = 0
        while BLOCKS[size] != blocks:
            size += 1
        s = best
        if self._k[s] < 254:
            self.active -= 1
        self._views[s][size][ALL] = view
        self.frames[s][3] = ttl
        self._size[s] = size
        self.origin[s] = origin
        self.seq[s] = seq
        self.born[s] = now & _M
        self._k[s] = 255
        if ttl:
            self._wake(s, now, chance)
        return s

    def unpack(self, s, buf):
        """Copy the sealed frame of slot s into buf; returns its payload blocks."""
        f = self.frames[s]
        p = BLOCKS[self._size[s]]
        for k in range(24 + (p << 4)):
            buf[k] = f[k]
        return p

    def _wake(self, s, now, chance):
        if self._k[s] == 255:
            self.active += 1
        self._k[s] = 0
        self._said[s] = 0
        self._heard[s] = 0
        self._begin[s] = now & _M
        self._at[s] = later(now, (_IMIN * chance) >> 10)

    def hear(self, s):
        """The same event came from a neighbour."""
        if self._heard[s] < 255:
            self._heard[s] += 1

    def missed(self, s, now, chance):
        """A neighbour lacks the event in slot s: speak again."""
        if self._k[s] == 255 and self.frames[s][3]:
            self._wake(s, now, chance)

    def due(self, now, chance):
        """View of a frame to send now, or None. chance: 0..1023."""
        if not self.active:
            return None
        for s in range(self.slots):
            k = self._k[s]
            if k >= 254:
                continue
            interval = _IMIN << k
            if not self._said[s] and ((((now - self._at[s]) & _M) ^ _H) - _H) >= 0:
                self._said[s] = 1
                if self._heard[s] < _K:
                    return self._views[s][self._size[s]]
            if ((((now - self._begin[s]) & _M) ^ _H) - _H) >= interval:
                k += 1
                if k >= _DOUBLINGS:
                    self._k[s] = 255
                    self.active -= 1
                    continue
                self._k[s] = k
                self._begin[s] = later(self._begin[s], interval)
                interval <<= 1
                self._at[s] = later(self._begin[s], (interval >> 1) + (((interval >> 1) * chance) >> 10))
                self._said[s] = 0
                self._heard[s] = 0
        return None

    def alive(self, s, now):
        """True where slot s holds an event young enough to be asked for."""
        return self._k[s] != 254 and ((((now - self.born[s]) & _M) ^ _H) - _H) < LIFE_MS

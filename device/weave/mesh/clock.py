"""Mesh time: one clock for the room, from timestamps that neighbours took of the same frame.

In:  local ms of received frames; in beacons: the root a neighbour follows, and when (in mesh ms) it heard which frame
of whom.
Out: `time(now)` mesh ms, 30 bits; `synced`.
Two nodes that heard the same broadcast heard it at the same moment (reference broadcast synchronisation, Elson 2002):
what the sender's queue and the channel access added drops out. Where no third node is heard, the sender's own time of
completion of its previous frame serves (FTSP, Maroti 2004, with a delayed timestamp).
The root is the lowest id that is known to be alive: it stamps each beacon with a rising counter; a stamp that stops
rising for
ROOT_MS is a dead root. A node becomes root only after it follows the mesh's time, so that time goes on without a step.
A sample beyond STEP_MS steps the clock, but only when SURE samples in a row agree; below, a loop filter slews offset
and rate.
Formats: offset in 1/256 ms modulo 2**30 ms, rate in 2**-20 (about 1 ppm), ms in 30 bits.
"""

from .frame import diff, later

_M = const(0x3FFFFFFF)
_H = const(0x20000000)
_ROOT_MS = const(6000)
_WAIT_MS = const(3000)  # a new node listens this long before it may call itself root
_REIGN_MS = const(8000)  # and follows this long before it takes over from a higher id
_STEP = const(12800)  # 50 ms
_SURE = const(3)
_WORD_MS = const(5000)
_ECHO_MS = const(60000)  # by then nobody names a dead root any more: it may come back with lower stamps
_RATE_MAX = const(200)
_FAR = const(254)


class Clock:
    """Follows the root's time; `node` is the own id, `epoch` the own boot number."""

    def __init__(self, node, epoch):
        self.node = node
        self.hops = 255
        self._own = (epoch & 0x3FFF) << 16  # where our own stamps go on
        # root: id of the root followed, 0 = none yet; _dead, _echo: the root that died last, and its last stamp
        self.root = self.stamp = self._dead = self._echo = 0
        # local ms: of the last new stamp, since which this root is followed, of the last shared reception, at which
        # mesh time was right: _zero, within 2**29 of 0, and _sub 1/256 ms
        self._since = self._follows = self._shared = self._base = self._zero = self._sub = 0
        # _n: samples since the last step; _off: samples in a row beyond STEP, _last: the deviation they agreed upon
        self.rate = self._off = self._last = self._n = 0
        # error: the last deviation, 1/256 ms; settled 1: our time is that of the root we name, and may be told
        self.synced = self.error = self.settled = 0

    def begin(self, now):
        """First step of the node."""
        self._since = self._follows = self._shared = now

    def part(self, local) -> int:
        """1/256 ms to add to _zero and the local ms since: the low byte is what time() leaves out."""
        return self._sub + ((diff(local, self._base) * self.rate) >> 12)

    def time(self, now: int) -> int:
        """Mesh ms of a local ms within some minutes of now; without a call, because every frame of light asks."""
        ms = ((now - self._base) & _M ^ _H) - _H
        return (self._zero + ms + (self._sub + (ms * self.rate >> 12) >> 8)) & _M

    def _settle(self, now):
        """Move the base to now, so that no product ever grows."""
        s = self.part(now)
        self._zero = diff(self.time(now), 0)
        self._base = now
        self._sub = s & 255

    def step(self, now):
        """Once per beacon: the root's death, and taking over."""
        self._settle(now)
        quiet = diff(now, self._since)
        if diff(now, self._follows) > _ECHO_MS:
            self._dead = 0
        if self.root == self.node:
            self.stamp = later(self.stamp, 1)
            self._since = now
        elif not self.root:
            if quiet > _WAIT_MS + ((self.node & 7) << 7):
                self._reign(now)
        elif quiet > _ROOT_MS:
            self._dead = self.root
            self._echo = self.stamp
            self._reign(now)
        elif self.node < self.root and self._n > 7 and diff(now, self._follows) > _REIGN_MS:
            self._reign(now)

    def _reign(self, now):
        self.root = self.node
        self.hops = 0
        self.stamp = self._own
        self._own = later(self._own, 4096)
        self._since = self._follows = now
        self.synced = self.settled = 1

    def hear(self, now, root: int, stamp: int, hops: int) -> bool:
        """A beacon's root. True where its times may be used."""
        if not root or hops >= _FAR:
            return False
        if root == self.node:
            if diff(stamp, self.stamp) > 0 and self.root == root:  # from before our reboot: rise above it
                self.stamp = later(stamp, 1)
            elif diff(stamp, self._own) >= 0:
                self._own = later(stamp, 1)
            return not self.root  # freshly booted: the room's time goes on
        if root == self._dead and diff(stamp, self._echo) <= 0:
            return False  # the dead root's echo
        if root != self.root:
            if self.root and root > self.root:
                return False
            self.root = root
            self._follows = now
            self._n = self.settled = 0
        elif diff(stamp, self.stamp) <= 0:
            return hops < self.hops
        self.stamp = stamp
        self._since = now
        self.hops = hops + 1
        return True

    def sample(self, local, mesh, part, shared):
        """Mesh time `mesh` + part / 256 ms was at local ms `local`; shared 0: a sender's own word."""
        if shared:
            self._shared = local
        elif self.settled and -_WORD_MS < diff(local, self._shared) < _WORD_MS:
            return  # the sender's queue made its word late: better samples are at hand
        e = diff(self._zero + diff(local, self._base) & _M, mesh)
        if -100000 < e < 100000:
            e = (e << 8) + self.part(local) - part
        else:
            e = 0x10000000
        self.error = e
        if not self.synced or not -_STEP <= e <= _STEP:
            if self.settled:
                agree = e - self._last
                self._last = e
                self._off = self._off + 1 if -2560 < agree < 2560 else 1
                if self._off < _SURE:
                    return
            self._base = local
            self._zero = diff(mesh, 0)
            self._sub = part
            self._n = self._off = 0
            self.synced = self.settled = 1
            return
        self._off = 0
        self.settled = 1
        n = self._n
        if n < 64:
            self._n = n + 1
        if n > 8:  # one late frame moves the clock by a millisecond at most
            e = max(-2048, min(e, 2048))
        # loop filter: fast while young, then 1/8 into the offset (1/16 of a sender's word), 1/64 into the rate
        self._settle(local)
        self._sub -= e >> (4 if not shared else 1 if n < 4 else 2 if n < 8 else 3)
        if shared and n > 7 and -512 < e < 512:  # a jump says nothing about the rate
            e = self.rate - (e >> (5 if n < 64 else 6))
            if -_RATE_MAX < e < _RATE_MAX:
                self.rate = e

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

from micropython import const

from weave.mesh.frame import diff, put32

_M = const(0x3FFFFFFF)
_H = const(0x20000000)
ROOT_MS = const(6000)
_WAIT_MS = const(3000)  # a new node listens this long before it may call itself root
_REIGN_MS = const(8000)  # and follows this long before it takes over from a higher id
_STEP_MS = const(50)
_SURE = const(3)
_WORD_MS = const(5000)
_RATE_MAX = const(200)
LOST_HOPS = const(255)


class Clock:
    """Follows the root's time; `node` is the own id, `epoch` the own boot number."""

    def __init__(self, node, epoch):
        self.node = node
        self.root = 0  # id of the root followed, 0 = none yet
        self.hops = LOST_HOPS
        self.stamp = 0
        self._stamp0 = (epoch & 0x3FFF) << 16
        self._old_root = 0  # the root that died last, and its last stamp
        self._old_stamp = 0
        self._since = 0  # local ms of the last new stamp
        self._follows = 0  # local ms since which this root is followed
        self._base = 0  # local ms at which the offset was right
        self._lag = 0  # offset: local - mesh, 30 bits
        self._sub = 0  # minus this many 1/256 ms
        self._rate = 0
        self._off = 0  # samples in a row beyond STEP_MS
        self._last = 0  # the deviation they agreed upon
        self._n = 0  # samples since the last step
        self._shared = 0  # local ms of the last shared reception
        self.synced = 0
        self.settled = 0  # 1: our time is that of the root we name, and may be told
        self.error = 0  # last deviation, ms x 256
        self.steps = 0

    def time(self, now):
        """Mesh ms of a local ms within some minutes of now."""
        d = (((now - self._base) & _M) ^ _H) - _H
        return (((now - self._lag) & _M ^ _H) - _H + ((self._sub + ((d * self._rate) >> 12)) >> 8)) & _M

    def write(self, b, o, local):
        """Mesh time of a local ms into b: whole ms at o (4 bytes), 1/256 ms at o + 5."""
        d = (((local - self._base) & _M) ^ _H) - _H
        s = self._sub + ((d * self._rate) >> 12)
        put32(b, o, (((local - self._lag) & _M ^ _H) - _H + (s >> 8)) & _M)
        b[o + 5] = s & 255

    def _error(self, local, mesh, part):
        """Own mesh time of a local ms minus (mesh + part / 256), in 1/256 ms, limited to +-1000 s."""
        d = (((local - self._base) & _M) ^ _H) - _H
        e = diff((local - self._lag) & _M, mesh)
        if e > 1000000 or e < -1000000:
            return 256000000 if e > 0 else -256000000
        return (e << 8) + self._sub + ((d * self._rate) >> 12) - part

    def _settle(self, now):
        """Move the base to now, so that no product ever grows."""
        d = (((now - self._base) & _M) ^ _H) - _H
        self._base = now & _M
        s = self._sub + ((d * self._rate) >> 12)
        self._lag = (((self._lag ^ _H) - _H) - (s >> 8)) & _M
        self._sub = s & 255

    def begin(self, now):
        """First step of the node."""
        self._base = self._since = self._follows = self._shared = now

    def step(self, now):
        """Once per beacon: the root's death, and taking over."""
        self._settle(now)
        quiet = diff(now, self._since)
        if self.root == self.node:
            self.stamp = (self.stamp + 1) & _M
            self._since = now & _M
            return
        if not self.root:
            if quiet > _WAIT_MS + ((self.node & 7) << 7):
                self._reign(now)
        elif quiet > ROOT_MS:
            self._old_root = self.root
            self._old_stamp = self.stamp
            self._reign(now)
        elif self.node < self.root and self._n > 7 and diff(now, self._follows) > _REIGN_MS:
            self._reign(now)

    def _reign(self, now):
        self.root = self.node
        self.hops = 0
        self.stamp = self._stamp0 if diff(self._stamp0, self.stamp) > 0 or self.stamp == 0 else self.stamp
        self._stamp0 = (self.stamp + 64) & _M
        self._since = self._follows = now & _M
        self.synced = self.settled = 1

    def hear(self, now, root, stamp, hops):
        """A beacon's root. True where its times may be used."""
        if not root or hops >= LOST_HOPS - 1:
            return False
        if root == self.node:
            if diff(stamp, self.stamp) > 0:  # from before our reboot: rise above it
                if self.root == self.node:
                    self.stamp = (stamp + 1) & _M
                else:
                    self._stamp0 = (stamp + 1) & _M
            return False
        if root == self._old_root and diff(stamp, self._old_stamp) <= 0:
            return False  # the dead root's echo
        if root == self.root:
            if diff(stamp, self.stamp) > 0:
                self.stamp = stamp
                self._since = now & _M
                self.hops = hops + 1
            elif stamp == self.stamp and hops + 1 < self.hops:
                self.hops = hops + 1
            return hops < self.hops
        if self.root and root > self.root:
            return False
        self.root = root
        self.stamp = stamp
        self.hops = hops + 1
        self._since = self._follows = now & _M
        self._n = 0
        self.settled = 0
        return True

    def sample(self, local, mesh, part, sure):
        """Mesh time `mesh` + part / 256 ms was at local ms `local`; sure = 0 for a sender's own word, 1 for a shared reception."""
        if sure:
            self._shared = local
        elif self.synced and diff(local, self._shared) < _WORD_MS:
            return  # the sender's queue made its word late: better samples are at hand
        e = self._error(local, mesh, part)
        self.error = e
        if not self.synced or e > (_STEP_MS << 8) or e < -(_STEP_MS << 8):
            if self.synced and self.settled:
                agree = e - self._last
                self._off = self._off + 1 if -2560 < agree < 2560 else 1
                self._last = e
                if self._off < _SURE:
                    return
            self._step(local, mesh, part)
            return
        self._off = 0
        self.settled = 1
        n = self._n
        if n < 60000:
            self._n = n + 1
        # loop filter: fast while young, then a gain of 1/8 (1/32 for a sender's word) and 1/512 into the rate
        if e > 1024 and n > 8:
            e = 1024  # one late frame moves the clock by half a millisecond at most
        elif e < -1024 and n > 8:
            e = -1024
        self._settle(local)
        if not sure:
            self._sub -= e >> 4
        elif n < 4:
            self._sub -= e >> 1
        elif n < 8:
            self._sub -= e >> 2
        else:
            self._sub -= e >> 3
            self._rate -= e >> 5 if n < 64 else e >> 6
            if self._rate > _RATE_MAX:
                self._rate = _RATE_MAX
            elif self._rate < -_RATE_MAX:
                self._rate = -_RATE_MAX

    def _step(self, local, mesh, part):
        self._settle(local)
        self._lag = (local - mesh) & _M
        self._sub = part
        self._n = 0
        self._off = 0
        self.synced = self.settled = 1
        self.steps += 1

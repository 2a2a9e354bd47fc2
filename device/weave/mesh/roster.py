"""The table of everybody this node has heard of, itself first: latest values, replay windows, link to neighbours.

`Roster` is `mesh.room` for the rest of the node. Rows 0..count-1; row 0 is this node:
  node       id 1..65534                     arousal, fast, g   Q12 (8 bits travel)
  confidence 0..255                          flags              0..255, as given to share()
  age        ms since the values were right at their origin (updated at least once a second)
  version    16-bit serial of the values
Links (0 where the node is not in earshot): `rssi` dBm of the last frame heard, `heard` local ms of its arrival.
Rows move when a lost node leaves: keep ids, not rows, across ticks. All ints of 31 bits.
"""

from array import array

from micropython import const

SUSPECT_MS = const(60000)
LOST_MS = const(180000)
_M = const(0x3FFFFFFF)
_H = const(0x20000000)
NONE = const(-1)

KNOWN = const(1)  # a window exists: epoch, seq, bits are valid
FRESH = const(2)  # alive since our own boot: proved by an answer to our epoch
NEAR = const(4)  # in earshot: rssi, heard, mac are valid
COUNTED = const(8)  # part of the digest
ASKED = const(16)  # wants to be mentioned in our next beacon


def mix(node):
    """24-bit hash of an id; the digest of a table is the sum of them over all rows younger than SUSPECT_MS, modulo 2**24."""
    x = node * 16381
    return ((x & 0x7FFF) * ((x >> 15) | 1)) & 0xFFFFFF


class Roster:
    """Room for `size` nodes, at most 254."""

    def __init__(self, size, node):
        self.size = size
        self.count = 1

        def ints():
            return array("i", bytes(4 * size))

        def halves():
            return array("H", bytes(2 * size))

        self.node = halves()
        self.version = halves()
        self.arousal = halves()
        self.fast = halves()
        self.g = halves()
        self.confidence = bytearray(size)
        self.flags = bytearray(size)
        self.age = ints()
        self.made = ints()  # local ms at which the values were right at their origin
        self.todo = bytearray(size)  # how often this version is still worth sending
        self.state = bytearray(size)
        self.epoch = ints()
        self.seq = ints()
        self.bits = ints()  # replay window: bit k = seq - k was taken, k = 0..29
        self.heard = ints()
        self.beat = halves()  # low 16 bits of the sequence number heard then
        self.mac = ints()  # low 30 bits of the sender's address
        self.rssi = array("b", bytes(size))
        self.tokens = bytearray(size)
        self.digest = 0
        self.near = 0
        self._seats = bytearray(512 if size > 127 else 256)  # open addressing: row + 1, 0 = empty
        self._mask = len(self._seats) - 1
        self._macs = bytearray(64)  # row + 1 by the low bits of an address
        self.node[0] = node
        self.state[0] = COUNTED
        self._seat(0)
        self.digest = mix(node)

    def _seat(self, row):
        mask = self._mask
        seats = self._seats
        h = self.node[row] & mask
        while seats[h]:
            h = (h + 1) & mask
        seats[h] = row + 1

    def find(self, node):
        """Row of a node, -1 where it is unknown."""
        seats = self._seats
        mask = self._mask
        h = node & mask
        r = seats[h]
        while r:
            if self.node[r - 1] == node:
                return r - 1
            h = (h + 1) & mask
            r = seats[h]
        return NONE

    def add(self, node, now):
        """Row of a new node, -1 where the table is full: nobody is evicted while alive."""
        i = self.count
        if i >= self.size or not node or node == 0xFFFF:
            return NONE
        self.count = i + 1
        self.node[i] = node
        self.version[i] = self.arousal[i] = self.fast[i] = self.g[i] = 0
        self.confidence[i] = self.flags[i] = self.todo[i] = self.state[i] = 0
        self.age[i] = SUSPECT_MS
        self.made[i] = (now - SUSPECT_MS) & _M
        self.epoch[i] = self.seq[i] = self.bits[i] = 0
        self.rssi[i] = self.mac[i] = 0
        self._seat(i)
        return i

    def remove(self, i):
        """Forget row i; the last row moves into its place."""
        if self.state[i] & COUNTED:
            self.digest = (self.digest - mix(self.node[i])) & 0xFFFFFF
        if self.state[i] & NEAR:
            self.near -= 1
        j = self.count - 1
        self.count = j
        if i != j:
            self.node[i] = self.node[j]
            self.version[i] = self.version[j]
            self.arousal[i] = self.arousal[j]
            self.fast[i] = self.fast[j]
            self.g[i] = self.g[j]
            self.confidence[i] = self.confidence[j]
            self.flags[i] = self.flags[j]
            self.age[i] = self.age[j]
            self.made[i] = self.made[j]
            self.todo[i] = self.todo[j]
            self.state[i] = self.state[j]
            self.epoch[i] = self.epoch[j]
            self.seq[i] = self.seq[j]
            self.bits[i] = self.bits[j]
            self.heard[i] = self.heard[j]
            self.beat[i] = self.beat[j]
            self.mac[i] = self.mac[j]
            self.rssi[i] = self.rssi[j]
            self.tokens[i] = self.tokens[j]
        for k in range(self._mask + 1):
            self._seats[k] = 0
        for k in range(64):
            self._macs[k] = 0
        for k in range(j):
            self._seat(k)
            if self.state[k] & NEAR:
                self._macs[self.mac[k] & 63] = k + 1

    # --- versions -------------------------------------------------------------------------------------------

    def renew(self, i, version):
        """Row i now holds `version`: it counts in the digest."""
        self.version[i] = version
        if not self.state[i] & COUNTED:
            self.state[i] |= COUNTED
            self.digest = (self.digest + mix(self.node[i])) & 0xFFFFFF

    def grow(self, now, first, n):
        """Bring ages up to date for n rows from `first`; returns a row that is lost, or -1."""
        lost = NONE
        end = first + n
        if end > self.count:
            end = self.count
        i = first
        while i < end:
            if i:
                a = (((now - self.made[i]) & _M) ^ _H) - _H
                if a < 0:
                    a = 0
                self.age[i] = a
                s = self.state[i]
                self.tokens[i] = 20  # frames until the next turn, a second later
                if s & NEAR and ((((now - self.heard[i]) & _M) ^ _H) - _H) > self.dead_ms:
                    self.state[i] = s & ~NEAR
                    self.rssi[i] = 0
                    self.near -= 1
                if a > SUSPECT_MS and s & COUNTED:
                    self.digest = (self.digest - mix(self.node[i])) & 0xFFFFFF
                    self.state[i] &= ~COUNTED
                if a > LOST_MS:
                    lost = i
            i += 1
        return lost

    dead_ms = 10000

    # --- replay windows -------------------------------------------------------------------------------------

    def fresh(self, i, epoch, seq):
        """True where (epoch, seq) was not taken before and is not too old. Changes nothing."""
        if i < 0 or not self.state[i] & KNOWN:
            return True
        e = self.epoch[i]
        if epoch != e:
            return epoch > e
        d = self.seq[i] - seq
        if d < 0:
            return True
        return d < 30 and not (self.bits[i] >> d) & 1

    def take(self, i, epoch, seq):
        """Commit (epoch, seq) after its tag was checked."""
        if not self.state[i] & KNOWN or epoch != self.epoch[i]:
            self.state[i] |= KNOWN
            self.epoch[i] = epoch
            self.seq[i] = seq
            self.bits[i] = 1
            return
        d = seq - self.seq[i]
        if d > 0:
            # the window holds 30 bits, and must not grow beyond them while it moves
            self.bits[i] = ((self.bits[i] & (_M >> d)) << d | 1) if d < 30 else 1
            self.seq[i] = seq
        else:
            self.bits[i] |= 1 << -d

    # --- links ----------------------------------------------------------------------------------------------

    def row_of_mac(self, mac30):
        """Row of the neighbour with this address, -1 where it is a stranger."""
        r = self._macs[mac30 & 63] - 1
        if r >= 0 and r < self.count and self.mac[r] == mac30:
            return r
        return NONE

    def hear(self, i, mac30, rssi, time, seq):
        """An opened frame arrived from a node in earshot."""
        if not self.state[i] & NEAR:
            self.state[i] |= NEAR
            self.near += 1
            self.tokens[i] = 20
        self.mac[i] = mac30
        self._macs[mac30 & 63] = i + 1
        self.rssi[i] = rssi
        self.heard[i] = time & _M
        self.beat[i] = seq & 0xFFFF

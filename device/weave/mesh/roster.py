"""The table of everybody this node has heard of, itself first: latest values, replay windows, links to neighbours.

`Roster` is `mesh.room` for the rest of the node. Rows 0..count-1; row 0 is this node:
  node       id 1..65534                     arousal, fast, g   Q12 (8 bits travel)
  confidence 0..255                          flags              0..255, as given to share()
  age        ms since the values were right at their origin, refreshed once a second, at most 65535; from 60000 on: gone
  version    16-bit serial of the values
In row 0 epoch, beat and heard are those of our own last beacon.
Links (rssi 0 where the node is not in earshot): `rssi` dBm of the last frame heard, `heard` local ms of its arrival.
Rows move when a lost node leaves: keep ids, not rows, across ticks. All ints of 31 bits.
"""

from array import array

from .frame import diff

_M = const(0x3FFFFFFF)
_SUSPECT_MS = const(60000)
_LOST_MS = const(180000)
_DEAD_MS = const(10000)  # a neighbour not heard for so long is out of earshot
_TOKENS = const(20)  # frames a second that a neighbour may cost us

_FRESH = const(2)  # alive, and in this epoch: proved by an answer to one of our last frames
_NEAR = const(4)  # in earshot: rssi, heard, mac are valid
_COUNTED = const(8)  # has values younger than a minute: part of the digest


def mix(node):
    """24-bit hash of an id; the digest of a table is their sum over all rows with values, modulo 2**24."""
    x = node * 16381
    return ((x & 0x7FFF) * ((x >> 15) | 1)) & 0xFFFFFF


class Roster:
    """Room for `size` nodes, at most 254. About 51 bytes a row on 32 bits: 43 in the columns, 8 in the index."""

    def __init__(self, size, node):
        self.size = size
        self.count = 0
        columns = []
        for kind, wide, many in (("H", 2, 7), ("B", 1, 5), ("b", 1, 1), ("i", 4, 6)):
            for _ in range(many):
                columns.append(array(kind, bytes(wide * size)))
        self._columns = columns
        (
            self.node,
            self.version,
            self.arousal,
            self.fast,
            self.g,
            self.age,
            self.beat,  # low 16 bits of the sequence number heard last
            self.confidence,
            self.flags,
            self.todo,  # how often this version is still worth sending
            self.state,
            self.tokens,  # frames that a neighbour may still cost us; row 0: all strangers together
            self.rssi,
            self.made,  # local ms at which the values were right at their origin
            self.epoch,
            self.seq,
            self.bits,  # replay window: bit k = seq - k was taken, k = 0..29
            self.heard,
            self.mac,  # low 30 bits of the sender's address
        ) = columns
        self.digest = self.near = 0
        self._row = 1  # where grow() goes on
        self._macs = bytearray(64)  # row by the low bits of an address, 0 = none
        self.rows = rows = {}  # row by id: filled once and emptied, so that it never grows again
        for k in range(size):
            rows[k] = k
        for k in range(size):
            del rows[k]
        self.add(node, 0)
        self.age[0] = 0
        self.state[0] = _NEAR
        self.renew(0, 0)

    def share(self, i, arousal, fast, confidence, g, flags) -> None:
        """Values of row i: Q12, Q12, 0..255, Q12, 0..255. Own ones (row 0), every tick, travel with the next beacon."""
        self.arousal[i] = arousal
        self.fast[i] = fast
        self.confidence[i] = confidence
        self.g[i] = g
        self.flags[i] = flags

    def find(self, node) -> int:
        """Row of a node, -1 where it is unknown."""
        return self.rows.get(node, -1)

    def add(self, node, now):
        """Row of a new node, -1 where the table is full: nobody is evicted while alive."""
        i = self.count
        if i >= self.size:
            return -1
        self.count = i + 1
        for c in self._columns:
            c[i] = 0
        self.node[i] = node
        self.age[i] = _SUSPECT_MS
        self.made[i] = (now - _SUSPECT_MS) & _M
        self.rows[node] = i
        return i

    def remove(self, i):
        """Strike row i, which is neither near nor counted; the last row moves into its place."""
        del self.rows[self.node[i]]
        self.count = j = self.count - 1
        for c in self._columns:
            c[i] = c[j]
        if i < j:
            self.rows[self.node[i]] = i
        for k in range(64):
            self._macs[k] = 0  # filled again as neighbours are heard

    def renew(self, i, version):
        """Row i now holds `version`: it counts in the digest."""
        self.version[i] = version
        if not self.state[i] & _COUNTED:
            self.state[i] |= _COUNTED
            self.digest = (self.digest + mix(self.node[i])) & 0xFFFFFF

    def grow(self, now) -> None:
        """Bring ages and buckets of the next tenth of the rows up to date; strikes one that is lost."""
        i: int = self._row
        n = i + self.count // 10 + 1
        while i < n and i < self.count:
            self.tokens[i] = _TOKENS
            a: int = diff(now, self.made[i])
            self.age[i] = min(max(a, 0), 65535)
            if self.state[i] & _NEAR and diff(now, self.heard[i]) > _DEAD_MS:
                self.state[i] &= ~_NEAR
                self.rssi[i] = 0
                self.near -= 1
            if a > _SUSPECT_MS:
                if self.state[i] & _COUNTED:
                    self.state[i] &= ~_COUNTED
                    self.digest = (self.digest - mix(self.node[i])) & 0xFFFFFF
                if a > _LOST_MS and not self.state[i] & _NEAR:
                    self.remove(i)
                    return
            i += 1
        self._row = i if i < self.count else 1

    # --- replay windows -------------------------------------------------------------------------------------

    def fresh(self, i: int, epoch: int, seq: int) -> bool:
        """True where (epoch, seq) was not taken before and is not too old. Changes nothing."""
        e: int = self.epoch[i]  # 0: no window yet; nobody's epoch is 0
        if epoch != e:
            return epoch > e
        d = self.seq[i] - seq
        return d < 0 or (d < 30 and (self.bits[i] >> d) & 1 == 0)

    def take(self, i: int, epoch: int, seq: int) -> None:
        """Commit (epoch, seq) after its tag was checked."""
        d = seq - self.seq[i]
        if epoch != self.epoch[i]:
            self.state[i] &= ~_FRESH  # to be proved anew
            d = 30
        if d > 29:
            self.epoch[i] = epoch
            self.seq[i] = seq
            self.bits[i] = 1
        elif d > 0:
            # the window holds 30 bits, and must not grow beyond them while it moves
            self.bits[i] = (self.bits[i] & (_M >> d)) << d | 1
            self.seq[i] = seq
        else:
            self.bits[i] |= 1 << -d

    # --- links ----------------------------------------------------------------------------------------------

    def of_mac(self, mac: int) -> int:
        """Row of the neighbour with this address (low 30 bits), 0 where it is a stranger."""
        r: int = self._macs[(mac ^ mac >> 6) & 63]
        return r if self.mac[r] == mac else 0

    def hear(self, i: int, mac: int, rssi, time: int, seq: int) -> None:
        """An opened frame arrived from a node in earshot."""
        if not self.state[i] & _NEAR:
            self.state[i] |= _NEAR
            self.near += 1
            self.tokens[i] = _TOKENS
        self.mac[i] = mac
        self._macs[(mac ^ mac >> 6) & 63] = i
        self.rssi[i] = rssi
        self.heard[i] = time & _M
        self.beat[i] = seq & 0xFFFF

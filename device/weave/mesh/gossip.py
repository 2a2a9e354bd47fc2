"""State frames: the beacon of a node, and what is new about others (delta gossip with versions).

In: the roster, the clock, the events kept. Out: the plain payload of a STATE frame; opened payloads merged into the roster.
A value goes out with its version; who learns a new version repeats it up to twice, less one for each time it hears it
from another.
Every beacon carries a digest of all versions: where a neighbour's differs, whole tables are swept until they agree.
"""

from micropython import const

from weave.mesh.frame import get16, get30, put16, put32
from weave.mesh.roster import ASKED, FRESH, KNOWN, NEAR, SUSPECT_MS

_M = const(0x3FFFFFFF)
_H = const(0x20000000)
_BEACON = const(64)
_ENTRY = const(10)
_MOST = const(16)
_REPEAT = const(1)
_AGE_MS = const(250)


class Gossip:
    """Builds and reads the payload of STATE frames."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.sweep = 0  # beacons that still sweep the whole table
        self.asking = True  # nobody has proved to be alive yet
        self._cursor = 0
        self._level = 0  # row at which the sweep stands
        self.sent_seq = 0
        self.sent_at = 0  # local ms of completion of our previous beacon
        self.sent_ok = 0

    # --- out ------------------------------------------------------------------------------------------------

    def build(self, now):
        """Write a beacon and entries into pool.plain; returns the number of blocks."""
        mesh = self.mesh
        r = mesh.room
        clock = mesh.clock
        b = mesh.pool.plain
        put32(b, 0, clock.stamp)
        put16(b, 4, clock.root)
        b[6] = clock.hops if clock.settled else 255
        put32(b, 8, clock.time(self.sent_at))
        put16(b, 12, self.sent_seq & 0xFFFF)
        b[14] = (1 if self.sent_ok else 0) | (2 if self.asking else 0)
        b[15] = r.count
        d = r.digest
        b[16] = d >> 16
        b[17] = (d >> 8) & 255
        b[18] = d & 255
        b[19] = 0
        latest = mesh.latest
        put16(b, 20, latest[1])
        put16(b, 22, latest[2])
        put16(b, 24, latest[3])
        self._events(b, now)
        self._records(b)
        b[62] = b[63] = 0
        o = self._entry(b, _BEACON, 0, now)
        n = r.count
        # news first, then, while tables differ, everything in turn
        todo = r.todo
        i = self._cursor
        for _ in range(n):
            i += 1
            if i >= n:
                i = 1
            if i < n and todo[i]:
                todo[i] -= 1
                if r.age[i] < SUSPECT_MS:
                    o = self._entry(b, o, i, now)
                    if o >= _BEACON + _ENTRY * _MOST:
                        break
        self._cursor = i
        if self.sweep:
            self.sweep -= 1
            i = self._level
            for _ in range(n):
                if o >= _BEACON + _ENTRY * _MOST:
                    break
                i += 1
                if i >= n:
                    i = 1
                if i < n and r.age[i] < SUSPECT_MS:
                    o = self._entry(b, o, i, now)
            self._level = i
        b[7] = (o - _BEACON) // _ENTRY
        p = (o + 15) >> 4
        for k in range(o, p << 4):
            b[k] = 0
        return p

    def _entry(self, b, o, i, now):
        r = self.mesh.room
        put16(b, o, r.node[i])
        put16(b, o + 2, r.version[i])
        b[o + 4] = (r.arousal[i] * 255 + 2048) >> 12
        b[o + 5] = (r.fast[i] * 255 + 2048) >> 12
        b[o + 6] = r.confidence[i]
        b[o + 7] = (r.g[i] * 255 + 2048) >> 12
        b[o + 8] = r.flags[i]
        a = 0
        if i:
            a = ((((now - r.made[i]) & _M) ^ _H) - _H) // _AGE_MS
            if a > 255:
                a = 255
            elif a < 0:
                a = 0
        b[o + 9] = a
        return o + _ENTRY

    def _events(self, b, now):
        """The two youngest events kept, so that a neighbour sees what we lack."""
        e = self.mesh.events
        o = 26
        last = -1
        for _ in range(2):
            best = -1
            young = 0x20000000
            for s in range(e.slots):
                if s != last and e.alive(s, now):
                    a = (((now - e.born[s]) & _M) ^ _H) - _H
                    if a < young:
                        young = a
                        best = s
            if best < 0:
                put32(b, o, 0)
            else:
                put16(b, o, e.origin[best])
                put16(b, o + 2, e.seq[best] & 0xFFFF)
                last = best
            o += 4

    def _records(self, b):
        """Whom we heard last, and when: those who ask first."""
        r = self.mesh.room
        clock = self.mesh.clock
        now = self.mesh.now
        o = 34
        last = -1
        for _ in range(2):
            best = -1
            young = 0x20000000
            for i in range(1, r.count):
                s = r.state[i]
                if s & NEAR and i != last:
                    a = (((now - r.heard[i]) & _M) ^ _H) - _H
                    if s & ASKED:
                        a -= 100000
                    if a < young:
                        young = a
                        best = i
            if best < 0:
                put16(b, o, 0)
            else:
                r.state[best] &= ~ASKED
                put16(b, o, r.node[best])
                put32(b, o + 2, r.epoch[best])
                put16(b, o + 6, r.beat[best])
                clock.write(b, o + 8, r.heard[best])
                b[o + 12] = -r.rssi[best] if r.rssi[best] < 0 else 0
                last = best
            o += 14

    # --- in -------------------------------------------------------------------------------------------------

    def read(self, now, row, seq, time, p):
        """Merge an opened STATE payload of the node in `row`, which arrived at local ms `time`."""
        mesh = self.mesh
        r = mesh.room
        b = mesh.pool.plain
        n = b[7]
        if _BEACON + _ENTRY * n > p << 4:
            return
        if b[14] & 2:
            r.state[row] |= ASKED
            mesh.hurry(now)
        # who was heard by whom: proof of life, and shared receptions for the clock
        if not r.state[row] & FRESH:
            o = 34
            while o < 62:
                if get16(b, o) == mesh.node and get30(b, o + 2) == mesh.epoch:
                    r.state[row] |= FRESH
                    self.asking = False
                o += 14
            if not r.state[row] & FRESH:
                return
        clock = mesh.clock
        use = clock.hear(now, get16(b, 4), get30(b, 0), b[6])
        o = 34
        while o < 62:
            id = get16(b, o)
            if id and id != mesh.node:
                i = r.find(id)
                if i > 0 and r.state[i] & KNOWN and r.epoch[i] == get30(b, o + 2):
                    r.state[i] |= FRESH
                    if use and r.state[i] & NEAR and r.beat[i] == get16(b, o + 6):
                        clock.sample(r.heard[i], get30(b, o + 8), b[o + 13], 1)
                        mesh.samples += 1
            o += 14
        if use and b[14] & 1 and mesh.last_seq == get16(b, 12):
            clock.sample(mesh.last_heard, get30(b, 8), 128, 0)
        o = _BEACON
        if n:
            self._merge(b, o, now, row)
        digest = (b[16] << 16) | (b[17] << 8) | b[18]
        for _ in range(1, n):
            o += _ENTRY
            self._merge(b, o, now, 0)
        if digest != r.digest:
            self.sweep = 2
        self._ask(b, now)

    def _merge(self, b, o, now, own):
        """One entry; own: the row of the sender where the entry is the sender's own."""
        r = self.mesh.room
        id = get16(b, o)
        version = get16(b, o + 2)
        i = r.find(id)
        made = now - b[o + 9] * _AGE_MS
        if i < 0:
            if b[o + 9] >= 240 or not id:
                return
            i = r.add(id, now)
            if i < 0:
                self.mesh.full = (self.mesh.full + 1) & _M
                return
            new = 1
        else:
            new = ((version - r.version[i]) & 0xFFFF) ^ 0x8000
            new -= 0x8000
            if not i:
                if new > 0:  # our own past, from before a reboot: rise above it
                    r.renew(0, (version + 1) & 0xFFFF)
                return
            if not r.state[i] & 8:
                new = 1 if b[o + 9] < 240 else 0
        if new > 0:
            r.renew(i, version)
            r.arousal[i] = (b[o + 4] * 257) >> 4
            r.fast[i] = (b[o + 5] * 257) >> 4
            r.confidence[i] = b[o + 6]
            r.g[i] = (b[o + 7] * 257) >> 4
            r.flags[i] = b[o + 8]
            r.made[i] = made & _M
            r.age[i] = b[o + 9] * _AGE_MS
            r.todo[i] = _REPEAT
        elif new == 0:
            if not own and r.todo[i]:
                r.todo[i] -= 1
            if ((((made - r.made[i]) & _M) ^ _H) - _H) > 0:
                r.made[i] = made & _M
                r.age[i] = b[o + 9] * _AGE_MS

    def _ask(self, b, now):
        """What the sender lacks and we have: events, and the latest of the sticky kinds."""
        mesh = self.mesh
        e = mesh.events
        full = get16(b, 26) and get16(b, 30)  # two told of: there may be more
        for s in range(e.slots):
            if e.alive(s, now) and not full:
                q = e.seq[s] & 0xFFFF
                g = e.origin[s]
                if not (
                    (get16(b, 26) == g and get16(b, 28) == q) or (get16(b, 30) == g and get16(b, 32) == q)
                ):
                    e.missed(s, now, mesh.chance())
        latest = mesh.latest
        for k in range(1, 4):
            if latest[k]:
                d = ((latest[k] - get16(b, 18 + 2 * k)) & 0xFFFF) ^ 0x8000
                if d > 0x8000 or not get16(b, 18 + 2 * k):
                    mesh.serve(k, now)

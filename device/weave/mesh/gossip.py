"""State frames: the beacon of a node, and what is new about others (delta gossip with versions).

In: the roster, the clock, the events kept. Out: the plain payload of a STATE frame; opened payloads merged into the roster.
A value goes out with its version; who learns a new version repeats it once, unless it hears it from another first.
Every beacon carries a digest of who is in the table: where a neighbour's differs, the whole table is swept as well.
"""

from micropython import const

from .frame import diff, get16, get30, later, put16, put30

_BEACON = const(64)
_ENTRY = const(10)
_END = const(224)  # 16 entries
_AGE_MS = const(250)
_OLD = const(240)  # a minute
_KNOWN = const(1)  # bits of a row, as in roster.py
_FRESH = const(2)
_NEAR = const(4)
_COUNTED = const(8)


class Gossip:
    """Builds and reads the payload of STATE frames."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.sweep = 0  # beacons that still sweep the whole table
        self.asking = 2  # 0 once somebody proved to be alive
        self._cursor = [0, 0]  # rows at which news and sweep stand
        self.sent_seq = 0
        self.sent_at = 0  # local ms of completion of our previous beacon
        self.sent_ok = 0
        self._last = self._before = 0  # ids heard last
        self._asked = 0  # 1: _before asked to be mentioned

    # --- out ------------------------------------------------------------------------------------------------

    def build(self, now):
        """Write a beacon and entries into pool.plain; returns the number of blocks."""
        mesh = self.mesh
        r = mesh.room
        clock = mesh.clock
        b = mesh.pool.plain
        for k in range(_BEACON):
            b[k] = 0
        put30(b, 0, clock.stamp)
        put16(b, 4, clock.root)
        b[6] = clock.hops if clock.settled else 255
        if not self.sent_ok:
            self.sent_at = now
        put30(b, 8, clock.time(self.sent_at))
        put16(b, 62, diff(now, self.sent_at))
        put16(b, 12, self.sent_seq)
        b[14] = self.sent_ok | self.asking
        b[15] = r.count
        b[16] = r.digest >> 16
        put16(b, 17, r.digest)
        for k in (1, 2, 3):
            put16(b, 18 + 2 * k, mesh.latest[k])
        e = mesh.events
        self._event(b, 26, e, e.newest, now)
        self._event(b, 30, e, e.newer, now)
        self._record(b, 34, self._last)
        self._record(b, 48, self._before)
        self._asked = 0
        o = self._rows(b, self._entry(b, _BEACON, 0, now), 0, now)
        if self.sweep:  # tables differ: everything in turn
            self.sweep -= 1
            o = self._rows(b, o, 1, now)
        b[7] = (o - _BEACON) // _ENTRY
        p = (o + 15) >> 4
        for k in range(o, p << 4):
            b[k] = 0
        return p

    def _rows(self, b, o, every, now):
        """Entries from where the last beacon stopped: those with news, or every one."""
        r = self.mesh.room
        n = r.count
        todo = r.todo
        i = self._cursor[every]
        for _ in range(1, n):
            if o == _END:
                break
            i += 1
            if i >= n:
                i = 1
            if todo[i] or every:
                todo[i] = 0
                if r.state[i] & _COUNTED:
                    o = self._entry(b, o, i, now)
        self._cursor[every] = i
        return o

    def _entry(self, b, o, i, now):
        r = self.mesh.room
        a = diff(now, r.made[i]) // _AGE_MS
        if a < 0:
            a = 0
        elif a >= _OLD:
            return o
        put16(b, o, r.node[i])
        put16(b, o + 2, r.version[i])
        b[o + 4] = (r.arousal[i] * 255 + 2048) >> 12
        b[o + 5] = (r.fast[i] * 255 + 2048) >> 12
        b[o + 6] = r.confidence[i]
        b[o + 7] = (r.g[i] * 255 + 2048) >> 12
        b[o + 8] = r.flags[i]
        b[o + 9] = a
        return o + _ENTRY

    def _event(self, b, o, e, s, now):
        """One of the two youngest events kept, so that a neighbour sees what we lack."""
        if e.alive(s, now):
            put16(b, o, e.origin[s])
            put16(b, o + 2, e.seq[s])

    def _record(self, b, o, id):
        """Which frame of whom we heard, and when."""
        r = self.mesh.room
        i = r.find(id)
        if i > 0 and r.state[i] & _NEAR:
            put16(b, o, id)
            put30(b, o + 2, r.epoch[i])
            put16(b, o + 6, r.beat[i])
            self.mesh.clock.write(b, o + 8, r.heard[i])
            b[o + 12] = -r.rssi[i] & 127

    # --- in -------------------------------------------------------------------------------------------------

    def read(self, now, row, p, beat, heard):
        """Merge an opened STATE payload of p blocks of the node in `row`; beat, heard: of its frame before this one."""
        mesh = self.mesh
        r = mesh.room
        b = mesh.pool.plain
        end = _BEACON + _ENTRY * b[7]
        if end > p << 4:
            return
        id = r.node[row]
        if b[14] & 2:
            self._before = id
            self._asked = 1
            mesh.hurry(now)
        elif id != self._last:
            if not self._asked:
                self._before = self._last
            self._last = id
        # proof of life, once per boot of ours: a mention of this very boot
        if not r.state[row] & _FRESH:
            if not self._mentions(b, 34) and not self._mentions(b, 48):
                return
            r.state[row] |= _FRESH
            self.asking = 0
        clock = mesh.clock
        use = clock.hear(now, get16(b, 4), get30(b, 0), b[6])
        self._shared(b, 34, use)
        self._shared(b, 48, use)
        if use and b[14] & 1 and beat == get16(b, 12):
            clock.sample(heard, get30(b, 8), 128, 0)
        if use and not clock.settled:  # better than nothing: when the sender made this frame
            clock.sample(
                later(r.heard[row], -((16 * p + 109) >> 7)), later(get30(b, 8), get16(b, 62)), 128, 0
            )
        seats = r.seats
        mask = r.mask
        nodes = r.node
        versions = r.version
        for o in range(_BEACON, end, _ENTRY):
            id = b[o] << 8 | b[o + 1]
            i = seats[id & mask] - 1
            if i < 0 or nodes[i] != id:  # not at its first seat
                i = r.find(id)
            if i > 0 and versions[i] == (b[o + 2] << 8 | b[o + 3]) and b[o + 9]:
                r.todo[i] = 0  # heard again: no need to repeat it
            else:
                self._merge(b, o, now, i, id)
        if r.digest != (b[16] << 16 | get16(b, 17)):
            self.sweep = 2
        self._ask(b, now)

    def _mentions(self, b, o):
        return get16(b, o) == self.mesh.node and get30(b, o + 2) == self.mesh.epoch

    def _shared(self, b, o, use):
        """A record of a frame that we heard as well: its sender is alive, and it ties two clocks together."""
        r = self.mesh.room
        beat = get16(b, o + 6)
        i = r.find(get16(b, o))
        if i > 0 and r.state[i] & _KNOWN and r.epoch[i] == get30(b, o + 2):
            r.state[i] |= _FRESH
            if use and r.state[i] & _NEAR and r.beat[i] == beat:
                self.mesh.clock.sample(r.heard[i], get30(b, o + 8), b[o + 13], 1)
        elif not i and use and self.sent_ok and beat == self.sent_seq & 0xFFFF:
            # our own frame: its delay on the way errs to the other side than that of the sender's word
            self.mesh.clock.sample(self.sent_at, get30(b, o + 8), b[o + 13], 0)

    def _merge(self, b, o, now, i, id):
        """An entry that is not simply known already."""
        r = self.mesh.room
        version = get16(b, o + 2)
        old = b[o + 9]
        if i < 0:
            if old >= _OLD or not id or id == 0xFFFF:
                return
            i = r.add(id, now)
            if i < 0:
                self.mesh.full += 1
                return
        new = (((version - r.version[i]) & 0xFFFF) ^ 0x8000) - 0x8000
        if not i:
            if new > 0:  # our own past, from before a reboot: rise above it
                r.version[0] = (version + 1) & 0xFFFF
            return
        if new > 0 or not r.state[i] & _COUNTED:
            if old >= _OLD:
                return
            r.renew(i, version)
            r.arousal[i] = (b[o + 4] * 257) >> 4
            r.fast[i] = (b[o + 5] * 257) >> 4
            r.confidence[i] = b[o + 6]
            r.g[i] = (b[o + 7] * 257) >> 4
            r.flags[i] = b[o + 8]
            r.todo[i] = 1
        elif new or old:
            return
        r.made[i] = later(now, -old * _AGE_MS)  # the sender's own entry is as old as the frame
        r.age[i] = old * _AGE_MS

    def _ask(self, b, now):
        """What the sender lacks and we have: events, and the latest of the sticky kinds."""
        mesh = self.mesh
        e = mesh.events
        if not get16(b, 30):  # two told of: there may be more
            self._lacks(b, e, e.newest, now)
            self._lacks(b, e, e.newer, now)
        for k in (1, 2, 3):
            theirs = get16(b, 18 + 2 * k)
            mine = mesh.latest[k]
            if mine != theirs and mine and (not theirs or (mine - theirs) & 0xFFFF < 0x8000):
                mesh.serve(k, now)

    def _lacks(self, b, e, s, now):
        if e.alive(s, now) and not (get16(b, 26) == e.origin[s] and get16(b, 28) == e.seq[s] & 0xFFFF):
            e.wake(s, now)

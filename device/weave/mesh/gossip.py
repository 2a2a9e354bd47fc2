"""State frames: the beacon of a node, and what is new about others (delta gossip with versions).

In: the roster, the clock, the events kept. Out: the plain payload of a STATE frame; opened payloads merged into the roster.
A value goes out with its version; who learns a new version repeats it once, unless it hears it from another first.
Every beacon carries a digest of who is in the table: where a neighbour's differs, the whole table is swept as well.
"""

from struct import pack_into

from .frame import diff, fold, get16, get30, later

_BEACON = const(64)
_ENTRY = const(10)
_END = const(224)  # 16 entries
_AGE_MS = const(250)
_OLD = const(240)  # a minute
_FRESH = const(2)  # bits of a row, as in roster.py
_NEAR = const(4)
_COUNTED = const(8)


class Gossip:
    """Builds and reads the payload of STATE frames."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.room = mesh.room
        self.asking = 2  # 0 once somebody proved to be alive
        self._cursor = [0, 0]  # rows at which news and sweep stand
        # sent 1: the radio took our previous beacon; sweep: beacons that still sweep the whole table; _last, _before: ids
        # heard last; _asked 1: _before asked to be mentioned
        self.sent = self._sweep = self._last = self._before = self._asked = 0

    # --- out ------------------------------------------------------------------------------------------------

    def build(self, now):
        """Write a beacon and entries into pool.plain; returns the number of blocks."""
        mesh = self.mesh
        r = self.room
        clock = mesh.clock
        b = mesh.pool.plain
        fold(b, b, 0, b, _END)
        if not self.sent:
            r.heard[0] = now
        pack_into(
            ">IHBxIHBBBHxHHH36xH",
            b,
            0,
            clock.stamp,
            clock.root,
            clock.hops if clock.settled else 255,
            clock.time(r.heard[0]),
            r.beat[0],
            self.sent | self.asking,
            r.count,
            r.digest >> 16,
            r.digest & 0xFFFF,
            mesh.latest[1],
            mesh.latest[2],
            mesh.latest[3],
            diff(now, r.heard[0]) & 0xFFFF,
        )
        self._event(b, 26, mesh.events.newest, now)
        self._event(b, 30, mesh.events.newer, now)
        self._record(b, 34, self._last)
        self._record(b, 48, self._before)
        self._asked = 0
        o = self._rows(b, self._entry(b, _BEACON, 0, now), 0, now)
        if self._sweep:  # tables differ: everything in turn
            self._sweep -= 1
            o = self._rows(b, o, 1, now)
        b[7] = (o - _BEACON) // _ENTRY
        return (o + 15) >> 4

    def _rows(self, b, o, every, now):
        """Entries from where the last beacon stopped: those with news, or every one."""
        r = self.room
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
        r = self.room
        a = diff(now, r.made[i]) // _AGE_MS or (i and 1)  # 0 is the origin's own word
        if a >= _OLD:
            return o
        pack_into(
            ">HHBBBBBB",
            b,
            o,
            r.node[i],
            r.version[i],
            (r.arousal[i] * 255 + 2048) >> 12,
            (r.fast[i] * 255 + 2048) >> 12,
            r.confidence[i],
            (r.g[i] * 255 + 2048) >> 12,
            r.flags[i],
            a,
        )
        return o + _ENTRY

    def _event(self, b, o, s, now):
        """One of the two youngest events kept, so that a neighbour sees what we lack."""
        e = self.mesh.events
        if e.alive(s, now):
            pack_into(">HH", b, o, e.origin[s], e.seq[s])

    def _record(self, b, o, id):
        """Which frame of whom we heard, and when."""
        r = self.room
        i = r.find(id)
        if i > 0 and r.state[i] & _NEAR:
            at = r.heard[i]
            clock = self.mesh.clock
            pack_into(
                ">HIHIBB",
                b,
                o,
                id,
                r.epoch[i],
                r.beat[i],
                clock.time(at),
                -r.rssi[i] & 127 | (r.state[i] & _FRESH) << 6,  # bit 7: we believe it
                clock.part(at) & 255,
            )

    # --- in -------------------------------------------------------------------------------------------------

    def read(self, now, row: int, p: int, beat: int, heard) -> None:
        """Merge an opened STATE payload of p blocks of the node in `row`; beat, heard: of its frame before this one."""
        mesh = self.mesh
        r = self.room
        b: ptr8 = mesh.pool.plain
        end = _BEACON + _ENTRY * b[7]
        if end > p << 4:
            return
        id: int = r.node[row]
        if b[14] & 2:
            self._before = id
            self._asked = 1
            mesh.hurry()
        elif id != self._last:
            if not self._asked:
                self._before = self._last
            self._last = id
        # proof of life, once per boot of ours: a mention of this very boot
        if not r.state[row] & _FRESH:
            if not self._proof(b, 34) and not self._proof(b, 48):
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
        rows = r.rows
        versions: ptr16 = r.version
        for o in range(_BEACON, end, _ENTRY):
            id = b[o] << 8 | b[o + 1]
            i: int = rows.get(id, -1)
            if i > 0 and versions[i] == (b[o + 2] << 8 | b[o + 3]) and b[o + 9]:
                r.todo[i] = 0  # heard again: no need to repeat it
            else:
                self._merge(b, o, now, i, id)
        if r.digest != (b[16] << 16 | get16(b, 17)):
            self._sweep = 2
        self._ask(b, now)

    def _proof(self, b: ptr8, o: int) -> bool:
        """A record of one of our last 64 frames: who made it is alive now."""
        m = self.mesh
        return (
            get16(b, o) == m.node and get30(b, o + 2) == m.epoch and (m.seq - get16(b, o + 6)) & 0xFFFF < 64
        )

    def _shared(self, b: ptr8, o: int, use) -> None:
        """A record of a frame that we heard as well: its sender is alive, and it ties two clocks together.

        Where the frame was our own, its delay on the way errs to the other side than that of the sender's word.
        """
        r = self.room
        i: int = r.find(get16(b, o))
        if i >= 0 and r.epoch[i] == get30(b, o + 2):
            if b[o + 12] & 128:
                r.state[i] |= _FRESH
            if use and r.state[i] & _NEAR and r.beat[i] == get16(b, o + 6):
                self.mesh.clock.sample(r.heard[i], get30(b, o + 8), b[o + 13], i)

    def _merge(self, b: ptr8, o: int, now, i: int, id: int) -> None:
        """An entry that is not simply known already."""
        r = self.room
        version: int = get16(b, o + 2)
        old = b[o + 9]
        if old >= _OLD or not 0 < id < 0xFFFF:
            return
        if i < 0:
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
            r.renew(i, version)
            r.share(
                i,
                (b[o + 4] * 257) >> 4,
                (b[o + 5] * 257) >> 4,
                b[o + 6],
                (b[o + 7] * 257) >> 4,
                b[o + 8],
            )
            r.todo[i] = 1
        elif new or old:
            return
        r.made[i] = later(now, -old * _AGE_MS)  # the sender's own entry is as old as the frame
        r.age[i] = old * _AGE_MS

    def _ask(self, b: ptr8, now) -> None:
        """What the sender lacks and we have: events, and the latest of the sticky kinds."""
        mesh = self.mesh
        e = mesh.events
        s: int = e.newest
        for o in range(26, 34, 4):
            if e.alive(s, now) and (get16(b, o) != e.origin[s] or get16(b, o + 2) != e.seq[s]):
                # not in our order: it would name one that is younger than its second, if it had it
                k: int = e.find(get16(b, 30), get16(b, 32))
                if s != e.find(get16(b, 26), get16(b, 28)) and (
                    not get16(b, 30) or (k >= 0 and diff(e.born[s], e.born[k]) > 0)
                ):
                    e.wake(s, now)
            s = e.newer
        for k in range(1, 4):
            theirs: int = get16(b, 18 + 2 * k)
            mine: int = mesh.latest[k]
            if mine != theirs and mine and (not theirs or (mine - theirs) & 0xFFFF < 0x8000):
                mesh.serve(k)

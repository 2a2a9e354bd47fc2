"""What events say: told, obeyed once, and the latest of each sticky kind told again to late-comers.

In: bodies to tell, opened payloads of EVENT frames in pool.plain. Out: handlers called; frames for Trickle (events.py).
A commanded kind carries a second tag, under the command key: outsiders cannot speak, insiders cannot command.
"""

from struct import pack_into

from .events import BLOCKS, copy
from .frame import diff, fold, get16, get30, later

_M = const(0x3FFFFFFF)
_EVENT = const(2)
_KINDS = const(16)
_POLICY = const(2)  # kinds of events, as in frame.py
_CONFIG = const(3)
_LINKS = const(8)
_FRESH = const(2)  # bit of a row, as in roster.py
_LIFE_MS = const(30000)  # as in events.py
_EVERYBODY = const(0xFFFF)
_DATA_MAX = const(200)
_TTL = const(15)


class Messages:
    """The part of a Mesh that speaks in events; the rest (frames, keys, clock, table) is `Mesh`."""

    def __init__(self):
        self.latest = [0] * 4  # counter of the latest event of each sticky kind
        self._kept = [6] * 4  # the slot where it is kept; 6: none yet
        self._serve = [0] * 4  # local ms at which to tell late-comers, 0 = not asked
        self._on = [None] * _KINDS
        self.on(_LINKS, self._linked)
        self.told = b""  # the last answer to a question for links, until somebody fetches it
        self.stale = self.refused = 0

    def on(self, kind, handler):
        """handler(buf, start, n, origin, at) is called once per event of this kind (at: mesh ms, -1 = at once)."""
        self._on[kind] = handler

    # --- out ------------------------------------------------------------------------------------------------

    def send_event(self, kind, buf, n, at, target=_EVERYBODY):
        """Tell everybody (or one node) buf[0:n], n <= 200; at: mesh ms, or -1 for at once. Own handlers hear it as well.

        False where it may not (POLICY and CONFIG need keys that may command) or cannot. Not from within a handler of
        an event of one's own.
        """
        if n > _DATA_MAX or self.fault & 5:  # no keys, no epoch
            return False
        b = self.pool.plain
        for k in range(n):
            b[16 + k] = buf[k]
        cmac = None
        keys = self.keys
        if kind == _POLICY or kind == _CONFIG:
            cmac = keys.commands.get(keys.command)
            if not cmac:
                self.refused += 1
                return False
        # two who tell at once shall not get the same counter: the later one in its order holds everywhere
        pack_into(
            ">BBBHHI",
            b,
            5,
            keys.command if cmac else 0,
            kind,
            n,
            (self.latest[kind] + (self.chance() & 15)) % 0xFFFF + 1 if kind < 4 else 0,
            target,
            at & _M,
        )
        if at < 0:
            b[12] = 255
        n += 16
        if cmac:
            cmac.sign(b, 6, n - 6)
            for k in range(8):
                b[n + k] = cmac.tag[k]
            n += 8
        return self._tell(n)

    def send_command(self, buf, n):
        """Tell everybody a command body that the host sealed: buf[0:n] is the payload from byte 5 on."""
        if not 19 <= n <= 219 or self.fault & 5:
            return False
        for k in range(n):
            self.pool.plain[5 + k] = buf[k]
        return self._tell(5 + n)

    def _tell(self, end):
        """Obey and send pool.plain[5:end] as an event of ours."""
        b = self.pool.plain
        self._stamp(b)
        for p in BLOCKS:
            if end <= p << 4:
                break
        for k in range(end, p << 4):
            b[k] = 0
        kind = self._obey(self.node)
        if not kind:
            return False
        self._close(_EVENT, _TTL, p)
        self._keep(self.pool.work, self.node, self.seq, _TTL, kind, self.clock.time(self.now))
        return True

    def _stamp(self, b):
        pack_into(">IB", b, 0, self.clock.time(self.now), self.clock.synced)

    def _keep(self, frame, origin, seq, ttl, kind, born):
        """Pass an event on; the latest of a sticky kind stays."""
        e = self.events
        slot = e.keep(self.now, frame, origin, seq, ttl, born)
        if 0 < kind < 4:
            e.pinned[self._kept[kind]] = 0
            self._kept[kind] = slot
            e.pinned[slot] = 1

    def serve(self, kind):
        """A neighbour lacks the latest event of a sticky kind: tell it soon, unless another does."""
        if not self._serve[kind]:
            self._serve[kind] = later(self.now, 40 + (self.chance() * 400 >> 10))

    def _retell(self):
        """Wrap the latest events that somebody lacks in fresh frames for the neighbours."""
        pool = self.pool
        work = pool.work
        for kind in range(1, 4):
            due = self._serve[kind]
            if due and diff(self.now, due) >= 0:
                self._serve[kind] = 0
                copy(work, self.events.frames[self._kept[kind]])
                seal = self.keys.seals.get(work[14])
                p = work[15]
                if seal and seal.open(work, pool.work_at, p):
                    self._stamp(pool.plain)
                    self._send(self._close(_EVENT, 1, p))

    def _linked(self, buf, start, n, origin, at):
        """LINKS: a question (n = 0) is answered with how our clock stands and whom we hear how well; an answer is kept."""
        if not n:
            start = 0
            buf = self.pool.work
            r = self.room
            c = self.clock
            pack_into(">HHBhi", buf, 0, self.node, c.root, c.hops, c.rate, c.error)
            n = 11
            for i in range(1, r.count):
                if r.rssi[i] and n < 198:
                    pack_into(">HB", buf, n, r.node[i], -r.rssi[i])
                    n += 3
            if origin != self.node:
                self.send_event(_LINKS, buf, n, -1, origin)
                return
        self.told = bytes(buf[start : start + n])

    # --- in -------------------------------------------------------------------------------------------------

    def _current(self, row):
        """True where the event in pool.plain is of now: by mesh time, or by a sender proved to be alive."""
        b = self.pool.plain
        state = self.room.state
        ok = row > 0 and state[row] & _FRESH
        if b[4] & 1 and self.clock.synced:
            ok = -_LIFE_MS < diff(self.clock.time(self.now), get30(b, 0)) < _LIFE_MS
        if not ok:
            self.stale += 1
        elif row > 0:
            state[row] |= _FRESH
        return ok

    def _obey(self, origin):
        """Check the event in pool.plain and hand it to its handler. Its kind, or 0 where it is old or not to be believed."""
        b = self.pool.plain
        kind = b[6]
        n = b[7]
        if n > _DATA_MAX or not 0 < kind < _KINDS:
            return 0
        if kind == _POLICY or kind == _CONFIG:
            cmac = self.keys.commands.get(b[5])
            if cmac:
                cmac.sign(b, 6, 10 + n)
            if not cmac or fold(self.pool.work, b, 16 + n, cmac.tag, 8):
                self.refused += 1
                return 0
        if kind < 4:
            c = get16(b, 8)
            last = self.latest[kind]
            if c == last:
                self._serve[kind] = 0  # another tells it already
            if not c or c == last or (last and (c - last) & 0xFFFF > 0x7FFF):
                return 0
            self.latest[kind] = c
        target = get16(b, 10)
        handler = self._on[kind]
        if handler and (target == _EVERYBODY or target == self.node):
            handler(b, 16, n, origin, -1 if b[12] > 63 else get30(b, 12))
        return kind

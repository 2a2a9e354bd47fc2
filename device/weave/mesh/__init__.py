"""The mesh: tells everyone, keeps time, lets nobody in.

In:  a radio (see ../README.md), an NVS for the epoch, Keys, the node's id; per tick the local ms; own values by share().
Out: `room` the table of the cluster (roster.py), `time(now)` mesh ms, `synced`, `neighbours` in earshot, handlers called
     with events, counters. The wire is specified in README.md.
Order of checks on a frame: length, version, net, key, origin, replay window (read only), token buckets, tag; then the window
is committed and, only then, anything is remembered about the sender.
"""

from micropython import const

from .clock import Clock
from .events import BLOCKS, Events
from .frame import diff, get16, get30, later, put16, put30
from .gossip import Gossip
from .roster import Roster

_M = const(0x3FFFFFFF)
_VERSION = const(0x51)
_STATE = const(1)
_EVENT = const(2)
_KINDS = const(16)
_POLICY = const(2)  # kinds of events, as in frame.py
_CONFIG = const(3)
_FRESH = const(2)  # bit of a row, as in roster.py
_LIFE_MS = const(30000)  # as in events.py
_EVERYBODY = const(0xFFFF)
_DATA_MAX = const(200)
_TTL = const(15)
_DRAIN = const(40)  # frames taken from the radio in one tick; the buckets bound what is opened
_SLOW_MS = const(100)
_NO_KEYS = const(1)  # bits of fault
_NO_RADIO = const(2)
_NO_EPOCH = const(4)


class Mesh:
    """One node's share of the mesh. keys None: the node listens to nobody and says so in `fault`.

    cluster_max: rows of the table, <= 254. slots: events kept. period: least ms between beacons.
    fault bits: 1 no keys, 2 the radio does not come back, 4 the epoch could not be stored (the node may not command).
    Counters: sent, received (opened), rejected (malformed or foreign), duplicates, throttled, forged (wrong tag),
    stale (events
    that are not provably of now), refused (commands without right), full (no row), restarts (of the radio), raised (by it).
    """

    def __init__(self, radio, nvs, keys, node, cluster_max=64, slots=6, period=450):
        self.radio = radio
        self.nvs = nvs
        self.keys = keys
        self.node = node
        self.period = period
        self.epoch = nvs.get("epoch") & _M
        self.fault = 0 if keys else _NO_KEYS
        self._begin_epoch()
        self.now = 0
        self.room = Roster(cluster_max, node)
        self.room.version[0] = (self.epoch << 6) & 0xFFFF
        self.clock = Clock(node, self.epoch)
        self.events = Events(slots)
        self.gossip = Gossip(self)
        self.latest = [0, 0, 0, 0]  # counter of the latest event of each sticky kind
        self._slots = [-1, -1, -1, -1]  # and where it is kept
        self._serve = [0, 0, 0, 0]  # local ms at which to tell late-comers, 0 = not asked
        self._handlers = [None] * _KINDS
        self.pool = keys.pool if keys else None
        view = memoryview(radio.buf)
        self._in_at = [view[16 : 16 + 16 * p] for p in range(15)]
        self._in = [view[: 24 + 16 * p] if p in BLOCKS else None for p in range(15)]
        self._random = (node * 7919 + self.epoch * 1049) & 0xFFFFF
        self._begun = False
        self._next = self._slow = self._told = self._restarted = self._quiet = 0
        self._row = self._rowless = self._fails = 0  # _rowless: beacons since our last of those without a row
        self._tokens = self._strangers = 25
        self.synced = 0  # 1 once the node has a mesh time
        self.neighbours = 0  # nodes in earshot; both are brought up to date ten times a second
        self.sent = self.received = self.rejected = self.duplicates = self.throttled = 0
        self.forged = self.stale = self.full = self.refused = self.restarts = self.raised = 0

    # --- what the rest of the node uses ---------------------------------------------------------------------

    def time(self, now):
        """Mesh ms (30 bits) of the local ms `now`."""
        return self.clock.time(now & _M)

    def on(self, kind, handler):
        """handler(buf, start, n, origin, at) is called once per event of this kind (at: mesh ms, -1 = at once)."""
        self._handlers[kind] = handler

    def share(self, arousal, fast, confidence, g, flags):
        """Own values, every tick: Q12, Q12, 0..255, Q12, 0..255. They travel with the next beacon."""
        r = self.room
        r.arousal[0] = arousal
        r.fast[0] = fast
        r.confidence[0] = confidence
        r.g[0] = g
        r.flags[0] = flags

    def send_event(self, kind, buf, n, at, target=_EVERYBODY):
        """Tell everybody (or one node) buf[0:n], n <= 200; at: mesh ms, or -1 for at once. Own handlers hear it as well.

        False where it may not (POLICY and CONFIG need keys that may command) or cannot. Not from within a handler of
        an event of one's own.
        """
        if n > _DATA_MAX or self.fault & (_NO_KEYS | _NO_EPOCH):
            return False
        b = self.pool.plain
        b[5] = 0
        b[6] = kind
        b[7] = n
        put16(b, 8, (self.latest[kind] % 0xFFFF + 1) if kind < 4 else 0)
        put16(b, 10, target)
        put30(b, 12, at)
        if at < 0:
            b[12] = 255
        for k in range(n):
            b[16 + k] = buf[k]
        n += 16
        if kind == _POLICY or kind == _CONFIG:
            b[5] = self.keys.command_id()
            cmac = self.keys.command(b[5])
            if not cmac or not self.keys.may_command:
                self.refused += 1
                return False
            cmac.sign(b, 6, n - 6)
            for k in range(8):
                b[n + k] = cmac.tag[k]
            n += 8
        return self._tell(n)

    def send_command(self, buf, n):
        """Tell everybody a command body that the host sealed: buf[0:n] is the payload from byte 5 on."""
        if not 19 <= n <= 219 or self.fault & (_NO_KEYS | _NO_EPOCH):
            return False
        b = self.pool.plain
        for k in range(n):
            b[5 + k] = buf[k]
        return self._tell(5 + n)

    # --- the tick -------------------------------------------------------------------------------------------

    def step(self, now):
        """Drain the radio, send what is due."""
        now &= _M
        self.now = now
        if self.fault & _NO_KEYS:
            return
        if not self._begun:
            self._begun = True
            self.clock.begin(now)
            self._next = later(now, self.chance() * 500 >> 10)
            self._slow = self._told = self._restarted = self._quiet = now
        left = _DRAIN
        while left:
            try:
                n = self.radio.recv()
            except Exception:  # ValueError: the receive ring lost its step; nothing of this may stop the tick
                self.raised += 1
                self._restart(now)
                break
            if not n:
                break
            self._receive(n, now)
            left -= 1
        if self.events.active:
            view = self.events.due(now, self.chance())
            if view:
                self._send(view, now)
        if diff(now, self._slow) >= 0:
            self._tidy(now)
        if diff(now, self._next) >= 0:
            self._beacon(now)

    def chance(self):
        """A random number 0..1023 (linear congruence of 20 bits; nothing secret depends on it)."""
        x = (self._random * 1021 + 7) & 0xFFFFF
        self._random = x
        return x >> 10

    def hurry(self, now):
        """Somebody asks who is alive: beacon within 200 ms."""
        soon = later(now, 20 + (self.chance() * 180 >> 10))
        if diff(self._next, soon) > 0:
            self._next = soon

    def serve(self, kind, now):
        """A neighbour lacks the latest event of a sticky kind: tell it soon, unless another does."""
        if not self._serve[kind] and self._slots[kind] >= 0:
            self._serve[kind] = later(now, 40 + (self.chance() * 400 >> 10)) or 1

    # --- out ------------------------------------------------------------------------------------------------

    def _begin_epoch(self):
        """A number never used before, stored before the first frame under it is sent."""
        self.seq = 0
        self.epoch = (self.epoch + 1) & _M
        self.nvs.set("epoch", self.epoch)
        if not self.nvs.commit() or self.nvs.get("epoch") != self.epoch:
            self.fault |= _NO_EPOCH

    def _close(self, type, ttl, p):
        """Seal pool.plain as our next frame; returns its view."""
        if self.seq >= _M - 1:  # eight years of beacons
            self._begin_epoch()
        self.seq += 1
        w = self.pool.work
        w[0] = _VERSION
        w[1] = self.keys.net
        w[2] = type
        w[3] = ttl
        put16(w, 4, self.node)
        put30(w, 6, self.epoch)
        put30(w, 10, self.seq)
        w[14] = self.keys.use
        w[15] = p
        self.keys.seal(self.keys.use).close(p)
        return self.pool.frame[p]

    def _beacon(self, now):
        """Send a STATE frame and set the time of the next."""
        r = self.room
        self.clock.step(now)
        # a new version with every beacon of a small room, every 3.2 s with 200 nodes: what the air can carry
        if diff(now, self._told) >= r.count * 16:
            self._told = now
            r.version[0] = (r.version[0] + 1) & 0xFFFF
        r.made[0] = now
        g = self.gossip
        p = g.build(now)
        view = self._close(_STATE, 1, p)
        g.sent_ok = self._send(view, now)
        g.sent_at = later(now, (16 * p + 109) >> 7)  # the airtime at 1 Mbit/s
        g.sent_seq = self.seq
        pace = (
            r.near + self._rowless
        ) * 38  # 26 frames a second in earshot: 2.2 ms of air each, and what a node can open
        self._rowless = 0
        if pace < self.period:
            pace = self.period
        self._next = later(now, pace - (pace >> 3) + ((pace >> 2) * self.chance() >> 10))

    def _stamp(self, b):
        put30(b, 0, self.clock.time(self.now))
        b[4] = self.clock.synced

    def _tell(self, end):
        """Obey and send pool.plain[5:end] as an event of ours."""
        b = self.pool.plain
        self._stamp(b)
        p = 0
        while BLOCKS[p] << 4 < end:
            p += 1
        p = BLOCKS[p]
        for k in range(end, p << 4):
            b[k] = 0
        kind = self._obey(self.node)
        if not kind:
            return False
        self._keep(self._close(_EVENT, _TTL, p), self.node, self.seq, p, _TTL, kind)
        return True

    def _keep(self, view, origin, seq, p, ttl, kind):
        """Pass an event on; the latest of a sticky kind stays."""
        e = self.events
        slot = e.keep(self.now, view, origin, seq, p, ttl)
        if 0 < kind < 4:
            if self._slots[kind] >= 0:
                e.pinned[self._slots[kind]] = 0
            self._slots[kind] = slot
            e.pinned[slot] = 1

    def _retell(self, kind):
        """Wrap the latest event of a sticky kind in a fresh frame for the neighbours."""
        pool = self.pool
        p = self.events.unpack(self._slots[kind], pool.work)
        seal = self.keys.seal(pool.work[14])
        if seal and seal.open(pool.work, pool.work_at, p):
            self._stamp(pool.plain)
            self._send(self._close(_EVENT, 1, p), self.now)

    def _send(self, view, now):
        """1 where the radio took it. A refused send has taken 2 s on a chip: no other before a restart."""
        if not self.fault & _NO_RADIO:
            try:
                ok = self.radio.send(view)
            except Exception:
                ok = False
            if ok:
                self._fails = 0
                self.sent += 1
                return 1
            self.fault |= _NO_RADIO
        return 0

    def _restart(self, now):
        """Off and on again, ever less often while nothing can be sent: after 2, 4, 8, 16 s."""
        if self.restarts and diff(now, self._restarted) < 2000 << self._fails:
            return
        self._restarted = now
        if self._fails < 3:
            self._fails += 1
        self.restarts += 1
        try:
            if self.radio.restart() is not False:
                self.fault &= ~_NO_RADIO
        except Exception:
            self.fault |= _NO_RADIO

    def _tidy(self, now):
        """Ten times a second: buckets, ages of a tenth of the table, late-comers, a deaf radio."""
        self._slow = later(now, _SLOW_MS)
        if self.fault & _NO_RADIO:
            self._restart(now)
        self._tokens = min(self._tokens + 20, 30)
        self._strangers = min(self._strangers + 3, 25)
        r = self.room
        self.synced = self.clock.synced
        self.neighbours = r.near
        step = r.count // 10 + 1
        r.grow(now, self._row, step)
        self._row += step
        if self._row >= r.count:
            self._row = 0
        for k in (1, 2, 3):
            if self._serve[k] and diff(now, self._serve[k]) >= 0:
                self._serve[k] = 0
                self._retell(k)
        if diff(now, self._quiet) > 60000:  # nobody for a minute, though somebody was there
            self._quiet = now
            if self.received:
                self._restart(now)

    # --- in -------------------------------------------------------------------------------------------------

    def _receive(self, n, now):
        radio = self.radio
        b = radio.buf
        p = (n - 24) >> 4
        if p < 1 or n > 248 or n & 15 != 8 or b[0] != _VERSION or b[1] != self.keys.net or b[15] != p:
            self.rejected += 1
            return
        type = b[2]
        seal = self.keys.seal(b[14])
        origin = b[4] << 8 | b[5]
        if not seal or (type != _STATE and (type != _EVENT or not self._in[p])) or (b[6] | b[10]) > 63:
            self.rejected += 1
            return
        seq = get30(b, 10)
        r = self.room
        row = r.find(origin)
        if row == 0 or (row > 0 and not r.fresh(row, get30(b, 6), seq)):
            self.duplicates += 1
            if type == _EVENT:
                self._again(b, origin, n)
            return
        mac = radio.mac
        mac = (mac[2] & 63) << 24 | mac[3] << 16 | mac[4] << 8 | mac[5]
        known = r.row_of_mac(mac)
        if not self._tokens or not (r.tokens[known] if known > 0 else self._strangers):
            self.throttled += 1
            return
        self._tokens -= 1
        if known > 0:
            r.tokens[known] -= 1
        else:
            self._strangers -= 1
        if not origin or origin == _EVERYBODY or not seal.open(b, self._in_at, p):
            self.forged += 1
            return
        if row < 0:
            row = r.add(origin, now)
            if row < 0:  # a full table: events still pass, each once as long as a slot remembers it
                self.full += 1
                if type == _STATE:
                    self._rowless += 1
                    return
                if self.events.find(origin, seq & 0xFFFF) >= 0:
                    self._again(b, origin, n)
                    return
        if row > 0:
            r.take(row, get30(b, 6), seq)
        self.keys.heard(b[14])
        self.received += 1
        self._quiet = now
        if type == _STATE:
            beat = r.beat[row]
            heard = r.heard[row]
            r.hear(row, mac, radio.rssi, radio.time, seq)
            self.gossip.read(now, row, p, beat, heard)
            return
        ttl = b[3]
        if ttl > _TTL:
            ttl = _TTL
        kind = self._obey(origin) if self._current(row) else 0
        if kind or ttl > 1:
            self._keep(self._in[p], origin, seq, p, ttl - 1 if ttl else 0, kind)

    def _again(self, b, origin, n):
        """A copy of an event: it counts for Trickle if its tag is the true one."""
        e = self.events
        s = e.find(origin, get16(b, 12))
        if s >= 0:
            f = e.frames[s]
            for k in range(n - 8, n):
                if f[k] != b[k]:
                    return
            e.hear(s)

    def _current(self, row):
        """True where the event in pool.plain is of now: by mesh time, or by a sender proved to be alive."""
        b = self.pool.plain
        r = self.room
        ok = row > 0 and r.state[row] & _FRESH
        if b[4] & 1 and self.clock.synced:
            ok = -_LIFE_MS < diff(self.clock.time(self.now), get30(b, 0)) < _LIFE_MS
        if not ok:
            self.stale += 1
            return False
        if row > 0:
            r.state[row] |= _FRESH
        return True

    def _obey(self, origin):
        """Check the event in pool.plain and hand it to its handler. Its kind, or 0 where it is old or not to be believed."""
        b = self.pool.plain
        kind = b[6]
        n = b[7]
        if n > _DATA_MAX or not 0 < kind < _KINDS:
            return 0
        if kind == _POLICY or kind == _CONFIG:
            cmac = self.keys.command(b[5])
            wrong = 1
            if cmac:
                cmac.sign(b, 6, 10 + n)
                wrong = 0
                for k in range(8):
                    wrong |= cmac.tag[k] ^ b[16 + n + k]
            if wrong:
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
        handler = self._handlers[kind]
        if handler and (target == _EVERYBODY or target == self.node):
            handler(b, 16, n, origin, -1 if b[12] > 63 else get30(b, 12))
        return kind

"""The mesh: tells everyone, keeps time, lets nobody in.

In:  a radio (see ../README.md), an NVS for the epoch, Keys, the node's id; per tick the local ms; own values by share().
Out: `room` the table of the cluster (roster.py), `time(now)` mesh ms, `synced`, `neighbours` in earshot, handlers
called with
     events, counters. The wire is specified in README.md.
Order of checks on a frame: length, version, net, key, origin, replay window (read only), token buckets, tag; then the
window is
committed and, only then, anything is remembered about the sender.
"""

from micropython import const

from weave.mesh.clock import Clock
from weave.mesh.events import BLOCKS, LIFE_MS, Events, blocks_for
from weave.mesh.frame import (
    AT_ONCE,
    DATA_MAX,
    EVERYBODY,
    KINDS,
    airtime_ms,
    get16,
    get30,
    later,
    put16,
    put32,
)
from weave.mesh.gossip import Gossip
from weave.mesh.roster import FRESH, Roster

_M = const(0x3FFFFFFF)
_H = const(0x20000000)
_VERSION = const(0x51)
_STATE = const(1)
_EVENT = const(2)
_TTL = const(15)
_DRAIN = const(10)  # frames taken from the radio in one tick
_SLOW_MS = const(100)
_SHIFT = const(40)  # Q12: a change of 0.01 is worth a new version


class Mesh:
    """One node's share of the mesh. `keys` None: the node listens to nobody and says so in `fault`.

    cluster_max: rows of the table, <= 254. slots: events kept. period: ms between beacons.
    """

    def __init__(self, radio, nvs, keys, node, cluster_max=64, slots=8, period=500):
        self.radio = radio
        self.keys = keys
        self.node = node
        self.period = period
        self.epoch = (nvs.get("epoch") + 1) & _M
        nvs.set("epoch", self.epoch)
        self.sworn = (
            nvs.commit() and nvs.get("epoch") == self.epoch
        )  # may command: this epoch is never used again
        self.seq = 0
        self.nvs = nvs
        self.now = 0
        self.room = Roster(cluster_max, node)
        self.room.renew(0, (self.epoch << 6) & 0xFFFF)
        self.clock = Clock(node, self.epoch)
        self.events = Events(slots)
        self.latest = [0, 0, 0, 0]  # counter of the latest event of each sticky kind
        self._latest_slot = [-1, -1, -1, -1]
        self._serve = [0, 0, 0, 0]  # local ms at which to tell late-comers, 0 = not asked
        self.gossip = Gossip(self)
        self._handlers = [None] * KINDS
        self.pool = keys.pool if keys else None
        view = memoryview(radio.buf)
        self._in_at = [view[16 : 16 + 16 * p] for p in range(15)]
        self._in = [view[: 24 + 16 * p] if p in BLOCKS else None for p in range(15)]
        self._random = (node * 7919 + self.epoch * 104729) & 0xFFFFF
        self._begun = False
        self._next = 0
        self._slow = 0
        self._row = 0
        self._tokens = 60
        self._strangers = 25
        self._version_at = 0
        self._fails = 0
        self._restarted = 0
        self._quiet = 0
        self.last_seq = self.last_heard = 0
        self.sent = self.received = self.rejected = self.duplicates = self.throttled = 0
        self.forged = self.stale = self.full = self.refused = self.restarts = self.samples = self.raised = 0
        self.fault = 0 if keys else 1

    # --- what the rest of the node uses ---------------------------------------------------------------------

    @property
    def synced(self):
        """1 once the node has a mesh time."""
        return self.clock.synced

    @property
    def neighbours(self):
        """Nodes in earshot."""
        return self.room.near

    def time(self, now):
        """Mesh ms (30 bits) of the local ms `now`."""
        return self.clock.time(now)

    def on(self, kind, handler):
        """handler(buf, start, n, origin, at) is called once per event of this kind (at = -1: at once)."""
        self._handlers[kind] = handler

    def share(self, arousal, fast, confidence, g, flags):
        """Own values, every tick: Q12, Q12, 0..255, Q12, 0..255. They travel with the next beacon."""
        r = self.room
        r.arousal[0] = arousal
        r.fast[0] = fast
        r.confidence[0] = confidence
        r.g[0] = g
        r.flags[0] = flags

    def send_event(self, kind, buf, n, at, target=EVERYBODY):
        """Tell everybody (or one node) buf[0:n]; at: mesh ms, or -1 for at once. False where it may not or cannot."""
        if n > DATA_MAX or not self.keys or not self.sworn:
            return False
        b = self.pool.plain
        b[5] = 0
        b[6] = kind
        b[7] = n
        put16(b, 8, self._counter(kind))
        put16(b, 10, target)
        put32(b, 12, at)
        if at < 0:
            b[12] = 255
        for k in range(n):
            b[16 + k] = buf[k]
        end = 16 + n
        if kind == 2 or kind == 3:
            if not self.keys.may_command:
                self.refused = (self.refused + 1) & _M
                return False
            b[5] = self.keys.command_id()
            cmac = self.keys.command(b[5])
            if not cmac:
                return False
            cmac.sign(b, 6, 10 + n)
            for k in range(8):
                b[end + k] = cmac.tag[k]
            end += 8
        return self._tell(end, _TTL, True)

    def send_command(self, buf, n):
        """Tell everybody a command that the host sealed (pulseweave.network.command): buf[0:n] from byte 5 of the
        payload on.
        """
        if n > 219 or n < 19 or not self.keys or not self.sworn:
            return False
        b = self.pool.plain
        for k in range(n):
            b[5 + k] = buf[k]
        return self._tell(5 + n, _TTL, True)

    # --- the tick -------------------------------------------------------------------------------------------

    def step(self, now):
        """Drain the radio, send what is due."""
        now &= _M
        self.now = now
        if self.fault & 1:
            return
        if not self._begun:
            self._begun = True
            self.clock.begin(now)
            self._next = later(now, self.chance() * 500 >> 10)
            self._slow = self._restarted = self._quiet = self._version_at = now
        left = _DRAIN
        while left:
            try:
                n = self.radio.recv()
            except Exception:  # ValueError: the receive ring lost its step; nothing of this may stop the tick
                self.raised = (self.raised + 1) & _M
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
        if ((((now - self._next) & _M) ^ _H) - _H) >= 0:
            self._beacon(now)
        if ((((now - self._slow) & _M) ^ _H) - _H) >= 0:
            self._tidy(now)

    def chance(self):
        """A random number 0..1023 (linear congruence of 20 bits; nothing secret depends on it)."""
        x = (self._random * 1021 + 7) & 0xFFFFF
        self._random = x
        return x >> 10

    def hurry(self, now):
        """Somebody asks who is alive: beacon within 200 ms."""
        soon = later(now, 20 + (self.chance() * 180 >> 10))
        if ((((self._next - soon) & _M) ^ _H) - _H) > 0:
            self._next = soon

    def serve(self, kind, now):
        """A neighbour lacks the latest event of a sticky kind: tell it soon, unless another does."""
        if not self._serve[kind] and self._latest_slot[kind] >= 0:
            self._serve[kind] = later(now, 40 + (self.chance() * 400 >> 10)) or 1

    # --- out ------------------------------------------------------------------------------------------------

    def _header(self, type, ttl, p):
        if self.seq >= 0x3FFFFFFE:  # eight years of beacons: begin a new epoch
            self.seq = 0
            self.epoch = (self.epoch + 1) & _M
            self.nvs.set("epoch", self.epoch)
            self.sworn = self.nvs.commit()
        self.seq += 1
        w = self.pool.work
        w[0] = _VERSION
        w[1] = self.keys.net
        w[2] = type
        w[3] = ttl
        put16(w, 4, self.node)
        put32(w, 6, self.epoch)
        put32(w, 10, self.seq)
        w[14] = self.keys.use
        w[15] = p

    def _beacon(self, now):
        """Send a STATE frame and set the time of the next."""
        r = self.room
        self.clock.step(now)
        # a new version with every beacon of a small room, every 3.6 s with 200 nodes: what the air can carry
        if (((now - self._version_at) & _M) ^ _H) - _H >= r.count * 18:
            self._version_at = now
            r.renew(0, (r.version[0] + 1) & 0xFFFF)
        r.made[0] = now
        g = self.gossip
        p = g.build(now)
        self._header(_STATE, 1, p)
        seq = self.seq
        self.keys.seal(self.keys.use).close(p)
        g.sent_ok = self._send(self.pool.frame[p], now)
        g.sent_at = later(now, airtime_ms(24 + 16 * p))
        g.sent_seq = seq
        pace = self.period
        if pace < r.near * 31:  # 2.2 ms a frame, 7 % of the air
            pace = r.near * 31
        self._next = later(now, pace - (pace >> 3) + ((pace >> 2) * self.chance() >> 10))

    def _counter(self, kind):
        if kind <= 3:
            return ((self.latest[kind] + 1) & 0xFFFF) or 1
        return 0

    def _tell(self, end, ttl, deliver):
        """Seal pool.plain[5:end] as an event of ours; deliver: to our own handlers as well."""
        now = self.now
        b = self.pool.plain
        put32(b, 0, self.clock.time(now))
        b[4] = self.clock.synced
        p = blocks_for(end)
        for k in range(end, p << 4):
            b[k] = 0
        if deliver and not self._obey(self.node, False):
            return False
        self._header(_EVENT, ttl, p)
        kind = b[6]
        self.keys.seal(self.keys.use).close(p)
        slot = self.events.keep(now, self.pool.frame[p], self.node, self.seq, p, ttl, 0)
        if deliver and kind <= 3:
            self._pin(kind, slot)
        return True

    def _pin(self, kind, slot):
        old = self._latest_slot[kind]
        if old >= 0:
            self.events.pinned[old] = 0
        self._latest_slot[kind] = slot
        self.events.pinned[slot] = 1

    def _retell(self, kind):
        """Wrap the latest event of a sticky kind in a fresh frame for the neighbours."""
        s = self._latest_slot[kind]
        p = self.events.unpack(s, self.pool.work)
        seal = self.keys.seal(self.pool.work[14])
        if not seal or not seal.open(self.pool.work, self.pool.work_at, p):
            return
        b = self.pool.plain
        put32(b, 0, self.clock.time(self.now))
        b[4] = self.clock.synced
        self._header(_EVENT, 1, p)
        self.keys.seal(self.keys.use).close(p)
        self._send(self.pool.frame[p], self.now)

    def _send(self, view, now):
        """1 where the radio took it. A radio that refuses again and again is restarted."""
        try:
            ok = self.radio.send(view)
        except Exception:
            ok = False
        if ok:
            self._fails = 0
            self.sent = (self.sent + 1) & _M
            return 1
        self._fails += 1
        if self._fails >= 8:
            self._restart(now)
        return 0

    def _restart(self, now):
        if self.restarts and (((now - self._restarted) & _M) ^ _H) - _H < 2000:
            return
        self._restarted = now
        self._fails = 0
        self.restarts = (self.restarts + 1) & _M
        try:
            self.radio.restart()
            self.fault &= ~2
        except Exception:
            self.fault |= 2

    def _tidy(self, now):
        """Ten times a second: buckets, ages of a tenth of the table, late-comers, a deaf radio."""
        self._slow = later(now, _SLOW_MS)
        self._tokens = self._tokens + 20 if self._tokens < 40 else 60
        self._strangers = self._strangers + 3 if self._strangers < 22 else 25
        r = self.room
        step = r.count // 10 + 1
        lost = r.grow(now, self._row, step)
        if lost > 0:
            r.remove(lost)
        self._row += step
        if self._row >= r.count:
            self._row = 0
        for k in range(1, 4):
            if self._serve[k] and ((((now - self._serve[k]) & _M) ^ _H) - _H) >= 0:
                self._serve[k] = 0
                self._retell(k)
        if (((now - self._quiet) & _M) ^ _H) - _H > 60000:
            self._quiet = now
            if self.received:
                self._restart(now)

    # --- in -------------------------------------------------------------------------------------------------

    def _receive(self, n, now):
        radio = self.radio
        b = radio.buf
        p = (n - 24) >> 4
        if n < 40 or n > 248 or n != 24 + (p << 4) or b[0] != _VERSION or b[1] != self.keys.net or b[15] != p:
            self.rejected = (self.rejected + 1) & _M
            return
        type = b[2]
        seal = self.keys.seal(b[14])
        origin = (b[4] << 8) | b[5]
        if not seal or not 0 < type < 3 or b[6] > 63 or b[10] > 63 or not origin or origin == 0xFFFF:
            self.rejected = (self.rejected + 1) & _M
            return
        epoch = get30(b, 6)
        seq = get30(b, 10)
        ttl = b[3]
        if origin == self.node:
            self.duplicates = (self.duplicates + 1) & _M
            if type == _EVENT:
                self._again(origin, seq, n)
            return
        r = self.room
        row = r.find(origin)
        if not r.fresh(row, epoch, seq):
            self.duplicates = (self.duplicates + 1) & _M
            if type == _EVENT:
                self._again(origin, seq, n)
            return
        mac = radio.mac
        mac30 = ((mac[2] & 63) << 24) | (mac[3] << 16) | (mac[4] << 8) | mac[5]
        known = r.row_of_mac(mac30)
        if known >= 0:
            if not r.tokens[known]:
                self.throttled = (self.throttled + 1) & _M
                return
            r.tokens[known] -= 1
        else:
            if not self._strangers:
                self.throttled = (self.throttled + 1) & _M
                return
            self._strangers -= 1
        if not self._tokens:
            self.throttled = (self.throttled + 1) & _M
            return
        self._tokens -= 1
        if not seal.open(b, self._in_at, p):
            self.forged = (self.forged + 1) & _M
            return
        if row < 0:
            row = r.add(origin, now)
            if row < 0:
                self.full = (self.full + 1) & _M
                return
        r.take(row, epoch, seq)
        self.keys.heard(b[14])
        self.received = (self.received + 1) & _M
        self._quiet = now
        if type == _STATE:
            self.last_seq = r.beat[row]
            self.last_heard = r.heard[row]
            r.hear(row, mac30, radio.rssi, radio.time, seq)
            self.gossip.read(now, row, seq, radio.time, p)
        elif self._in[p] is not None:
            kind = self.pool.plain[6]
            new = self._obey(origin, True, row)
            if ttl:
                ttl -= 1
            if new or ttl:
                slot = self.events.keep(now, self._in[p], origin, seq, p, ttl, self.chance())
                if new and kind <= 3:
                    self._pin(kind, slot)

    def _again(self, origin, seq, n):
        """A copy of an event: count it for Trickle, if it is a true copy."""
        e = self.events
        s = e.find(origin, seq)
        if s >= 0:
            f = e.frames[s]
            b = self.radio.buf
            for k in range(n - 8, n):
                if f[k] != b[k]:
                    return
            e.hear(s)

    def _obey(self, origin, check, row=0):
        """Check the event in pool.plain and hand it to its handler. True where it is new and to be believed."""
        b = self.pool.plain
        kind = b[6]
        n = b[7]
        if n > DATA_MAX or not kind or kind >= KINDS:
            return False
        if check:
            r = self.room
            ok = r.state[row] & FRESH
            if b[4] & 1 and self.clock.synced:
                d = (((self.clock.time(self.now) - get30(b, 0)) & _M) ^ _H) - _H
                ok = -LIFE_MS < d < LIFE_MS
            if not ok:
                self.stale = (self.stale + 1) & _M
                return False
            r.state[row] |= FRESH
        if kind == 2 or kind == 3:
            cmac = self.keys.command(b[5])
            wrong = 1
            if cmac:
                cmac.sign(b, 6, 10 + n)
                wrong = 0
                for k in range(8):
                    wrong |= cmac.tag[k] ^ b[16 + n + k]
            if wrong:
                self.refused = (self.refused + 1) & _M
                return False
        if kind <= 3:
            c = get16(b, 8)
            d = ((c - self.latest[kind]) & 0xFFFF) ^ 0x8000
            if not c or (self.latest[kind] and d <= 0x8000):
                self._serve[kind] = 0 if d == 0x8000 else self._serve[kind]  # another tells it already
                return False
            self.latest[kind] = c
        target = get16(b, 10)
        handler = self._handlers[kind]
        if handler and (target == EVERYBODY or target == self.node):
            at = AT_ONCE if b[12] > 63 else get30(b, 12)
            handler(b, 16, n, origin, at)
        return True

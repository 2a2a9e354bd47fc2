"""The mesh: tells everyone, keeps time, lets nobody in.

In:  a radio (see ../README.md), an NVS for the epoch, Keys, the node's id; per tick the local ms; values by
     room.share(), at the latest when `tell` is called.
Out: `room` the table of the cluster (roster.py), `time(now)` mesh ms, `synced`, `neighbours` in earshot, handlers called
     with events (messages.py), counters. The wire is specified in README.md.
Order of checks on a frame: length, version, net, key, origin, replay window (read only), token buckets, tag; then the window
is committed and, only then, anything is remembered about the sender.
"""

from struct import pack_into

from .clock import Clock
from .events import BLOCKS, Events
from .frame import diff, fold, get16, get30, later
from .gossip import Gossip
from .messages import Messages
from .roster import Roster
from .seal import views

_M = const(0x3FFFFFFF)
_VERSION = const(0x51)
_STATE = const(1)
_EVENT = const(2)
_EVERYBODY = const(0xFFFF)
_TTL = const(15)
_PERIOD_MS = const(450)  # least time between beacons
_DRAIN = const(40)  # frames taken from the radio in one tick; the buckets bound what is opened
_SLOW_MS = const(100)
_BURST = const(30)  # frames at once
_STRANGERS = const(25)  # of them from strangers
_NO_KEYS = const(1)  # bits of fault
_NO_RADIO = const(2)
_NO_EPOCH = const(4)


class Mesh(Messages):
    """One node's share of the mesh. keys None: the node listens to nobody and says so in `fault`.

    rows: rows of the table, <= 254.
    fault bits: 1 no keys, 2 the radio does not come back, 4 the epoch could not be stored (the node may not command).
    Counters: sent, received (opened), rejected (malformed or foreign), duplicates, throttled, forged (wrong tag),
    stale (events
    that are not provably of now), refused (commands without right), full (no row), restarts (of the radio).
    """

    def __init__(self, radio, nvs, keys, node, rows=64):
        super().__init__()
        self.radio = radio
        self.nvs = nvs
        self.keys = keys
        self.node = node
        self.epoch = nvs.get("epoch") & _M
        self.fault = 0 if keys else _NO_KEYS
        self._reborn()
        self.now = -1
        self.room = r = Roster(rows, node)
        self.tell = None  # brings row 0 up to date, called before a beacon
        r.version[0] = (self.epoch << 6) & 0xFFFF
        r.tokens[0] = _STRANGERS
        self.clock = Clock(node, self.epoch)
        self.time = self.clock.time
        self.events = Events()
        self.gossip = Gossip(self)
        self.pool = keys.pool if keys else None
        self._in_at = views(radio.buf, 16, 16)
        self._random = (node * 7919 + self.epoch * 1049) & 0xFFFFF
        self._extra = self._fails = 0  # _extra: beacons since our last of those without a row
        self._tokens = _BURST
        # 1 once the node has a mesh time; nodes in earshot: both are brought up to date ten times a second
        self.synced = self.neighbours = 0
        self.sent = self.received = self.rejected = self.duplicates = self.throttled = 0
        self.forged = self.full = self.restarts = 0

    # --- what the rest of the node uses ---------------------------------------------------------------------

    def step(self, now) -> None:
        """Drain the radio, send what is due."""
        if self.now < 0:  # without memory this may fail half-way: then it begins anew
            self.clock.begin(now)
            self._next = later(now, self.chance() * 500 >> 10)
            self._slow = self._told = self._since = self._quiet = now
        self.now = now
        if self.fault & _NO_KEYS:
            return
        for _ in range(_DRAIN):
            try:
                n = self.radio.recv()
            except Exception:  # ValueError: the receive ring lost its step; nothing of this may stop the tick
                self._restart()
                break
            if not n:
                break
            self._take(n, now)
        if self.events.active:
            view = self.events.due(now, self.chance())
            if view:
                self._send(view)
        if diff(now, self._slow) >= 0:
            self._tidy(now)
        if diff(now, self._next) >= 0:
            self._beacon(now)

    def chance(self):
        """A random number 0..1023 (linear congruence of 20 bits; nothing secret depends on it)."""
        self._random = x = (self._random * 1021 + 7) & 0xFFFFF
        return x >> 10

    def hurry(self):
        """Somebody asks who is alive: beacon within 200 ms."""
        soon = later(self.now, 20 + (self.chance() * 180 >> 10))
        if diff(self._next, soon) > 0:
            self._next = soon

    # --- out ------------------------------------------------------------------------------------------------

    def _reborn(self):
        """A number never used before, stored before the first frame under it is sent."""
        nvs = self.nvs
        self.seq = 0
        self.epoch = (self.epoch + 1) & _M
        nvs.set("epoch", self.epoch)
        if not nvs.commit() or nvs.get("epoch") != self.epoch:
            self.fault |= _NO_EPOCH

    def _close(self, type, ttl, p):
        """Seal pool.plain as our next frame; returns its view."""
        if self.seq >= 0xFFFF:  # records carry 16 bits of it: none may come twice in an epoch
            self._reborn()
        self.seq += 1
        keys = self.keys
        pack_into(
            ">BBBBHIIBB",
            self.pool.work,
            0,
            _VERSION,
            keys.net,
            type,
            ttl,
            self.node,
            self.epoch,
            self.seq,
            keys.use,
            p,
        )
        keys.seals[keys.use].close(p)
        return self.pool.frame[p]

    def _beacon(self, now):
        """Send a STATE frame and set the time of the next."""
        r = self.room
        self.clock.step(now)
        if self.tell:
            self.tell()
        # a new version with every beacon of a small room, every 2.8 s with 200 nodes: what the air can carry
        if diff(now, self._told) >= r.count * 14:
            self._told = now
            r.version[0] = (r.version[0] + 1) & 0xFFFF
        r.made[0] = now
        g = self.gossip
        p = g.build(now)
        view = self._close(_STATE, 1, p)
        g.sent = self._send(view)
        r.epoch[0] = self.epoch
        r.beat[0] = self.seq & 0xFFFF
        r.heard[0] = later(now, (16 * p + 109) >> 7)  # the airtime at 1 Mbit/s
        # 26 frames a second in earshot: 2.2 ms of air each, and what a node can open
        pace = max(_PERIOD_MS, (r.near + self._extra) * 38)
        self._extra = 0
        self._next = later(now, pace - (pace >> 3) + ((pace >> 2) * self.chance() >> 10))

    def _send(self, view):
        """1 where the radio took it. A refused send has taken 2 s on a chip: no other before a restart."""
        if not self.fault & _NO_RADIO:
            if self.radio.send(view):
                self._fails = 0
                self.sent += 1
                return 1
            self.fault |= _NO_RADIO
        return 0

    def _restart(self):
        """Off and on again, ever less often while nothing can be sent: after 2, 4, 8, 16 s."""
        if self.restarts and 0 <= diff(self.now, self._since) < 2000 << self._fails:
            return
        self._since = self.now
        self._fails = min(self._fails + 1, 3)
        self.restarts += 1
        self.fault |= _NO_RADIO
        try:
            if self.radio.restart():
                self.fault &= ~_NO_RADIO
        except Exception:
            pass

    def _tidy(self, now):
        """Ten times a second: buckets, ages of a tenth of the table, late-comers, a deaf radio."""
        self._slow = later(now, _SLOW_MS)
        if self.fault & _NO_RADIO:
            self._restart()
        r = self.room
        self._tokens = min(self._tokens + 20, _BURST)
        r.tokens[0] = min(r.tokens[0] + 3, _STRANGERS)
        self.synced = self.clock.synced
        self.neighbours = r.near
        r.grow(now)
        self._retell()
        if self.received and diff(now, self._quiet) > 60000:  # nobody for a minute, though somebody was there
            self._quiet = now
            self._restart()

    # --- in -------------------------------------------------------------------------------------------------

    def _take(self, n: int, now) -> None:
        """One frame of n bytes in radio.buf."""
        radio = self.radio
        keys = self.keys
        b: ptr8 = radio.buf
        p = b[15]
        type = b[2]
        seal = keys.seals.get(b[14])
        if (
            n != 24 + (p << 4)
            or not 0 < p < 15
            or b[0] != _VERSION
            or b[1] != keys.net
            or not seal
            or (type != _STATE and (type != _EVENT or not BLOCKS.count(p)))
            or (b[6] | b[10]) > 63
        ):
            self.rejected += 1
            return
        origin: int = get16(b, 4)
        epoch = get30(b, 6)
        seq = get30(b, 10)
        r = self.room
        row: int = r.find(origin)
        if row == 0 or (row > 0 and not r.fresh(row, epoch, seq)):
            self.duplicates += 1
            if type == _EVENT:
                self._again(b, origin, n)
            return
        mac: int = get30(radio.mac, 2)
        known: int = r.of_mac(mac)  # 0: a stranger
        if row > 0 and r.mac[row] == mac:
            known = row
        if not self._tokens or not r.tokens[known]:
            self.throttled += 1
            return
        self._tokens -= 1
        r.tokens[known] -= 1
        if not 0 < origin < _EVERYBODY or not seal.open(b, self._in_at, p):
            self.forged += 1
            return
        if row < 0:
            if type == _EVENT and self._again(b, origin, n):  # it outlived the row of its origin
                return
            row = r.add(origin, now)
        if row > 0:
            r.take(row, epoch, seq)
        else:  # a full table: events still pass, each once as long as a slot remembers it
            self.full += 1
            if type == _STATE:
                self._extra += 1
                return
        if b[14] == keys.next:  # the network moved on to the next key: go along
            keys.use = keys.next
        self.received += 1
        self._quiet = now
        if type == _STATE:
            beat = r.beat[row]
            heard = r.heard[row]
            r.hear(row, mac, radio.rssi, radio.time, seq)
            self.gossip.read(now, row, p, beat, heard)
            return
        ttl = max(1, min(b[3], _TTL)) - 1
        born = get30(self.pool.plain, 0)
        kind = self._obey(origin) if self._current(row) else 0
        if kind or ttl:
            self._keep(radio.buf, origin, seq, ttl, kind, born)

    def _again(self, b: ptr8, origin, n) -> bool:
        """True where an event is kept already: the copy counts for Trickle if it is a true one."""
        e = self.events
        s: int = e.find(origin, get16(b, 12))
        if s >= 0:
            b[3] = e.frames[s][3]  # ttl changes on the way
            if not fold(self.pool.work, e.frames[s], 0, b, n):
                e.hear(s)
        return s >= 0

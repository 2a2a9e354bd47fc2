"""The gateway stream: every version and every event once, numbered, and again from the ring; no heap, no heart beats."""

import micropython
from weave.console.gateway import gateway
from weave.console.out import Out
from world import SCENE, VISITOR, World


class Tap(Out):
    """Keeps what would leave: (number, record)."""

    def __init__(self):
        super().__init__()
        self.log = bytearray(18 * 4000)
        self.n = 0

    def frame(self, kind, n):
        assert kind == 7 and n == 18
        o = self.n * 18
        for k in range(18):
            self.log[o + k] = self.body[2 + k]
        self.n += 1
        return True

    def records(self):
        out = []
        for k in range(self.n):
            b = bytes(self.log[18 * k : 18 * k + 18])
            out.append((b[0] << 8 | b[1], b[2:]))
        self.n = 0
        return out


class Watched:
    """A world whose first node is a gateway; its versions are noted as they change."""

    def __init__(self, nodes, **kw):
        self.w = World(nodes, **kw)
        self.mesh = self.w.boards[0].mesh
        self.out = Tap()
        self.ask = [0, 0, 0]
        self.gate = gateway(self.mesh, self.out, self.ask)
        next(self.gate)
        self.w.step = self.step
        self.lock = False
        self.seen = {}
        self.turn = -1

    def step(self, f, now):
        f(now)
        m = self.mesh
        self.turn = (self.turn + 1) % len(self.w.boards)
        if not self.turn:
            room = m.room
            if self.lock:
                micropython.heap_lock()
            try:
                self.gate.send(now)
            finally:
                if self.lock:
                    micropython.heap_unlock()
            if not self.lock:
                for i in range(room.count):
                    if room.version[i]:
                        self.seen.setdefault(room.node[i], set()).add(room.version[i])


def entries(records):
    return [(r[4] << 8 | r[5], r[6] << 8 | r[7], r[8:14], r[14], r[15]) for _, r in records]


def test_every_version_once_and_in_order():
    g = Watched(5, loss=100, seed=4)
    for k in range(5):
        g.w.boards[k].mesh.room.share(0, 1000 * k, 500 * k, 50 * k, 4000, 3)
    g.ask[:2] = 0, 512
    g.w.run(10)
    records = g.out.records()
    assert [n for n, _ in records] == list(range(len(records))) and len(records) == g.ask[2]
    told = {}
    for node, version, values, rssi, epoch in entries(records):
        assert rssi != 255
        told.setdefault(node, []).append(version)
        k = node - 1
        if k:
            assert rssi == 60, rssi
            assert abs(values[0] - 1000 * k * 255 // 4096) <= 1 and values[2] == 50 * k and values[4] == 3
    for node in g.seen:
        assert len(told[node]) == len(set(told[node]))
        assert len(g.seen[node] - set(told[node])) <= 1, (
            node,
            g.seen[node],
            told[node],
        )  # the last is under way


def test_who_was_away_gets_what_the_ring_holds():
    g = Watched(6, seed=5)
    g.ask[:2] = 0, 40
    g.w.run(18)
    assert [n for n, _ in g.out.records()] == list(range(40))  # no more than was asked for
    first = g.ask[2]
    assert first > 200
    g.ask[:2] = 40, 552
    g.w.run(1)
    assert [n for n, _ in g.out.records()] == list(range(40, g.ask[2]))
    g.ask[1] = 0
    g.w.run(26)
    came, first = g.ask[2], g.ask[0]
    assert came > max(512, first + 50)  # more than the ring holds
    g.ask[:2] = 0, 5000  # long gone
    g.w.run(1)
    got = [n for n, _ in g.out.records()]
    assert came - 512 <= got[0] <= came - 500 and got == list(range(got[0], g.ask[2]))


def test_events_with_their_head_but_no_heart_beats():
    g = Watched(3, seed=6)
    g.ask[:2] = 0, 2000
    g.w.run(6)
    g.out.records()
    w = g.w
    assert w.boards[1].mesh.send_event(SCENE, bytes((3, 20, 9, 9)), 4, -1)
    assert w.boards[2].mesh.send_event(VISITOR, b"\x80" + bytes(range(8)), 9, -1)
    w.run(1)
    events = [e for e in entries(g.out.records()) if e[3] == 255]
    assert sorted(e[0] for e in events) == [2, 3], events
    for node, seq, values, _, epoch in events:
        assert seq and epoch == w.boards[node - 1].mesh.epoch & 255
        if node == 2:
            assert values[:4] == bytes((SCENE, 4, 3, 20)), values
        else:
            assert values[:4] == bytes((VISITOR, 9, 0x80, 0)), (
                values
            )  # two of nine bytes: no interval among them


def test_the_steady_tick_allocates_nothing():
    g = Watched(4, seed=7)
    g.ask[:2] = 0, 60000
    g.w.run(5)
    n = g.out.n
    g.lock = True
    g.w.boards[1].mesh.send_event(SCENE, bytes((1, 20)), 2, -1)
    g.w.run(8)
    assert g.out.n > n + 40

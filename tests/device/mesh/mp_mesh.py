"""A few nodes: tables, time, events, late-comers, commands, reboots, dead radios; and no heap in the tick."""

from struct import unpack_from

import micropython
import world
from world import ALARM, LINKS, PING, SCENE, Board, World, line


def locked(f, now):
    micropython.heap_lock()
    try:
        f(now)
    finally:
        micropython.heap_unlock()


class Counter:
    """A handler that is no closure: a closure called with five arguments allocates."""

    def __init__(self):
        self.heard = bytearray(4)

    def count(self, buf, start, n, origin, at):
        self.heard[n] += 1


def test_nodes_learn_each_other_and_the_time():
    w = World(4, loss=200, seed=3)
    for k in range(4):
        w.boards[k].mesh.room.share(0, 1000 * k, 500 * k, 50 * k, 4000, 3)
    w.run(9)
    for b in w.boards:
        m = b.mesh
        assert m.room.count == 4 and m.neighbours == 3 and m.synced
        assert m.clock.root == w.boards[0].mesh.clock.root
        for k in range(4):
            i = m.room.find(k + 1)
            assert abs(m.room.arousal[i] - 1000 * k) <= 10 and abs(m.room.fast[i] - 500 * k) <= 10
            assert m.room.confidence[i] == 50 * k and abs(m.room.g[i] - 4000) <= 10 and m.room.flags[i] == 3
            assert m.room.age[i] < 3000
        assert abs(w.error(0, b.node - 1)) <= 3


def test_the_steady_tick_allocates_nothing():
    w = World(3, loss=100, seed=5)
    w.run(6)
    counter = Counter()
    for b in w.boards:
        b.mesh.on(ALARM, counter.count)
    w.step = locked
    start = [b.mesh.received for b in w.boards]
    for s in range(3):
        w.boards[s].mesh.send_event(ALARM, b"x" * s, s, -1)
        w.run(1)
    w.run(2)
    for b, n in zip(w.boards, start):
        assert b.mesh.received > n + 8, (b.mesh.received, n)
    assert list(counter.heard) == [3, 3, 3, 0], counter.heard


def test_time_wraps():
    w = World(3, loss=0, seed=2)
    for b in w.boards:
        b.offset = 0x3FFFFFFF - 9000 - 700 * b.node
    w.run(6)
    w.step = locked
    w.run(8)
    for k in range(3):
        assert w.boards[k].mesh.room.count == 3 and abs(w.error(0, k)) <= 3
        assert w.boards[k].mesh.room.age[1] < 3000


def test_epochs_rise_and_a_rebooted_node_is_heard_at_once():
    w = World(2, seed=8)
    w.run(6)
    old = w.boards[1].mesh.epoch
    w.boards[1].boot()
    assert w.boards[1].mesh.epoch == old + 1
    w.boards[1].mesh.room.share(0, 2222, 0, 9, 0, 0)
    w.run(3)
    r = w.boards[0].mesh.room
    assert abs(r.arousal[r.find(2)] - 2222) < 10


def test_sequence_numbers_wrap_into_a_new_epoch():
    """Records carry 16 bits of them: none comes twice in an epoch."""
    w = World(2, seed=10)
    w.run(5)
    m = w.boards[0].mesh
    m.seq = 0xFFFF - 3
    old = m.epoch
    w.run(4)
    assert m.epoch == old + 1 and m.seq < 20 and w.boards[0].nvs.ints["epoch"] == old + 1
    r = w.boards[1].mesh.room
    assert r.age[r.find(1)] < 3000 and r.epoch[r.find(1)] == old + 1


def test_links_are_told_to_who_asks():
    """A question travels to its node over others that do not answer; a question to oneself is answered at once."""
    w = World(5, line(), loss=200, seed=14)
    w.run(20)
    a = w.boards[0].mesh
    assert a.send_event(LINKS, b"", 0, -1, 4)
    w.run(3)
    told = a.told
    node, root, hops, rate, error = unpack_from(">HHBhi", told, 0)
    assert node == 4 and root == 1 and hops == 3 and abs(rate) <= 100 and abs(error) < 3 * 256
    assert sorted((told[k] << 8 | told[k + 1], told[k + 2]) for k in range(11, len(told), 3)) == [
        (3, 60),
        (5, 60),
    ]
    assert all(not b.mesh.told for b in w.boards[1:])
    a.told = b""
    assert a.send_event(LINKS, b"", 0, -1, 1)
    assert a.told[:2] == b"\0\1" and len(a.told) == 14


def test_without_keys_it_says_so():
    from weave.mesh import Mesh

    w = World(1)
    m = Mesh(w.boards[0].radio, w.boards[0].nvs, None, 5, 8)
    m.step(10)
    m.room.share(0, 1, 2, 3, 4, 5)
    assert m.fault & 1 and not m.synced and m.neighbours == 0 and m.room.count == 1
    assert not m.send_event(SCENE, b"x", 1, -1) and m.time(123) == 123


def test_a_full_table_evicts_nobody():
    w = World(5, seed=12, rows=4)
    w.run(6)
    ids = [list(b.mesh.room.node)[:4] for b in w.boards]
    w.run(3)
    assert ids == [list(b.mesh.room.node)[:4] for b in w.boards]
    assert all(b.mesh.full for b in w.boards)
    # an event reaches everybody whose time is ours, row or no row, once; who is in no table at all is left out
    ours = [b for b in w.boards if abs(w.error(0, b.node - 1)) < 50]
    assert len(ours) >= 3
    for b in ours:
        b.events.clear()
    for b in ours:
        assert b.mesh.send_event(PING, bytes([b.node, 0]), 2, -1)
        w.run(3)
    for b in ours:
        assert sorted(e[2][0] for e in b.events) == [c.node for c in ours], b.events


def test_who_is_gone_leaves_the_table():
    w = World(3, seed=13)
    w.run(5)
    w.boards[2].on = False
    m = w.boards[0].mesh
    w.run(12)
    assert m.neighbours == 1 and m.room.count == 3
    for b in w.boards[:2]:  # three minutes later
        b.offset = (b.offset + 170000) & world.M
    w.run(13)
    assert m.room.count == 2 and m.room.find(3) == -1
    assert isinstance(w.boards[0], Board)

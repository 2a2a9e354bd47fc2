"""A few nodes: tables, time, events, late-comers, commands, reboots, dead radios; and no heap in the tick."""

from struct import unpack_from

import micropython
import world
from weave.mesh.seal import Keys
from world import ALARM, CONFIG, IDENTIFY, LINKS, PING, POLICY, SCENE, Board, World, blob, line


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


def test_an_event_reaches_everybody_once():
    w = World(5, line(), loss=300, seed=4)
    w.run(8)
    assert w.boards[0].mesh.send_event(IDENTIFY, b"abc", 3, 77)
    w.run(4)
    for b in w.boards:
        assert [e[1:] for e in b.events] == [(IDENTIFY, b"abc", 1, 77)], (b.node, b.events)
    assert w.boards[4].mesh.send_event(PING, bytes(range(200)), 200, -1, 2)
    w.run(4)
    for b in w.boards:
        assert len(b.events) == (2 if b.node == 2 else 1)
    assert w.boards[1].events[1][1:] == (PING, bytes(range(200)), 5, -1)
    assert not w.boards[0].mesh.send_event(PING, bytes(201), 201, -1)


def test_late_comers_are_told_the_latest_scene_and_policy():
    w = World(3, seed=6, blob_=blob(flags=1))
    w.boards[2].on = False
    w.run(5)
    m = w.boards[0].mesh
    for k in range(3):
        assert m.send_event(SCENE, bytes([k]), 1, -1)
        w.run(1)
    assert m.send_event(POLICY, b"rho", 3, -1)
    w.run(35)  # longer than events live
    w.boards[2].on = True
    w.boards[2].boot()
    w.run(6)
    got = [e[1:3] for e in w.boards[2].events]
    assert sorted(got) == [(SCENE, b"\x02"), (POLICY, b"rho")], got
    assert len(w.boards[1].events) == 4


def test_commands_need_the_right_and_the_key():
    w = World(2, seed=7)  # keys that may not command
    w.run(5)
    assert not w.boards[0].mesh.send_event(POLICY, b"p", 1, -1)
    assert w.boards[0].mesh.refused == 1
    forger = Keys(blob(flags=1))
    forger.commands[forger.command] = world_cmac()
    w.boards[0].mesh.keys = forger
    w.boards[0].mesh.pool = forger.pool
    assert w.boards[0].mesh.send_event(CONFIG, b"p", 1, -1)
    w.run(2)
    m = w.boards[1].mesh
    assert w.boards[1].events == [] and m.refused, (w.boards[1].events, m.refused, m.forged, m.stale)


def world_cmac():
    from weave.mesh.seal import Cmac

    return Cmac(b"another key 0123")


def test_a_failed_commit_forbids_commanding():
    w = World(1)
    b = w.boards[0]
    b.nvs.works = False
    b.boot()
    assert b.mesh.fault & 4 and not b.mesh.send_event(SCENE, b"x", 1, -1)
    b.nvs.works = True
    b.boot()
    assert not b.mesh.fault and b.mesh.send_event(SCENE, b"x", 1, -1)


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


def test_replayed_frames_after_the_receivers_reboot_are_not_obeyed():
    w = World(2, seed=9)
    w.run(5)
    w.recording = True
    w.boards[0].mesh.send_event(SCENE, b"old", 3, -1)
    w.run(40)
    w.recording = False
    w.boards[0].on = False  # only the attacker is left
    w.boards[1].boot()
    c = w.boards[1]
    for i, f in w.heard:
        if i == 0:
            c.radio.put(f, b"\x02\0\0\0\0\x01", -50, c.local(w.t * 1000))
            w.tick()
    w.run(2)
    assert c.events == [] and c.mesh.stale + c.mesh.throttled > 0
    assert c.mesh.room.confidence[c.mesh.room.find(1)] == 0 and c.mesh.clock.root in (0, 2)


def test_sequence_numbers_wrap_into_a_new_epoch():
    w = World(2, seed=10)
    w.run(5)
    m = w.boards[0].mesh
    m.seq = 0x3FFFFFFF - 3
    old = m.epoch
    w.run(4)
    assert m.epoch == old + 1 and m.seq < 20 and w.boards[0].nvs.ints["epoch"] == old + 1
    r = w.boards[1].mesh.room
    assert r.age[r.find(1)] < 3000 and r.epoch[r.find(1)] == old + 1


def test_a_broken_radio_never_stops_the_tick():
    w = World(2, seed=11)
    w.run(4)
    b = w.boards[0]
    b.radio.raises = 3
    w.run(6)
    assert b.mesh.restarts >= 1 and b.radio.restarts >= 1
    n = b.radio.restarts
    b.radio.dead = True
    w.run(20)
    assert b.radio.restarts > n and not b.radio.raises
    b.radio.dead = False
    w.run(20)
    assert w.boards[1].mesh.room.age[1] < 3000 and not b.mesh.fault


def test_a_first_tick_that_fails_is_begun_anew():
    """Memory may be short just after a reboot: what the first tick makes must not stay missing."""
    w = World(2, loss=0, seed=4)
    mesh = w.boards[0].mesh
    begin = mesh.clock.begin

    def fails(now):
        mesh.clock.begin = begin
        raise MemoryError

    mesh.clock.begin = fails
    try:
        mesh.step(0)
        raise AssertionError("it did not fail")
    except MemoryError:
        pass
    w.run(9)
    assert mesh.synced and mesh.room.count == 2


def test_a_radio_that_refuses_is_asked_seldom():
    """A refused send has held the tick for two seconds on a chip: one is enough to restart, and none comes soon after."""
    w = World(2, seed=12)
    w.run(4)
    b = w.boards[0]
    asked = [0]
    b.radio.dead = True
    send = b.radio.send

    def count(view):
        asked[0] += 1
        return send(view)

    b.radio.send = count
    n = b.radio.restarts
    w.run(1)
    assert 1 <= asked[0] <= 2 and b.radio.restarts == n + 1
    w.run(59)
    assert asked[0] <= 9, asked
    b.radio.dead = False
    w.run(20)
    assert not b.mesh.fault and w.boards[1].mesh.room.age[1] < 3000


def test_the_roots_death_leaves_time_unbroken():
    w = World(4, line(2), loss=300, seed=15)
    w.run(25)
    root = w.boards[0].mesh.clock.root
    w.boards[root - 1].on = False
    rest = [k for k in range(4) if k != root - 1]
    before = w.error(root - 1, rest[0])
    w.run(10)
    for k in rest:
        assert w.boards[k].mesh.clock.root != root
        assert abs(w.error(rest[0], k)) <= 5
    assert abs(w.error(root - 1, rest[0]) - before) <= 5
    w.boards[root - 1].boot()  # it comes back with a fresh clock: it follows first, and time goes on
    w.boards[root - 1].on = True
    w.run(25)
    assert {b.mesh.clock.root for b in w.boards} == {1}
    for k in range(4):
        assert abs(w.error(0, k)) <= 5


def test_a_rebooted_root_goes_on_with_the_rooms_time():
    """Its own clock begins anew with the boot, in less time than a root needs to be missed: nobody may notice."""
    w = World(5, line(2), loss=200, seed=4)
    w.run(14)
    root = w.boards[0]
    assert all(b.mesh.clock.root == 1 for b in w.boards)
    was = [(b.mesh.time(b.local(w.t * 1000)) - w.t) & world.M for b in w.boards]
    root.offset = -w.t & world.M
    root.boot()
    for s in range(12):
        w.run(1)
        is_ = [(b.mesh.time(b.local(w.t * 1000)) - w.t) & world.M for b in w.boards]
        assert all(abs(a - b) <= 5 for a, b in zip(is_[1:], was[1:])), (s, is_, was)
        assert s < 3 or abs(is_[0] - was[0]) <= 5, (s, is_, was)
        if s == 3:  # what it says now is of now to everybody
            assert root.mesh.send_event(SCENE, b"new", 3, -1)
    assert all(b.mesh.clock.root == 1 for b in w.boards)
    assert all([e[2] for e in b.events] == [b"new"] for b in w.boards), [b.events for b in w.boards]


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

"""The room's time: past the death of who gave it, past a reboot."""

import world
from world import SCENE, World, line


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


def test_a_root_that_reigned_for_long_may_come_back():
    """Its stamps begin far below those it died with, which the others ignore as its echo: for a minute, not for a day."""
    w = World(3, seed=15, ppm=0)
    root = w.boards[0]
    root.ppm = 40
    w.run(25)
    assert all(b.mesh.clock.root == 1 for b in w.boards)
    root.mesh.clock.stamp += 192000  # a day of beacons
    w.run(5)
    root.on = False
    w.run(10)
    root.offset = -w.t & world.M
    root.boot()
    root.on = True
    w.run(70)
    roots = [b.mesh.clock.root for b in w.boards]
    assert roots == [1, 1, 1] and all(abs(w.error(0, k)) <= 5 for k in (1, 2)), roots

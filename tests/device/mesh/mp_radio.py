"""A radio that is broken or busy never stops the tick, and is asked ever more seldom."""

from world import World


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

"""Events: to everybody once, to late-comers the latest, and only from who has the right."""

from weave.mesh.seal import Keys
from world import CONFIG, IDENTIFY, PING, POLICY, SCENE, World, blob, line


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


def test_an_event_that_outlives_the_row_of_its_origin_is_obeyed_once():
    """Node 3 has no room for node 1 and tells nobody of it: node 4 knows it by its event alone, and for two minutes."""
    w = World(4, line(), seed=5, rows=8)
    first = w.boards[0]
    first.on = False
    w.rows = 3
    w.boards[2].boot()
    w.run(12)
    first.on = True
    w.run(12)
    last = w.boards[3]
    r = last.mesh.room
    assert r.find(1) < 0
    first.mesh.send_event(PING, b"\x01\x01", 2, -1)
    while r.find(1) < 0:
        w.tick()
    r.made[r.find(1)] -= 120000  # the row is two minutes old, and goes while the event is still told
    w.run(4)
    assert len(last.events) == 1, last.events


def test_two_scenes_told_at_once_end_as_one():
    """At two ends of the room, and in two halves of a parted one."""
    for parted in (False, True):
        w = World(8, line(), seed=7)
        w.run(25)
        assert w.boards[3].mesh.send_event(SCENE, b"\x01", 1, -1)
        w.run(5)
        for k in range(4):
            w.boards[k].group = int(parted)
        w.run(2)
        w.boards[0].mesh.send_event(SCENE, b"\x02", 1, -1)
        w.boards[7].mesh.send_event(SCENE, b"\x03", 1, -1)
        w.run(5)
        for b in w.boards:
            b.group = 0
        w.run(20)
        assert len({b.events[-1][2] for b in w.boards}) == 1, [b.events[-1][2] for b in w.boards]

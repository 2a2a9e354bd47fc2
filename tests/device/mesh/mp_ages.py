"""What was a week ago: differences of 30-bit times say that it lies ahead once it is older than 2^29 ms, 6.2 days."""

from world import PING, POLICY, SCENE, M, World, blob


def week_ago(t):
    """The local time t, had all that is refreshed in a live room gone on for seven days since."""
    return (t - 7 * 86400000) & M


def test_a_radio_restarts_though_its_last_restart_was_long_ago():
    w = World(2, seed=12)
    w.run(6)
    b = w.boards[0]
    m = b.mesh
    b.radio.raises = 1
    w.run(3)
    assert m.restarts == 1 and not m.fault
    m._since = week_ago(m._since)
    b.radio.dead = True
    while not m.fault:  # until one send is refused
        w.tick()
    b.radio.dead = False
    w.run(3)
    assert m.restarts == 2 and not m.fault, (m.restarts, m.fault)
    m._since = week_ago(m._since)
    b.radio.raises = 1
    w.run(1)
    assert m.restarts == 3, m.restarts


def test_scenes_of_long_ago_leave_room_for_news():
    """The two youngest events are told to who missed them: an old scene and an old policy are none of them."""
    w = World(3, seed=24, blob_=blob(flags=1))
    w.run(8)
    m = w.boards[0].mesh
    for kind in (SCENE, POLICY):
        m.send_event(kind, b"\x01", 1, -1)
        w.run(3)
    for b in w.boards:
        e = b.mesh.events
        for s in range(6):
            e._came[s] = week_ago(e._came[s])
            e.born[s] = week_ago(e.born[s])
    away = w.boards[2]
    away.group = 1
    away.events.clear()
    m.send_event(PING, b"\x09\x02", 2, -1)
    w.run(4)
    away.group = 0
    w.run(4)
    assert [x[1] for x in away.events] == [PING], away.events


def test_two_nodes_alone_keep_one_time():
    """They hear no third node: the only shared reception that they know of is their boot, and words must count for ever."""
    w = World(2, seed=3)
    w.boards[0].ppm, w.boards[1].ppm = -100, 100
    w.run(20)
    c = w.boards[1].mesh.clock
    assert c.root == 1 and c.settled
    c._shared = week_ago(c._shared)
    w.run(60)
    assert abs(w.error(0, 1)) <= 4, w.error(0, 1)

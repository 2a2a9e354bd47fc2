"""What travels in beacons: news once, recordings never, missed events again."""

import world
from weave.mesh.frame import diff
from world import PING, World

PORTS = ("unix",)


def opened(w, i):
    """Payloads of the STATE frames on the air of node i, as the host would open them."""
    keys = w.boards[i].mesh.keys
    for k, f in w.heard:
        if k == i and f[2] == 1:
            buf = bytearray(f)
            m = memoryview(buf)
            assert keys.seals[1].open(buf, [m[16 : 16 + 16 * p] for p in range(15)], f[15])
            yield bytes(keys.pool.plain[: 16 * f[15]])


def test_what_is_repeated_says_so():
    """Age 0 is the origin's own: a repeat is never taken for it, so that who hears it stays silent."""
    w = World(10, seed=21)
    w.run(8)
    w.recording = True
    w.run(6)
    w.recording = False
    frames = entries = 0
    for i in range(10):
        for b in opened(w, i):
            ages = [b[64 + 10 * k + 9] for k in range(b[7])]
            assert ages[0] == 0 and all(ages[1:]), ages
            frames += 1
            entries += len(ages) - 1
    assert entries < frames * 4, (entries, frames)  # nine others; most were told by somebody else


def throw(w, i, frames, mac):
    """Recorded frames on the air of node i, four a tick, none too many for its buckets."""
    b = w.boards[i]
    for k in range(0, len(frames), 4):
        for f in frames[k : k + 4]:
            b.radio.put(f, mac, -50, b.local(w.t * 1000))
        b.mesh.room.tokens[0] = b.mesh._tokens = 20
        w.tick()


def forgotten(w):
    """Frames of node 3, which then leaves; three minutes later nobody has a row for it, nor its window."""
    w.run(6)
    w.boards[2].mesh.room.share(0, 4000, 4000, 222, 0, 1)
    w.recording = True
    w.run(6)
    w.recording = False
    w.boards[2].on = False
    w.run(12)
    for b in w.boards[:2]:
        b.offset = (b.offset + 170000) & world.M
    w.run(40)
    assert all(b.mesh.room.find(3) == -1 for b in w.boards[:2])
    return [f for i, f in w.heard if i == 2]


def believed(m):
    """True where node 3 counts for who reads the table of m."""
    i = m.room.find(3)
    return m.received and i > 0 and (m.room.age[i] < 60000 or m.room.confidence[i])


def test_a_recording_brings_nobody_back():
    """Frames that once proved life prove nothing now."""
    w = World(3, seed=22)
    frames = forgotten(w)
    throw(w, 0, frames, w.boards[2].radio.own)
    w.run(1)
    assert not believed(w.boards[0].mesh)


def test_a_recording_that_two_nodes_hear_brings_nobody_back():
    """Each mentions the ghost to the other: to have heard somebody is not to believe, and vouches for nobody."""
    w = World(3, seed=22)
    for f in forgotten(w):
        for k in (0, 1):
            throw(w, k, [f], w.boards[2].radio.own)
        for _ in range(20):
            w.tick()
        assert not any(believed(b.mesh) for b in w.boards[:2])


def test_a_recording_proves_nothing_65536_frames_later():
    w = World(3, seed=22)
    m = w.boards[0].mesh
    frames = forgotten(w)
    m.seq = 0xFFFF - 4
    while m.seq & 0xFFFF != 32:  # a little above those of its frames that node 3 mentioned
        w.tick()
    throw(w, 0, frames, w.boards[2].radio.own)
    w.run(1)
    assert not believed(m)


def test_a_new_epoch_is_proved_anew():
    """Frames of an epoch that a node never heard, recorded elsewhere, when their sender has long been in the next one."""
    w = World(3, seed=23)
    w.run(6)
    a, b = w.boards[0], w.boards[1]
    b.links = [2]  # node 1 does not hear node 2 any more, node 3 does
    b.boot()
    b.mesh.room.share(0, 4000, 4000, 222, 0, 1)
    w.recording = True
    w.run(4)
    w.recording = False
    frames = [f for i, f in w.heard if i == 1]
    b.on = w.boards[2].on = False
    w.run(40)
    throw(w, 0, frames, b.radio.own)
    w.run(1)
    i = a.mesh.room.find(2)  # what node 3 told of it in time is as old as it is
    assert a.mesh.room.age[i] > 30000, a.mesh.room.age[i]
    b.on = True  # and the true one is believed at once
    b.links = [0]
    b.boot()
    b.mesh.room.share(0, 3000, 0, 111, 0, 1)
    w.run(4)
    i = a.mesh.room.find(2)
    assert a.mesh.room.confidence[i] == 111 and diff(a.mesh.now, a.mesh.room.heard[i]) < 2000


def test_one_missed_of_many_is_pulled():
    """Who holds two events already, and missed the third, is told it as well."""
    w = World(4, seed=24)
    w.run(8)
    for k in range(2):
        w.boards[k].mesh.send_event(PING, bytes((9, k)), 2, -1)
        w.run(3)
    away = w.boards[3]
    away.group = 1
    w.boards[0].mesh.send_event(PING, b"\x09\x02", 2, -1)
    w.run(4)
    away.group = 0
    w.run(4)
    assert [e[2][1] for e in away.events if e[2][0] == 9] == [0, 1, 2], away.events
    frames = [b.mesh.events.active for b in w.boards]
    w.recording = True
    w.run(8)
    told = [f for _, f in w.heard if f[2] == 2]
    assert len(told) <= 4 * 4, (
        len(told),
        frames,
    )  # one burst each for the one who lacked it, and then silence

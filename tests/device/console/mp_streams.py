"""What a console streams: states, beats, crash notes, raw samples; nothing of it unasked, nothing of it allocates."""

import json
from struct import unpack

from heap import locked
from line import frames, say, talk, texts
from node import Node, Part, Port, Quiet
from weave.console import Console, lines
from weave.light.scenes import IDENTIFY


def test_watch_is_a_line_a_second():
    text = say(b"watch\n", seconds=5)
    assert text.count("bpm 72.0  ") == 5, text
    assert say(b"watch -j\n", seconds=4).count('"bpm": 72.0') == 4
    assert say(b"watch\nwatch off\n", seconds=4).count("bpm") <= 1


def test_state_frames():
    n = Node()
    con, out = talk(b"watch -f\n", n, seconds=5)
    got = [f for f in frames(out) if f[0] == 1]
    assert len(got) == 5 and [f[1] for f in got] == [0, 1, 2, 3, 4]
    v = unpack("<I%dH" % (len(got[1][2]) // 2 - 2), got[1][2])
    assert v[0] == 1000 and v[1:6] == (1, 204, 1152, 640, 4300) and v[6] == 2048
    assert 65536 - 1024 in v and 65535 in v  # valence is signed; 70000 frames saturate
    assert "watch" in texts(out)


def test_beats_as_they_come():
    n = Node()
    port = Port()
    con = Console(port, n)
    port.feed(b"beats -f\nbeats\n"[:9])
    for i in range(500):
        if i % 40 == 20:
            n.sense.beats = (n.sense.beats + 1) & 0xFFFF
            n.sense.beat_ms = 20 * i
        con.step(20 * i)
    got = [f for f in frames(port.out) if f[0] == 2]
    assert len(got) in (12, 13) and unpack("<IHHBB", got[-1][2])[1:4] == (13333, n.sense.beats, 204)
    assert say(b"beats -j\n", n).count("beat_ms") == 1


def test_crash_frames():
    n = Node()
    port = Port()
    con = Console(port, n)
    port.feed(b"watch -f\n")
    for i in range(200):
        if i == 60:
            n.keep.notes.take("mesh", "y" * 200)
        con.step(20 * i)
    got = frames(port.out)
    note = b"".join(f[2][2:] for f in got if f[0] == 4)
    assert json.loads(note) == {"part": "mesh", "text": "y" * 200}
    assert [f[2][1] for f in got if f[0] == 4] == [0, 0, 1]


def test_raw_only_for_the_wearer_and_only_while_touching():
    n = Node()
    n.sense.contact = 0
    con, out = talk(b"raw\n", n)
    assert con.raw == 0 and b"touch the sensor first" in out
    con = Console(Port(), n)
    n.sense.contact = 1
    n.sense.pulse = Part(samples=[200001, 200002], polled=2)
    port = Port()
    con = Console(port, n)
    port.feed(b"raw\n")
    for i in range(100):
        con.step(20 * i)
    assert con.raw == 1
    assert (n.light.shown, n.light.shown_ms) == (IDENTIFY, 1000)  # the strand says so
    n.sense.contact = 0
    n.light.shown = None
    for i in range(100, 200):
        con.step(20 * i)
    assert con.raw == 0 and n.light.shown is None
    n.sense.contact = 1  # the next visitor did not ask
    before = len(port.out)
    for i in range(200, 300):
        con.step(20 * i)
    assert con.raw == 0 and len(port.out) == before
    got = [f[2] for f in frames(port.out) if f[0] == 5]
    assert len(got) in (10, 11, 12), len(got)
    body = got[0]
    assert len(body) == 4 + 8 * 9  # eight ticks of two pulse samples and a skin sum
    assert body[4] == 2 and int.from_bytes(body[5:8], "little") == 200001
    assert int.from_bytes(body[8:11], "little") == 200002 and unpack("<H", body[11:13])[0] == 23456


def test_raw_ends_after_ten_minutes():
    con, out = talk(b"raw\n", Node(), 599)
    assert con.raw == 1
    con, out = talk(b"raw\n", Node(), 601)
    assert con.raw == 0


def test_no_raw_without_asking():
    con, out = talk(b"watch -f\nbeats -f\nstatus\n", Node(), 20)
    assert not [f for f in frames(out) if f[0] == 5]


def run(con, node, n):
    for i in range(n):
        if i % 40 == 0:
            node.sense.beats = (node.sense.beats + 1) & 0xFFFF
        con.step(i * 20 + 536860000)


def test_idle_and_streaming_allocate_nothing():
    port = Quiet()
    n = Node()
    con = Console(port, n)
    locked(run, con, n, 1000)
    con.now = 536860000
    for line in (b"watch -f", b"beats -f", b"raw"):
        lines.end(con, line)
    run(con, n, 200)
    con.flow._next = 0
    before = port.bytes
    locked(run, con, n, 500)
    assert port.bytes > before + 2000 and con.raw, port.bytes - before


def test_a_stream_begins_at_once_whenever_the_last_one_was():
    """Ticks wrap after 12.4 days: the time for the next line of a stream long ended may seem to lie ahead."""
    for days in (1, 6, 7, 10, 12):
        port = Port()
        con = Console(port, Node())
        now = 1000
        for line, ticks in ((b"watch\n", 150), (b"watch off\n", 150), (b"watch\n", 500)):
            if line == b"watch\n" and con.flow:
                now += days * 86_400_000
            port.out = bytearray()
            port.feed(line)
            for _ in range(ticks):
                now = (now + 20) & 0x3FFFFFFF
                con.step(now)
        assert bytes(port.out).count(b"bpm 72.0") >= 9, days

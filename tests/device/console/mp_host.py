"""A host on the line: answers in frames, and neither garbage nor a slow line disturbs."""

import json

from line import frames, host, talk, texts
from node import Node, Port
from weave.console import Console


def test_host_commands_are_answered_in_frames():
    con, out = talk(host(1, 77, b"status"))
    parts = [f for f in frames(out) if f[0] == 6]
    assert all(f[2][0] == 77 for f in parts) and [f[2][1] for f in parts][-1] == 1
    assert json.loads(b"".join(f[2][2:] for f in parts))["bpm"] == 72.0
    assert texts(out) == ""
    con, out = talk(host(2, 1, b"12345"))
    assert b'{"sent": 1}' in frames(out)[0][2]
    con, out = talk(host(1, 1, b"  "))
    assert frames(out) and con.garbage == 0


def test_every_damage_to_a_host_line_is_refused():
    line = host(1, 5, b"optout")
    n = Node()
    for i in range(1, len(line) - 1):
        for flip in (1, 4, 32):
            b = bytearray(line)
            b[i] ^= flip
            con, out = talk(bytes(b) + b"\n", n, 1)
            assert not n.damp.opted_out and not frames(out), (i, flip)
    for k in range(2, len(line) - 2):
        con, out = talk(line[:k] + b"\n", n, 1)
        assert con.garbage == 1 and not n.damp.opted_out, k


def test_garbage_loses_nothing_but_the_garbage():
    seed = 12345
    port = Port()
    con = Console(port, Node())
    asked = 0
    for round in range(300):
        junk = bytearray(97)
        for i in range(97):
            seed = (seed * 1103 + 12345) & 0xFFFFF
            junk[i] = seed >> 8 & 255
        port.feed(bytes(junk).replace(b"@", b"!") + b"\n" + host(1, round & 255, b"scene"))
        asked += 1
        for i in range(12):
            con.step(20 * (round * 12 + i))
    for i in range(500):
        con.step(80000 + 20 * i)
    got = [f for f in frames(port.out) if f[0] == 6 and f[2][1]]
    assert len(got) == asked and con.garbage > 100, (len(got), con.garbage)


def test_overlong_line_is_one_piece_of_garbage():
    con, out = talk(b"x" * 3000 + b"\nscene -j\n")
    assert con.garbage == 1 and b"hearth" in out


def test_a_line_that_takes_nothing_blocks_nothing():
    port = Port(0)
    con = Console(port, Node())
    port.feed(b"watch -f\nbeats -f\nstatus\nmesh\ncrash\nstatus\nstatus\n")
    for i in range(3000):
        con.step(20 * i)
    assert con.out.used <= 512 and con.out.dropped > 10
    port.speed = 7
    for i in range(1500):
        con.step(60000 + 20 * i)
    got = frames(port.out)
    assert got and got[-1][1] != len(got) - 1  # the gap in the sequence tells


def test_frames_hold_every_byte_value():
    con = Console(Port(), Node())
    port = Port()
    for start in range(0, 256, 8):
        for i in range(96):
            con.out.body[2 + i] = (start + i * (1 if start % 16 else 0)) & 255
        expect = bytes(con.out.body[2:98])
        assert con.out.frame(start, 96)
        while con.out.used:
            con.out.drain(port.write)
        assert frames(port.out)[-1][2] == expect

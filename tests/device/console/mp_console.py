"""console/: what a person sees, what a host gets, and that neither garbage nor a slow line disturbs (both ports)."""

import json
from binascii import b2a_base64, crc32
from struct import pack, unpack

from heap import locked
from node import Node, Part, Port, Quiet
from weave.console import Console, lines
from weave.light.scenes import IDENTIFY


def decode(segment):
    """COBS and CRC, written apart from the firmware's: (kind, sequence, payload) or None."""
    out, i = bytearray(), 0
    while i < len(segment):
        n = segment[i]
        out += segment[i + 1 : i + n]
        i += n
        if i < len(segment):
            out.append(0)
    body = bytes(out)
    if len(body) < 6 or crc32(body[:-4]) != unpack("<I", body[-4:])[0]:
        return None
    return body[0], body[1], body[2:-4]


def frames(data):
    return [f for f in (decode(s) for s in bytes(data).split(b"\0") if s) if f]


def texts(data):
    """Text between the frames."""
    return b"".join(s for s in bytes(data).split(b"\0") if s and not decode(s)).decode()


def talk(line, node=None, seconds=3, con=None):
    """Console and what came out after `line`."""
    port = Port()
    con = Console(port, node or Node()) if con is None else con
    port.feed(line)
    for i in range(seconds * 50):
        con.step(20 * i)
    return con, bytes(port.out)


def say(line, node=None, seconds=3):
    return texts(talk(line, node, seconds)[1])


def reply(line, node=None):
    """The JSON document that answers `line`."""
    for row in say(line, node).split("\r\n"):
        if row[:1] in ("{", "["):
            return json.loads(row)


def host(kind, number, payload):
    body = bytes((kind, number)) + payload
    return b"@" + b2a_base64(body + pack("<I", crc32(body))).strip() + b"\n"


def test_help_lists_and_every_command_answers():
    text = say(b"?\n")
    for word in "status watch beats mesh scene identify config crash reboot optout share raw".split():
        assert "\r\n" + word in text, text
        answer = reply(word.encode() + b" -j\n")
        assert isinstance(answer, (dict, list)), word
        assert "error" not in answer, answer


def test_typing_is_echoed_and_can_be_corrected():
    text = say(b"statxs\x08\x08us\r\n")
    assert text.startswith("statxs\b \b\b \bus\r\n") and "bpm            72.0" in text, text


def test_status_document():
    s = reply(b"status -j\n")
    assert (s["bpm"], s["rmssd_ms"], s["skin_us"], s["arousal"], s["quality"]) == (72.0, 40.0, 4.3, 0.5, 0.8)
    assert (s["valence"], s["node"], s["name"], s["boots"], s["scene"], s["up_s"]) == (
        -0.25,
        7,
        "ada",
        3,
        "hearth",
        61,
    )
    assert s["frames"] == 70000 and s["free"] > 0 and s["faults"] == {"light": 2}


def test_a_command_that_breaks_is_noted_and_survived():
    for part, words in (
        ("mesh", (b"mesh", b"scene tide", b"status")),
        ("light", (b"identify", b"scene")),
        ("damp", (b"optout",)),
    ):
        n = Node()
        delattr(n, part)
        for word in words:
            assert " cannot: " in reply(word + b" -j\n", n)["error"], word
        assert n.keep.notes.taken == len(words)


def test_unknown_and_wrong_are_one_line():
    for line, part in (
        (b"nonsense\n", "unknown command nonsense: ?"),
        (b"scene vigil\n", "there are hearth tide identify"),
        (b"scene tide 300\n", "no scene tide 300: there are"),
        (b"config scene disco\n", "no scene disco: there are"),
        (b"config pixels 61\n", "the strand has 60 pixels"),
        (b"config nodee 5\n", "no key nodee"),
        (b"config node x\n", "0 to 65535"),
        (b"__init__ 1\n", "unknown command"),
    ):
        text = say(line)
        assert part in text and "Traceback" not in text, text


def test_mesh_lists_the_room():
    rows = reply(b"mesh -j\n")
    assert rows[1] == {
        "node": 8,
        "age": 3,
        "version": 128,
        "rssi": -61,
        "arousal": 0.25,
        "confidence": 0.5,
        "g": 1.0,
    }
    assert "node 8" in say(b"mesh\n")


def test_mesh_puts_a_question_for_links_and_gives_the_last_answer():
    n = Node()
    assert reply(b"mesh 9 -j\n", n) == {"links": "0008"}
    assert n.mesh.event == (8, b"", -1, 9)
    assert reply(b"mesh 9 -j\n", n) == {"links": ""}
    assert "error" in reply(b"mesh x -j\n", n)


def test_scene_identify_config_optout_reboot_act():
    n = Node()
    assert reply(b"scene tide -j\n", n) == {"scene": "tide"}
    assert n.mesh.event == (1, bytes((1, 20)), 1500, 0xFFFF) and n.light.scene == 0
    say(b"identify\n", n)
    assert (n.light.shown, n.light.shown_ms) == (2, 10000)
    say(b"identify 8\n", n)
    assert n.mesh.event[0] == 4 and n.mesh.event[2:] == (-1, 8)
    n.mesh.keys = False  # alone: the scene is this strand's, at once
    say(b"scene tide\n", n)
    assert n.light.scene == 1
    assert "error" in reply(b"identify 8 -j\n", n) and "error" in reply(b"identify x -j\n", n)
    assert reply(b"config node 9 -j\n", n) == {"node": 9, "unsaved": 1} and n.keep.config.node == 9
    assert reply(b"config save -j\n", n)["unsaved"] == 0
    assert reply(b"config name ada of the stairs -j\n", n)["name"] == "ada of the stairs"
    assert reply(b"optout -j\n", n) == {"opted_out": 1} and n.damp.opted_out
    assert reply(b"optout off -j\n", n) == {"opted_out": 0}
    con, out = talk(b"reboot\n", n)
    assert con.reboot == 1 and n.keep.left == 1


def test_share_is_the_wearers_wish_and_says_what_is_in_force():
    n = Node()
    assert reply(b"share -j\n", n) == {"share": 25, "from": "room"}
    assert reply(b"share 40 -j\n", n) == {"share": 40, "from": "wish"} and n.damp.rho == 1638
    assert reply(b"share 10 -j\n", n) == {"share": 25, "from": "room"}
    n.damp.policy_rho = 2048
    assert reply(b"share 40 -j\n", n) == {"share": 50, "from": "room"}
    assert reply(b"share 60 -j\n", n) == {"share": 60, "from": "wish"}
    assert "error" in reply(b"share all -j\n", n)
    n.sense.contact = 0
    assert reply(b"share 90 -j\n", n)["error"] == "touch the sensor first" and n.damp.rho == 2457
    assert reply(b"share -j\n", n)["share"] == 60  # asking is anybody's


def test_crash_notes_are_readable():
    n = Node()
    n.keep.notes.take("light", "Traceback:\n  File\nOSError: 5")
    text = say(b"crash\n", n)
    assert "part light" in text and "\r\n  OSError: 5" in text
    assert reply(b"crash -j\n", n)[0]["text"].endswith("OSError: 5")
    assert reply(b"crash clear -j\n", n) == []


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

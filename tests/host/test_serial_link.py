"""The serial link: the host's codec against anything, and against the firmware's own console on the unix port."""

import random
import struct
import zlib
from pathlib import Path

import ports
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulseweave import serial_link as link

DEVICE_TESTS = Path(__file__).parents[1] / "device" / "console"


@given(st.binary(max_size=700))
def test_cobs_there_and_back(data):
    coded = link.cobs_encode(data)
    assert 0 not in coded and len(coded) <= len(data) + 1 + len(data) // 254
    assert link.cobs_decode(coded) == data


def test_cobs_as_published():
    """Examples of Cheshire & Baker 1999 and the usual edge of 254 bytes."""
    for plain, coded in (
        (b"", b"\x01"),
        (b"\0", b"\x01\x01"),
        (b"\0\0", b"\x01\x01\x01"),
        (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33"),
        (bytes(range(1, 255)), b"\xff" + bytes(range(1, 255)) + b"\x01"),
    ):
        assert link.cobs_encode(plain) == coded and link.cobs_decode(coded) == plain


@given(st.binary(max_size=300))
def test_cobs_decodes_anything_or_nothing(data):
    plain = link.cobs_decode(data)
    assert plain is None or 0 not in data


PIECES = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.integers(0, 255), st.binary(max_size=96)),
        st.tuples(st.just("text"), st.text(alphabet="abc äö€ 0123\t", min_size=1, max_size=60)),
        st.tuples(st.just("junk"), st.binary(max_size=200)),
    ),
    max_size=30,
)


@settings(max_examples=300)
@given(PIECES, st.randoms(use_true_random=False))
def test_nothing_is_lost_but_the_garbage(pieces, rng):
    """Every frame comes out, in order, whatever stands between and however it is cut."""
    stream, sent = b"", []
    for p in pieces:
        if p[0] == "frame":
            sent.append((p[1], p[2]))
            stream += link.encode_frame(p[1], len(sent) - 1, p[2])
        elif p[0] == "text":
            stream += p[1].encode() + b"\r\n"
        else:
            stream += p[1]
    r = link.Receiver()
    got = []
    while stream:
        n = rng.randint(1, 64)
        got += r.feed(stream[:n])
        stream = stream[n:]
    got += r.rest()
    assert [(g.kind, g.payload) for g in got if isinstance(g, link.Frame)] == sent
    assert r.lost == 0 and all(g.text for g in got if isinstance(g, link.Text))


def test_text_between_frames_is_whole():
    r = link.Receiver()
    stream = (
        b"hello\r\nmpremote>>> "
        + link.encode_frame(1, 0, b"\0" * 8)
        + "schön\n".encode()
        + link.encode_frame(2, 2, b"x")
    )
    got = list(r.feed(stream))
    assert [g.text for g in got if isinstance(g, link.Text)] == ["hello", "mpremote>>> ", "schön"]
    assert [g.lost for g in got if isinstance(g, link.Frame)] == [0, 1] and r.lost == 1


def test_a_million_bytes_of_garbage_and_still_there():
    rng = random.Random(7)
    r = link.Receiver()
    frames = 0
    for i in range(100):
        for g in r.feed(rng.randbytes(10_000)):
            frames += isinstance(g, link.Frame)
        got = list(r.feed(b"\0" + link.encode_frame(1, i, b"alive")))
        assert got[-1] == link.Frame(1, i & 255, b"alive", 0)
    assert frames == 0 and r.frames == 100
    assert not list(r.rest())


def test_text_without_end_is_bounded():
    r = link.Receiver()
    for _ in range(100):
        list(r.feed(b"x" * 1000))
    assert len(r._pending) <= link.SEGMENT_MAX


@given(st.binary(min_size=1, max_size=170), st.integers(1, 2), st.integers(0, 255))
def test_lines_are_plain(payload, kind, number):
    line = link.encode_line(kind, number, payload)
    assert line.startswith(b"@") and line.endswith(b"\n") and len(line) <= link.LINE_MAX + 1
    assert 3 not in line and all(32 <= b < 127 for b in line[:-1])


def test_too_long_a_line_is_refused():
    with pytest.raises(ValueError, match="longer than the board"):
        link.encode_line(1, 0, b"x" * 200)


@given(st.binary(max_size=110), st.integers(0, 9))
def test_decode_never_raises(payload, kind):
    frame = link.Frame(kind, 0, payload)
    out = link.decode(frame)
    assert out is None or "ms" in out
    link.Answers().feed(frame)


def test_answers_survive_a_loss():
    a = link.Answers()
    assert a.feed(link.Frame(6, 0, b"\x05\x00first ")) is None
    assert a.feed(link.Frame(6, 2, b"\x05\x01half", lost=1)) == (6, 5, "half")
    assert link.document("half") == {"error": "damaged answer: half"}
    assert a.feed(link.Frame(3, 3, b"\x00\x01log")) == (3, 0, "log")


SCRIPT = """
import sys
from node import Node, Port
from weave.console import Console

port, node = Port(), Node()
con = node.console = Console(port, node)
port.feed(sys.stdin.buffer.read())
i = 0
while port.waiting or i < {ticks}:
    if i % 41 == 0:
        node.sense.beats += 1
    con.step(i * 20)
    i += 1
sys.stdout.buffer.write(bytes(port.out))
sys.stderr.write("%d %d" % (con.garbage, con.out.dropped))
"""


def board(tmp_path, stdin: bytes, ticks: int):
    """What the firmware's console says to `stdin`: frames and texts, garbage count, dropped count."""
    script = tmp_path / "s.py"
    script.write_text(SCRIPT.replace("{ticks}", str(ticks)))
    done = ports.unix(script, stdin=stdin, paths=(DEVICE_TESTS,))
    r = link.Receiver()
    got = [*r.feed(done.stdout), *r.rest()]
    garbage, dropped = (int(n) for n in done.stderr.split())
    return got, garbage, dropped


def test_against_the_firmware(tmp_path):
    lines = (
        link.command(9, "status")
        + link.command(10, "watch -f")
        + link.command(11, "beats -f")
        + link.command(12, "raw")
    )
    got, garbage, dropped = board(tmp_path, lines, 1000)
    frames = [g for g in got if isinstance(g, link.Frame)]
    assert not [g for g in got if isinstance(g, link.Text)] and garbage == dropped == 0
    states = [link.decode(f) for f in frames if f.kind == link.STATE]
    assert len(states) in (19, 20, 21)
    s = states[-1]
    assert (s["bpm"], s["arousal"], s["valence"], s["skin_us"], s["raw"], s["quality"]) == (
        72,
        0.5,
        -0.25,
        4.3,
        1,
        0.8,
    )
    assert set(s) == {"ms", *(name for name, _ in link.fields())}
    answers = link.Answers()
    docs = {a[1]: link.document(a[2]) for f in frames if (a := answers.feed(f))}
    assert docs[9]["rmssd_ms"] == 40 and docs[12] == {"raw": 1}
    beats = [link.decode(f) for f in frames if f.kind == link.BEAT]
    assert len(beats) > 20 and beats[-1]["ibi_ms"] == pytest.approx(833.3, abs=0.1)
    raws = [link.decode(f) for f in frames if f.kind == link.RAW]
    assert (
        sum(len(r["skin"]) for r in raws) > 950
        and raws[0]["pulse"][0] == 2048
        and raws[0]["skin"][0] == 23456
    )


def test_firmware_survives_garbage_between_lines(tmp_path):
    """Both directions at once: junk in front of every question, every question answered."""
    rng = random.Random(3)
    stream, asked = b"", 0
    for i in range(200):
        junk = bytes(b for b in rng.randbytes(rng.randint(0, 400)) if b != 64)
        stream += junk + b"\n" + link.command(i & 255, "scene") + b"\n" * 200
        asked += 1
    got, garbage, _ = board(tmp_path, stream, 3000)
    answers = [g for g in got if isinstance(g, link.Frame) and g.kind == link.ANSWER and g.payload[1]]
    assert len(answers) == asked and garbage > 50


@pytest.mark.soak
def test_a_million_bytes_of_garbage_into_the_firmware(tmp_path):
    rng = random.Random(11)
    got, garbage, _ = board(
        tmp_path, rng.randbytes(1_000_000) + b"\n" + link.command(1, "status") + b"\n" * 4000, 100
    )
    docs = [g for g in got if isinstance(g, link.Frame) and g.kind == link.ANSWER]
    assert docs and garbage > 1000


@settings(max_examples=30)
@given(kind=st.integers(1, 6), payload=st.binary(max_size=96))
def test_crc_is_zlibs(kind, payload):
    raw = link.cobs_decode(link.encode_frame(kind, 3, payload)[1:-1])
    assert struct.unpack("<I", raw[-4:])[0] == zlib.crc32(raw[:-4])

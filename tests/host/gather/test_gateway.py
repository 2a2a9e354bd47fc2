"""A gateway's stream on the host: in order, once, what is gone counted exactly; over bad lines, absences and restarts."""

import json
import random

from board import Board
from pulseweave import serial_link as link
from pulseweave.gather import record
from pulseweave.gather.gateway import Gateway
from pulseweave.gather.inquiry import Inquiry, Told
from pulseweave.gather.record import Event, State
from pulseweave.gather.store.db import Unavailable


def talk(g: Gateway, board: Board, seconds: float, start=0.0, spoil=lambda data: data) -> list:
    got = []
    for k in range(int(seconds * 10)):
        now = start + k / 10
        board.typed(g.wants(now))
        got += g.feed(spoil(board.step()), now)
    return got


def test_packets_come_in_order_and_once():
    board, g = Board(), Gateway("x")
    talk(g, board, 3)
    board.hear_many(2, range(300))
    got = talk(g, board, 5, 3)
    assert [p.serial for p in got] == list(range(300))
    board.hear_many(2, range(300, 1300))
    assert g.lost == 0
    got = talk(g, board, 5, 8)
    assert [p.serial for p in got] == list(range(1300 - 512, 1300)) and g.lost == 1000 - 512


def test_a_bad_line_loses_nothing():
    rng = random.Random(5)

    def spoil(data):
        b = bytearray(data)
        for _ in range((len(b) + rng.randrange(600)) // 600):
            b[rng.randrange(len(b))] = rng.randrange(256)
        return bytes(b)

    board, g = Board(), Gateway("x")
    talk(g, board, 5)
    got, at = [], 5.0
    for n in range(0, 3000, 20):
        board.hear_many(2, range(n, n + 20))
        got += talk(g, board, 1, at, spoil)
        at += 1
    got += talk(g, board, 5, at)
    assert [p.serial for p in got] == list(range(3000)) and g.lost == 0


def test_garbage_is_survived():
    board, g = Board(), Gateway("x")
    rng = random.Random(6)
    talk(g, board, 3)
    board.hear_many(2, range(50))
    list(g.feed(rng.randbytes(200_000), 3))
    assert [p.serial for p in talk(g, board, 5, 4)] == list(range(50))


def test_a_host_that_was_away_goes_on_where_it_was():
    kept = {}
    board, g = Board(), Gateway("x", lambda *key: kept.get(key, 0))
    talk(g, board, 3)
    board.hear_many(2, range(100))
    talk(g, board, 3, 3)
    kept[g.node, g.epoch] = 60  # the last forty were not kept when the host died
    board.hear_many(2, range(100, 400))
    again = Gateway("x", lambda *key: kept.get(key, 0))
    assert [p.serial for p in talk(again, board, 5, 20)] == list(range(60, 400)) and again.lost == 0
    board.hear_many(2, range(400, 1000))  # longer away than the ring reaches
    third = Gateway("x", lambda *key: kept.get(key, 0))
    got = [p.serial for p in talk(third, board, 5, 40)]
    assert got == list(range(1000 - 512, 1000)) and third.lost == 1000 - 512 - 60


def test_a_restarted_node_begins_at_nought():
    board, g = Board(), Gateway("x")
    talk(g, board, 3)
    board.hear_many(2, range(30))
    talk(g, board, 3, 3)
    board.boot()
    board.epoch += 1
    talk(g, board, 3, 6)
    board.hear_many(2, range(10))
    assert len(talk(g, board, 3, 9)) == 10 and g.restarts == 1 and g.lost == 0


def test_numbers_wrap():
    board, g = Board(), Gateway("x")
    talk(g, board, 2)
    got, at = 0, 2.0
    for n in range(0, 70_000, 400):
        board.hear_many(2, range(n, n + 400))
        got += len(talk(g, board, 1, at))
        at += 1
    assert got == 70_000 and g.lost == 0 and g.next == 70_000


def test_times_follow_the_mesh():
    board, g = Board(), Gateway("x")
    talk(g, board, 2)
    board.hear_many(2, range(100))
    times = [g.when(p) for p in talk(g, board, 4, 50)]
    assert abs(times[-1] - 50) < 2.5 and abs(times[-1] - times[0] - 99 * 0.45) < 0.01


def test_what_the_node_cannot_do_is_told():
    g = Gateway("x")
    g._answer({"error": "gateway cannot: no keys"}, 0)
    assert "no keys" in g.trouble and not g.known
    for nonsense in (None, [], {"node": "x"}, {"node": 1, "epoch": 2, "next": None}):
        g._answer(nonsense, 0)
    assert not g.known


def test_records_are_read_as_they_are_written():
    s = State(7, 65_535, 9, 1_000_000, 1, 2, 3, 4, 5, -90)
    assert record.decode(record.encode(s, 12)) == s
    e = Event(7, 3, 9, 1000, 1, b"\x02\x14")
    assert record.decode(record.encode(e)) == e
    for wrong in (b"\xff" * 16, bytes(16), bytes(4) + b"\xff\xff" + bytes(10)):
        assert record.decode(wrong) is None
    rng = random.Random(2)
    for _ in range(5000):
        record.decode(rng.randbytes(16))


def test_a_clock_that_steps_into_the_rooms_time_takes_its_packets_along():
    board, g = Board(), Gateway("x")
    talk(g, board, 3)
    board.hear_many(2, range(4), mesh0=1000)
    talk(g, board, 1, 3)
    for mesh0 in (500_000_000, 5000, 1 << 29):  # forward, back, as far as can be
        got = []
        for k in range(4):  # between two answers
            now = 10 + k / 10
            board.hear_many(2, [k], mesh0=mesh0 - 350 * k)  # a version each tenth of a second
            got += [(now, g.when(p)) for p in g.feed(board.step(), now)]
        assert len(got) == 4 and all(abs(when - now) < 1.5 for now, when in got), got
        got = talk(g, board, 3, 11)  # and an answer in the room's time changes nothing
        board.hear_many(2, [10], mesh0=mesh0)
        (p,) = talk(g, board, 0.2, 14)
        assert abs(g.when(p) - 14) < 5


def test_a_node_that_starts_again_while_nobody_knows_how_far_it_came_loses_nothing():
    away = []

    def resume(*_):
        if away:
            raise Unavailable("restarting")
        return 0

    board, g, got = Board(), Gateway("x", resume), []

    def pass_on(begin, end):
        for k in range(begin * 10, end * 10):
            board.typed(g.wants(k / 10))
            try:
                got.extend(g.feed(board.step(), k / 10))
            except Unavailable:
                g.lost_line()  # as Collector does

    pass_on(0, 2)
    board.hear_many(2, range(300))
    pass_on(2, 6)
    away.append(1)
    board.epoch += 1
    board.boot()
    board.on = True
    board.hear_many(2, range(1000, 1040))
    pass_on(6, 11)
    away.clear()
    board.hear_many(2, range(1040, 1100))
    pass_on(11, 16)
    assert [p.serial for p in got] == [*range(300), *range(1000, 1100)] and g.lost == 0 and g.restarts <= 1


def test_a_lost_part_of_an_answer_spoils_it_whatever_comes_next():
    text = json.dumps([{"boot": 3, "part": "light", "text": "x" * 200}])
    parts = [text[i : i + 80].encode() for i in range(0, len(text), 80)]
    frames = [(link.ANSWER, bytes((80, i == len(parts) - 1)) + part) for i, part in enumerate(parts)]
    frames.insert(2, (link.GATEWAY, bytes(18)))
    wire = [link.encode_frame(kind, i, payload) for i, (kind, payload) in enumerate(frames)]
    del wire[1]  # then a record is the next to arrive
    g, heard = Gateway("x"), []
    hello = b'{"node": 1, "epoch": 1, "next": 0, "mesh_ms": 0}'
    list(g.feed(link.encode_frame(link.ANSWER, 255, bytes((77, 1)) + hello), 0))
    g.inquiry = Inquiry(Told())
    g.inquiry.answer = lambda number, node, body: heard.append(body)
    list(g.feed(b"".join(wire), 1))
    assert not [body for body in heard if "error" not in body], "what is left of it is none"

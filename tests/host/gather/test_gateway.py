"""A gateway's stream on the host: in order, once, what is gone counted exactly; over bad lines, absences and restarts."""

import random

from board import Board
from pulseweave.gather import record
from pulseweave.gather.gateway import Gateway
from pulseweave.gather.record import Event, State


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

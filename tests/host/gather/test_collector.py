"""Between gateways and the store: what is counted as kept, what is done while the store is damaged or does not answer."""

import pytest
from board import Board
from pulseweave.firmware import Firmware
from pulseweave.gather.collector import Collector
from pulseweave.gather.store import open_store
from pulseweave.gather.store.db import Unavailable
from pulseweave.problem import Problem
from pulseweave.sim.keeper import Keeper
from rows import state


@pytest.fixture
def room(tmp_path):
    s = open_store(str(tmp_path / "room.db"))
    yield s
    s.close()


def test_what_is_kept_in_many_transactions_is_counted_once(room, monkeypatch):
    monkeypatch.setattr("pulseweave.gather.collector.AT_ONCE", 100)
    c = Collector(room)
    c._waiting = [state(k, n) for n in range(50) for k in range(1, 11)]
    assert c.flush() == c.kept == room.counts()["packets"] == 500


def test_the_newest_firmware_of_a_node_is_kept(room):
    c = Collector(room)
    c.told.hear(5, Firmware("esp32", "bbbb"))
    c.flush()
    c.told.hear(5, Firmware("esp32", "aaaa"))
    c.told.hear(5, Firmware("esp32", "cccc"))  # before anything could be kept
    c.flush()
    assert room.firmware()[5][1] == "cccc"


def test_a_gateway_that_comes_back_while_the_store_is_damaged_is_waited_for(room, monkeypatch):
    c = Collector(room)
    g, board = c.gateway("x"), Board()

    def pass_on(now):
        board.typed(g.wants(now))
        c.take(g, board.step(), now)

    for k in range(20):
        pass_on(k / 10)
    board.hear_many(2, range(40))
    pass_on(3)
    pass_on(6)
    assert c.heard == 40
    monkeypatch.setattr(room, "resume", lambda *_: (_ for _ in ()).throw(Problem("damaged")))
    g.lost_line()
    board.hear_many(2, range(40, 60))
    for k in range(30):
        pass_on(7 + k / 10)
    assert c.heard == 60 and g.known, "how far it had come is known here"
    with pytest.raises(Unavailable, match="damaged"):  # not Problem, which ends everything
        c._resume(9, 65_537)


def test_a_database_that_no_longer_answers_is_not_asked_at_the_end(room):
    class Hanging:
        name = "_write"

        def join(self, seconds):
            pass

        def is_alive(self):
            return True

    c = Collector(room)
    c._threads = [Hanging()]
    c._waiting = [state(1, 1)]
    assert c.stop() is False and "does not answer" in c.trouble and len(c._waiting) == 1


def test_a_room_that_begins_anew_is_no_jump_of_the_clock(tmp_path):
    class Sim:
        tick, heads, description, n, positions = 0, (), {}, 0, ()
        strands = type("Strands", (), {"count": 60})

    class Live:
        number = 1

    keeper = Keeper(str(tmp_path / "room.db"), Live())
    keeper.step(Sim())
    keeper.last = 900.0  # it ran faster than the clock
    keeper.step(Sim())
    keeper.collector.take(keeper.collector.gateway("x"), b"", 0.1)
    assert keeper.collector.notes == []
    keeper.close()

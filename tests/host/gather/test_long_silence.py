"""Numbers are 16 bits: nobody gathered for hours, a life's first number was near its wrap, a node came back."""

from pulseweave.gather.record import State
from pulseweave.gather.store import open_store
from pulseweave.gather.table import Table, health
from rows import state

ROUND = 65_536  # versions, some eight hours


def test_nobody_gathered_for_hours_and_every_packet_after_is_new(tmp_path):
    s = open_store(str(tmp_path / "room.db"))
    for begin in (0, ROUND - 8000, 2 * ROUND - 20_000, 3 * ROUND - 9000):  # absent for 5.7 h and more
        numbers = range(begin, begin + 10_000)
        assert s.write([state(5, n) for n in numbers]) == len(numbers), begin
        assert s.write([state(5, n) for n in numbers[-100:]]) == 0, "what comes again is not new"
    assert s.db.one("select count(*) from lives") == 1
    s.close()


def test_what_came_before_the_first_number_is_the_same_life(store):
    wrap = 65_536
    store.write([state(5, wrap + n) for n in range(2, 12)])
    store.write([state(5, n) for n in range(wrap - 6, wrap + 12)])  # another gateway heard more of it
    store.write([state(5, wrap + n) for n in range(20)])
    counts = store.counts()
    assert (counts["packets"], counts["missed"]) == (26, 0)
    assert store.db.all("select life, last_n - first_n from lives") == [(0, 25)]


def heard(serial, epoch, arousal=10):
    return State(1, serial, epoch, 0, arousal, arousal, 200, 0, 1, -60)


def test_a_node_that_starts_again_is_shown_at_once():
    t = Table()
    for k in range(300):
        t.hear(k * 450, heard(64 + k, 1))
    for k in range(10):
        t.hear(140_000 + k * 450, heard(128 + k, 2, 250))
    assert t.rows(144_050)[1].state.arousal == 250 and health(t.now[1], 144_050) == ""
    t.hear(144_100, heard(364, 1))  # from before, late
    assert t.now[1].state.epoch == 2
    t.hear(144_500, heard(64, 257 + 1, 99))  # and once more: bytes of epochs go round
    assert t.now[1].state.arousal == 99


def test_a_clock_that_is_set_back_keeps_nobody_alive():
    t = Table()
    t.hear(10_000_000, heard(1, 1))
    t.hear(6_400_000, heard(2, 1))
    assert t.rows(6_400_000) and not t.rows(6_470_000)
    assert health(t.now[1], 6_470_000) == "silent for 70 s"

"""The room in numbers: who counts, how much, and on what scale."""

from people import ONE, Table
from weave.damp.crowd import Crowd, beyond


def test_stale_rows_age_out_and_no_row_counts_twice():
    crowd = Crowd()
    room = Table(10, fast=1000)
    for i in range(5):
        room.fast[i] = 3000

    low, high = beyond(1000) - beyond(900), beyond(3000) - beyond(900)

    def whole_round():
        crowd.begin(beyond(900))
        for _ in range(25):
            crowd.look(room)
        crowd.end()

    whole_round()
    assert crowd.visitors == 10 and abs(crowd.mean - (low + high) // 2) <= 1
    for i in range(5, 10):
        room.age[i] = 60000
    whole_round()
    assert crowd.visitors == 5 and crowd.mean == high
    for i in range(5):
        room.confidence[i] = 0
    whole_round()
    assert crowd.visitors == 0 and crowd.mean == 0 and crowd.weight == 0
    big = Table(64, fast=1234)
    room = big
    whole_round()
    assert crowd.visitors == 64 and crowd.mean == beyond(1234) - beyond(900)


def test_a_row_of_a_minute_ago_counts_in_no_room():
    """However large: an age ends at 65535 ms, and a row of 60 s is gone."""
    for n in (40, 137, 152, 254):
        crowd = Crowd()
        room = Table(n, fast=3000)
        for i in range(n):
            room.age[i] = 65535 if i else 0
        crowd.begin(beyond(900))
        for _ in range(25):
            crowd.look(room)
        crowd.end()
        assert crowd.visitors == 1, (n, crowd.visitors)


def test_confidence_weighs_the_room():
    """Half of full confidence counts in full, less in proportion."""
    crowd = Crowd()
    room = Table(2)
    room.fast[0], room.confidence[0] = 1000, 40
    room.fast[1], room.confidence[1] = 3000, 250
    crowd.begin(beyond(900))
    crowd.look(room)
    crowd.end()
    low, high = beyond(1000) - beyond(900), beyond(3000) - beyond(900)
    assert abs(crowd.mean - (low * 40 + high * 128) // 168) <= 1


def test_synchrony_tells_together_from_apart():
    for together in (0, 1):
        crowd = Crowd()
        room = Table(16, fast=1000)
        for k in range(300):
            for i in range(16):
                phase = (k + (0 if together else i * 5)) % 80
                room.fast[i] = 1000 + 40 * (phase if phase < 40 else 80 - phase)
            crowd.begin()
            for _ in range(25):
                crowd.look(room)
            crowd.end()
        assert (crowd.synchrony > 3500) if together else (crowd.synchrony < 1200), crowd.synchrony


def test_log_odds_are_straight_and_monotone():
    last = beyond(0)
    for p in range(1, ONE + 1):
        now = beyond(p)
        assert now >= last, p
        last = now
    # 4096 = 7: ln(p/(1-p)) of 0.1, 0.5, 0.9
    assert beyond(2048) == 0
    assert abs(beyond(410) + 1286) < 25 and abs(beyond(3686) - 1286) < 25

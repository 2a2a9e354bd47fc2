"""Who reads the log of a long campaign sees that it goes on, and how long it will take."""

import io

from pulseweave.sim.campaign.progress import Log


def test_lines_are_few_and_say_what_is_left():
    now = 0.0
    out = io.StringIO()
    log = Log("virtual minutes", 10_080, out, lambda: now)
    for minute in range(1, 2400):
        now += 3.0
        log(minute, 0)
    lines = out.getvalue().splitlines()
    assert lines[0] == "20 of 10080 virtual minutes after 1 min, 8 h 23 min left"
    assert lines[1] == "220 of 10080 virtual minutes after 11 min, 8 h 13 min left"
    assert len(lines) == 12


def test_broken_rooms_are_told_and_short_campaigns_say_nothing():
    now = 0.0
    out = io.StringIO()
    log = Log("rooms", 20, out, lambda: now)
    log(0, 0)
    now = 59.0
    log(1, 1)
    assert out.getvalue() == ""
    now = 60.0
    log(0, 0)
    now = 700.0
    log(10, 2)
    assert out.getvalue().splitlines() == [
        "0 of 20 rooms after 1 min",
        "10 of 20 rooms, 2 broken after 12 min, 12 min left",
    ]

"""The room as the page sees it."""

from itertools import pairwise

import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.live import Live
from pulseweave.sim.measures import Measures
from pulseweave.sim.plan import source


@pytest.fixture
def live():
    def make(name):
        s = scenario.load(name)
        s.nodes = 2
        sim = Simulation(s, 1)
        return sim, Measures(sim)

    live = Live(make, "calm", 10)
    yield live
    live.sim.close()


def taken(live) -> list[float]:
    """Times of the pictures a server gets by asking until nothing is new."""
    times = []
    while (t := live.frame()[0]) not in times:
        times.append(t)
    return times


def test_a_server_that_comes_late_misses_no_picture(live):
    live.frame()
    for _ in range(20):
        live._tick()
    times = taken(live)
    assert len(times) == 10 and all(abs(b - a - 0.04) < 1e-6 for a, b in pairwise(times))
    for _ in range(4):
        live._tick()
    assert len(taken(live)) == 2
    for _ in range(200):  # nobody asks: only the last ones wait
        live._tick()
    assert len(taken(live)) == 16


def test_a_fast_room_shows_its_newest_picture(live):
    live.speed = None
    live.frame()
    for _ in range(20):
        live._tick()
    assert taken(live) == [pytest.approx(0.4, abs=0.021)]


def test_what_nodes_run_and_what_crashed_in_them_is_seen(live):
    live.frame()
    for _ in range(70):
        live._tick()
    nodes = live.state()["nodes"]
    assert nodes["notes"] == [[], []] and nodes["release"] == [source()] * 2 and len(source()) == 8
    live.sim.tell(1, {"do": "reboot", "cause": 3})  # by its watchdog
    while not any(live.notes):
        live._tick()
        assert live.sim.tick < 1200, "no note of the watchdog"
    notes = live.state()["nodes"]["notes"]
    assert notes[0] == [] and notes[1][-1]["text"] and notes[1][-1]["boot"] >= 1

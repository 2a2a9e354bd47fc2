"""One room, one mean: what whole nodes take for the room's arousal, at 30 % loss, while people change and nodes die.

Six whole nodes, sensors to mesh; the visitors follow a timetable instead of the light, so that everybody knows the truth.
"""

import numpy as np
import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action

NODES, LOSS, NEAR = 6, 0.3, 0.02
SOON_S = 5  # after a change all agree
GONE_S = 12  # a row of six counts for 7.4 s, and is then looked at twice a second


class Timetable:
    """Half the room at 0.7 from 70 s on, the rest calm; from 90 s on the other way round."""

    def step(self, t_s, dt_s, light):
        first = np.arange(NODES) % 2 == 0
        aroused = first if 70 <= t_s < 90 else ~first if t_s >= 90 else np.zeros(NODES, bool)
        return {"arousal": np.where(aroused, 0.7, 0.1), "touching": np.ones(NODES, bool)}


class Watch:
    """A room, and what its nodes said once a second: own and collective, 0..1 [seconds, nodes]."""

    def __init__(self, seed):
        s = scenario.load("calm")
        s.nodes, s.radio = NODES, {**s.radio, "loss": LOSS}
        self.room = Simulation(s, seed, 1, native=True)
        self.room.crowd = Timetable()
        self.own: list[np.ndarray] = []
        self.collective: list[np.ndarray] = []

    def until(self, t_s):
        while self.room.t_s < t_s - 0.01:
            r = self.room.watch().records
            if r is not None:
                self.own.append(r.own / 4096)
                self.collective.append(r.collective / 4096)

    def apart(self, since_s, who):
        """The largest distance of a node in `who` from their median, since then."""
        c = np.array(self.collective[since_s:])[:, who]
        return np.abs(c - np.median(c, axis=1, keepdims=True)).max()

    def off(self, who):
        """How far each collective in `who` is from the mean of their own visitors: the median of the last four
        seconds, since a visitor who lets go changes at once what the others know half a second later."""
        c, own = np.array(self.collective[-4:])[:, who], np.array(self.own[-4:])[:, who]
        return np.median(np.abs(c - own.mean(axis=1, keepdims=True)), axis=0).max()


@pytest.mark.parametrize("seed", [1, *(pytest.param(s, marks=pytest.mark.soak) for s in range(2, 8))])
def test_the_room_is_the_same_to_all(seed):
    watch = Watch(seed)
    room, everybody = watch.room, list(range(NODES))
    try:
        watch.until(115)
        moved = np.ptp(np.array(watch.collective[70:]).mean(1))
        assert moved > 0.05, moved  # something did change
        for change in (70, 90):
            assert watch.apart(change + SOON_S, everybody) <= NEAR
        assert watch.off(everybody) <= NEAR  # each visitor counts once

        gone, left = [0, 3], [n for n in everybody if n not in (0, 3)]
        for n in gone:
            room.script.do(Action(room.t_s, "off", node=n))
        watch.until(115 + GONE_S + 4)
        assert watch.off(left) <= NEAR  # the dead have aged out

        room.script.do(Action(room.t_s, "partition"))
        order = np.argsort(room.positions[:, 0], kind="stable").tolist()
        halves = [[n for n in h if n in left] for h in (order[: NODES // 2], order[NODES // 2 :])]
        watch.until(131 + GONE_S + 4)
        for half in halves:
            assert watch.off(half) <= NEAR  # each half is its own room

        room.radio.partition([[left[0]], [n for n in everybody if n != left[0]]])
        watch.until(147 + GONE_S + 4)
        assert watch.off(left[:1]) <= NEAR  # alone: this visitor
        assert watch.off(left[1:]) <= NEAR

        room.script.do(Action(room.t_s, "heal"))
        watch.until(163 + SOON_S + 4)
        assert watch.apart(163 + SOON_S, left) <= NEAR
    finally:
        room.close()

"""What the figures of whole rooms are made of: the worst of all rooms, beside the undamped; one small room for real."""

import numpy as np
import pytest
from pulseweave.figures import crowds
from pulseweave.sim.lived import Lived
from pulseweave.sim.pool import processes


class Told:
    """An executor whose rooms end as `tell` says."""

    def __init__(self, tell):
        self.tell = tell

    def map(self, _, rooms):
        return map(self.tell, rooms)


def lived(room, arousal=0.1, light=0.1, g=0.0):
    """A room in which nothing changes."""
    n = int(room.seconds)
    return Lived(np.full(n * 10, arousal), np.full(n * 10, light), np.full((n, 24), g))


def named(figures):
    return {f.name: f for f in figures}


def test_the_worst_runaway_counts_beside_the_undamped_room():
    def tell(room):
        one = lived(room)
        if not room.damping:
            one.arousal[1200:] = 0.9
        elif room.seed == 2 and room.model == "sisa":
            one.arousal[1250:1370] = 0.5
        elif room.seed == 20 and room.model == "ou":
            one.arousal[2200:2210] = 0.3  # once more, late
        return one

    found = named(crowds.runaways(Told(tell), quick=False))
    peak, settle = found["runaway_peak"], found["runaway_settle_s"]
    assert (peak.value, peak.peer_value, peak.kept) == (0.5, 0.9, False)
    assert (settle.value, settle.peer_value, settle.kept) == (91.0, 110.0, False)
    assert found["runaway_settled"].value == pytest.approx(118 / 120)


def test_one_damped_node_is_a_damped_room():
    def tell(room):
        one = lived(room)
        if room.seed == 18:
            one.g[200, 5] = 0.25
        return one

    (g,) = crowds.calm(Told(tell), quick=False)
    assert g.value == 0.25 and g.kept is False
    (g,) = crowds.calm(Told(tell), quick=True)
    assert g.value == 0.0 and g.kept


def test_honest_stress_is_the_share_of_the_same_room_undamped():
    def tell(room):
        return lived(room, *((0.4, 0.3, 0.12) if room.damping else (0.5, 0.4, 0.0)))

    found = named(crowds.stress(Told(tell), quick=False))
    assert found["stress_g"].value == pytest.approx(0.12)
    assert found["stress_arousal_shown"].value == pytest.approx(0.8)
    assert found["stress_light_shown"].value == pytest.approx(0.75) and not found["stress_light_shown"].kept


def test_a_jump_is_over_when_it_was_high_for_the_last_time():
    def tell(room):
        one = lived(room)
        one.arousal[4300:4400] = 0.7 if room.seed == 3 else 0.5
        return one

    found = named(crowds.jump(Told(tell), quick=False))
    assert found["jump_peak"].value == 0.7 and found["jump_over_s"].value == 20.0


def test_a_room_is_lived_through_in_a_process_of_a_pool():
    with processes(1) as pool:
        free, held = pool.map(crowds.through, [crowds.Room("calm", 2.0, 1, damping=d) for d in (False, True)])
    for one in (free, held):
        assert one.arousal.shape == one.light.shape == (20,) and one.g.shape == (2, crowds.NODES)
        assert 0 < one.arousal.mean() < 0.3 and one.light[-1] > 0
    assert np.array_equal(free.arousal[:5], held.arousal[:5])

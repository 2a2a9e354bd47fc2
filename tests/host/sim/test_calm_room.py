"""A calm room of whole nodes is left alone: what 24 estimators make of people at rest is no excitement
(theta), and no light (expander)."""

import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import BLOCK, Simulation


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 10))
def test_nobody_is_damped_in_five_minutes(seed):
    plan = scenario.load("calm")
    plan.nodes, plan.radio = 24, {**plan.radio, "loss": 0.3}
    room = Simulation(plan, seed, 1, native=True)
    try:
        for k in range(300 * 50):
            done = room.step(records=k % 50 == 0, ahead=BLOCK)
            assert done.records is None or not done.records.g.any(), k / 50
    finally:
        room.close()

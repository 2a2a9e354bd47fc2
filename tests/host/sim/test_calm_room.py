"""A calm room of whole nodes is left alone: what 24 estimators make of people at rest is no excitement
(theta), and no light (expander)."""

import pytest
from pulseweave.sim import lived, scenario


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 10))
def test_nobody_is_damped_in_five_minutes(seed):
    plan = scenario.load("calm")
    plan.nodes, plan.radio = 24, {**plan.radio, "loss": 0.3}
    assert not lived.live(plan, seed, 300).g.any()

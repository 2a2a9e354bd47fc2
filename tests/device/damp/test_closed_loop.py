"""The law in closed loop with three independent crowds: the device's own code against the figures it was made for.

Emulated estimator (6 s lag), 30 % loss; whole nodes are measured by `pulseweave sim`. A few seeds here, twenty in the
soak run. Bounds are those of the project, not of the last run.
"""

import numpy as np
import pytest
from pulseweave.sim.closed_loop import SHOCK, STRESS, after, run

MODELS = ("ou", "bosse_treur", "sisa")
SEEDS = pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.soak) for s in range(1, 20))])
EVERY = pytest.mark.parametrize("model", MODELS)
FIRST = pytest.mark.parametrize(
    "model", ["ou", *(pytest.param(m, marks=pytest.mark.soak) for m in MODELS[1:])]
)


def test_undamped_the_room_runs_away():
    s = run("ou", law="off", gain=2.0, seconds=200, shock=SHOCK)
    assert s.arousal.max() >= 0.95


@SEEDS
@EVERY
@pytest.mark.parametrize("gain,delay", [(1.5, 4.0), (2.0, 2.0), (2.5, 4.0)])
def test_runaway_is_tamed(model, gain, delay, seed):
    s = run(model, seed, gain=gain, delay=delay, seconds=240, shock=SHOCK)
    peak, settle = after(s.arousal, 120, 130)
    assert peak <= 0.45 and settle is not None and settle <= 30, (peak, settle)


@SEEDS
@FIRST
def test_honest_stress_is_shown(model, seed):
    s = run(model, seed, gain=0.6, seconds=420, stress=STRESS)
    bare = run(model, seed, gain=0.6, seconds=420, stress=STRESS, law="off")
    assert s.g[-1] <= 0.2, s.g[-1]
    assert s.arousal[-100:].mean() >= 0.8 * bare.arousal[-100:].mean()


@SEEDS
@FIRST
def test_calm_room_is_left_alone(model, seed):
    s = run(model, seed, gain=0.6, seconds=300)
    bare = run(model, seed, gain=0.6, seconds=300, law="off")
    assert s.g.max() == 0
    assert np.array_equal(s.arousal, bare.arousal)


@SEEDS
def test_jump_is_contained_within_a_minute(seed):
    stress = {"at_s": 120.0, "seconds": 600.0, "size": 0.2}
    s = run("ou", seed, gain=0.8, seconds=520, stress=stress, jump={"at_s": 420.0, "gain": 2.0})
    late = np.nonzero(s.arousal[4200:] > 0.6)[0]
    assert not len(late) or late[-1] < 600, late[-1] / 10
    assert s.arousal[4200:].max() < 0.8  # asked for: 0.6; see README, the trade-off


@pytest.mark.parametrize(
    "model,gain,delay,loss",
    [
        ("ou", 1.2, 4.0, 0.3),
        ("bosse_treur", 2.0, 2.0, 0.5),
        *(
            pytest.param(model, gain, delay, loss, marks=pytest.mark.soak)
            for model in MODELS
            for gain in (0.8, 1.1, 1.5, 1.75, 2.0, 2.5)
            for delay in (2.0, 3.0, 4.0)
            for loss in (0.0, 0.3, 0.5)
        ),
    ],
)
def test_no_limit_cycle(model, gain, delay, loss):
    """Without the visitors' own noise nothing is left that swings. A room caught feeding on itself is caught once:
    at K = 1.2 that takes it nine minutes, so the last 150 of 900 s are looked at."""
    shock = {**SHOCK, "at_s": 60.0}
    s = run(model, 1, gain=gain, delay=delay, seconds=900, noise=0.0, shock=shock, loss=loss, nodes=12)
    assert np.ptp(s.arousal[-1500:]) < 0.02, np.ptp(s.arousal[-1500:])
    assert s.arousal[1000:].max() < 0.24


@FIRST
def test_a_calm_room_is_undamped_again_within_ten_minutes(model):
    """A shock at K below 1 is not taken for feedback, and is not remembered."""
    s = run(model, 2, gain=0.6, seconds=730, shock={**SHOCK, "at_s": 110.0})
    assert s.g.max() > 0.9 and s.g[7200:].max() == 0


@pytest.mark.soak
@SEEDS
@EVERY
def test_eight_visitors(model, seed):
    s = run(model, seed, nodes=8, gain=2.0, delay=4.0, seconds=240, shock=SHOCK)
    assert after(s.arousal, 120, 130)[0] <= 0.5
    s = run(model, seed, nodes=8, gain=0.6, seconds=420, stress=STRESS)
    assert s.g[-1] <= 0.25


@pytest.mark.parametrize("seed", range(4))
def test_a_room_at_rest_does_not_light_itself(seed):
    """K = 1.6, nobody startled: before the expander, the visitors' own noise lit the room until it was damped."""
    s = run("ou", seed, gain=1.6, delay=4.0, seconds=300)
    assert s.arousal.max() < 0.13 and s.g.max() == 0


@pytest.mark.soak
def test_laws_compared():
    """No damping, fixed gain and the level law alone each fail one side; the law holds both."""
    tamed, honest = {}, {}
    for law in ("off", 0.5, 1.0, "level", "on"):
        tamed[law] = after(run("ou", 3, gain=2.0, seconds=240, law=law, shock=SHOCK).arousal, 120, 130)[0]
        s = run("ou", 3, gain=0.6, seconds=420, law=law, stress=STRESS)
        honest[law] = s.arousal[-100:].mean()
    assert tamed["off"] > 0.9 and tamed[0.5] > 0.5 > tamed["level"]
    assert honest["level"] < 0.6 * honest["off"] and honest[1.0] < 0.6 * honest["off"]
    assert tamed["on"] <= 0.45 and honest["on"] >= 0.8 * honest["off"]

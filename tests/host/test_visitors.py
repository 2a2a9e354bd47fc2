"""The crowds: the contract's shapes, determinism, the small-signal law that makes them comparable, bad input."""

import numpy as np
import pytest
from pulseweave.problem import Problem
from pulseweave.sim import visitors

MODELS = ("ou", "bosse_treur", "sisa")
EVERY = pytest.mark.parametrize("model", MODELS)


def play(model, seconds, light=None, seed=1, nodes=24, **scenario):
    """Mean arousal at 10 Hz; light None: everybody sees the room's mean (the undamped loop)."""
    crowd = visitors.load(model, seed, nodes, **scenario)
    seen, out = np.zeros(nodes), []
    for k in range(int(seconds * 10)):
        x = crowd.step(k * 0.1, 0.1, seen)["arousal"]
        seen = np.full(nodes, x.mean() if light is None else light)
        out.append(x.mean())
    return np.array(out)


@EVERY
def test_shapes_and_ranges(model):
    crowd = visitors.load(model, 3, 7, gain=3.0, shock={"at_s": 0.0, "size": 5.0})
    for k in range(300):
        got = crowd.step(k * 0.1, 0.1, np.ones(7))
        assert (
            got["arousal"].shape == (7,) and got["touching"].shape == (7,) and got["touching"].dtype == bool
        )
        assert (got["arousal"] >= 0).all() and (got["arousal"] <= 1).all()


@EVERY
def test_same_seed_same_crowd(model):
    assert np.array_equal(play(model, 30, seed=5), play(model, 30, seed=5))
    assert not np.array_equal(play(model, 30, seed=5), play(model, 30, seed=6))


@EVERY
def test_gain_below_one_rests_and_above_one_runs_away(model):
    assert play(model, 300, gain=0.6)[-300:].mean() < 0.2
    assert play(model, 300, gain=2.0)[-300:].mean() > 0.5


def test_ornstein_uhlenbeck_saturates():
    assert play("ou", 200, gain=2.0).max() >= 0.95


@EVERY
@pytest.mark.parametrize("gain", [0.6, 1.5, 2.5])
def test_small_signal_gain_is_k(model, gain):
    """A faint constant light moves everybody by K times that light: what makes the three comparable."""
    still = {"gain": gain, "noise": 0.0, "heterogeneity": 0.0, "baseline_spread": 0.0}
    dark, lit = play(model, 200, light=0.0, **still)[-1], play(model, 200, light=0.004, **still)[-1]
    assert dark == pytest.approx(0.05, abs=0.002)
    # Bosse/Treur bends already at rest (0.05): its slope there is a little off the slope at nothing
    assert (lit - dark) / 0.004 == pytest.approx(gain, rel=0.2 if model == "bosse_treur" else 0.05)


@EVERY
def test_light_is_seen_with_the_delay(model):
    crowd = visitors.load(model, 1, 4, delay=3.0, noise=0.0, gain=2.0)
    begin = crowd.step(0.0, 0.1, np.zeros(4))["arousal"]
    for k in range(1, 30):
        x = crowd.step(k * 0.1, 0.1, np.ones(4))["arousal"]
    assert np.allclose(x, begin, atol=0.01)
    for k in range(30, 60):
        x = crowd.step(k * 0.1, 0.1, np.ones(4))["arousal"]
    assert (x > begin + 0.1).all()


@EVERY
def test_events_come_when_they_should(model):
    s = play(
        model, 60, light=0.0, gain=0.6, shock={"at_s": 20.0, "seconds": 10.0, "size": 0.6, "fraction": 0.5}
    )
    assert s[:200].max() < 0.1 and s[295:305].mean() > 0.15 and s[-1] < 0.12
    s = play(model, 60, light=0.0, gain=0.6, stress={"at_s": 10.0, "seconds": 100.0, "size": 0.35})
    assert s[-50:].mean() > 0.25
    s = play(model, 100, light=0.1, gain=0.5, jump={"at_s": 50.0, "gain": 3.0})
    assert s[-1] > s[490] + 0.1


def test_presets_are_scenarios():
    assert visitors.load("ou", 1, 4, scenario="contagion").gain == 2.0
    assert visitors.load("ou", 1, 4, scenario="stress").stress["size"] == 0.35
    assert visitors.load("synthetic", 1, 4, scenario="calm").gain == 0.6
    assert visitors.load("ou", 1, 4, scenario="contagion", gain=2.5).gain == 2.5


def test_an_upset_lasts_as_long_as_was_said():
    crowd = visitors.load("ou", 1, 10)
    crowd.upset(1.0, 0.6, 10.0)
    upset = [(crowd.drive(k * 0.1, 0.1) > crowd.base).any() for k in range(200)]
    assert sum(upset) == 100


def test_upset_release_touch():
    crowd = visitors.load("ou", 1, 10, noise=0.0)
    crowd.upset(0.5, 0.6, 5.0)
    for k in range(50):
        x = crowd.step(k * 0.1, 0.1, np.zeros(10))["arousal"]
    assert (x > 0.2).sum() == 5
    for k in range(50, 600):
        x = crowd.step(k * 0.1, 0.1, np.zeros(10))["arousal"]
    assert (x < 0.15).all()
    crowd.release(3)
    assert not crowd.step(60.0, 0.1, np.zeros(10))["touching"][3]
    crowd.touch(3)
    assert crowd.step(60.1, 0.1, np.zeros(10))["touching"].all()


@pytest.mark.parametrize(
    "spec,scenario,says",
    [
        ("nobody", {}, "no crowd called"),
        ("no_such_module_here:Crowd", {}, "no module"),
        ("pulseweave.sim.visitors.ou:Nobody", {}, "no class"),
        ("pulseweave.problem:Problem", {}, "no class with step"),
        ("ou", {"gain": "much"}, "gain"),
        ("ou", {"tau": 0}, "tau"),
        ("sisa", {"shock": {"when": 3}}, "shock takes"),
        ("sisa", {"stress": {"at_s": -1}}, "at_s"),
    ],
)
def test_bad_input_is_one_clear_line(spec, scenario, says):
    with pytest.raises(Problem, match=says) as e:
        visitors.load(spec, 1, 4, **scenario)
    assert "\n" not in str(e.value)


def test_a_plug_in_is_found_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "my_crowd.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    def __init__(self, seed, nodes, **scenario):\n"
        "        self.n = nodes\n"
        "    def step(self, t_s, dt_s, light):\n"
        "        return {'arousal': np.full(self.n, 0.5), 'touching': np.ones(self.n, bool)}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    crowd = visitors.load("my_crowd:Mine", 1, 3, gain=0.6, shock={"at_s": 1})
    assert crowd.step(0.0, 0.1, np.zeros(3))["arousal"].shape == (3,)

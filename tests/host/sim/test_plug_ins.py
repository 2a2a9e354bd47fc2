"""A crowd of one's own; a bad one is named."""

import os

import pytest
from asked import SHORT, pulseweave, refused
from pulseweave.problem import Problem
from pulseweave.sim import visitors

PLUGIN = """
import numpy as np

class Waves:
    '''A crowd from outside: everybody follows a slow wave, and answers the light a little.'''
    def __init__(self, seed, nodes, **scenario):
        self.n = nodes
    def step(self, t_s, dt_s, light):
        assert light.shape == (self.n,) and dt_s == 0.1
        return {"arousal": np.full(self.n, 0.3 + 0.2 * np.sin(t_s)), "touching": np.ones(self.n, bool)}

class Signals(Waves):
    def step(self, t_s, dt_s, light):
        out = super().step(t_s, dt_s, light)
        t = t_s + np.arange(10) / 100
        out["ppg"] = np.tile(np.sin(2 * np.pi * 1.2 * t) * 0.3, (self.n, 1))
        out["eda"] = np.full((self.n, 1), 4.0)
        return out

class Unborn(Waves):
    def __init__(self, seed, nodes, **scenario):
        raise ValueError("no luck")

class Short(Waves):
    def step(self, t_s, dt_s, light):
        return {"arousal": np.zeros(self.n - 1), "touching": np.ones(self.n, bool)}

class Broken(Waves):
    def step(self, t_s, dt_s, light):
        return {} if t_s < 0.45 else 1 / 0

class Crash(Waves):
    def step(self, t_s, dt_s, light):
        if t_s > 0.45:
            raise RuntimeError("the crowd left")
        return super().step(t_s, dt_s, light)
"""


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "evening.py").write_text(PLUGIN)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}


@pytest.mark.parametrize("crowd", ["Waves", "Signals"])
def test_a_plug_in_crowd_runs(plugin, crowd):
    done = pulseweave("sim", "calm", *SHORT, "--visitors", f"evening:{crowd}", env=plugin)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        ("Nobody", ["evening", "Nobody"]),
        ("Short", ["arousal", "(1,)"]),
        ("Broken", ["arousal"]),
        ("Unborn", ["Unborn", "ValueError", "no luck", "evening.py"]),
        ("Crash", ["RuntimeError", "the crowd left", "evening.py", "0.5 s"]),
    ],
)
def test_a_bad_plug_in_is_named(plugin, crowd, said):
    refused(pulseweave("sim", "calm", *SHORT, "--visitors", f"evening:{crowd}", env=plugin), *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 / 0", "ZeroDivisionError"), ("def f(:", "SyntaxError"), ("from json import nosuch", "ImportError")],
)
def test_a_plug_in_that_cannot_be_imported_is_named(tmp_path, monkeypatch, text, said):
    name = f"broken_{said.lower()}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Problem, match=f"importing {name} failed with {said}.*line 1"):
        visitors.load(f"{name}:Crowd", 1, 2)

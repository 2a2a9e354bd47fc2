"""The device's integers against the float64 reference and against the published vectors."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import reference  # noqa: E402
import scenes  # noqa: E402
from pulseweave.score import recordings, run  # noqa: E402

SCALE = np.array([4096, 4096, 4096, 255, 255, 255])


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    outputs = scenes.played(list(scenes.SCENES.values()), tmp_path_factory.mktemp("play"))
    return dict(zip(scenes.SCENES, outputs, strict=True))


@pytest.mark.parametrize("name", scenes.SCENES)
def test_device_meets_its_vectors_exactly(said, name):
    path = scenes.VECTORS / f"{name}.csv"
    assert path.read_text() == scenes.csv(scenes.SCENES[name], said[name]), (
        f"{path} is not what the device says: python tests/device/affect/scenes.py"
    )


@pytest.mark.parametrize("name", scenes.SCENES)
def test_reference_agrees_within_one_percent(said, name):
    off = np.abs(said[name] / SCALE - reference.affect(scenes.SCENES[name]))
    assert off.max() <= 0.01, (name, off.max(axis=0))


@pytest.mark.parametrize("people", [4, pytest.param(None, marks=pytest.mark.soak, id="all")])
def test_reference_agrees_over_recordings(recorded, tmp_path, people):
    """Within 1 % of full scale in every second of every person."""
    files = recordings.folder(recorded / "stress_predict")[:people]
    names = ["contact", "quality", "hr_q4", "rmssd_q4", "skin_ok", "g_ns", "scrs"]
    rows = []
    for r in run.many([recordings.load(p) for p in files]):
        rows.append(np.column_stack([r.series[k] for k in names]).astype(int))
    assert sum(map(len, rows)) > 3000 * len(files)
    for path, inputs, out in zip(files, rows, scenes.played(rows, tmp_path), strict=True):
        off = np.abs(out / SCALE - reference.affect(inputs))
        assert off.max() <= 0.01, (path.name, off.max(axis=0), off.argmax(axis=0))


def test_roused_rises_and_calm_does_not(said):
    calm, roused = said["calm"], said["roused"]
    assert roused[150:175, 0].min() > calm[150:175, 0].max() + 1000
    assert calm[70:, 0].max() < 1800


def test_fast_follows_within_seconds_and_comes_back_to_rest(said):
    """The heart steps up at 120 s and down at 180 s, conductance falls with 60 s: `fast` is half way within 4 s, and
    at rest half a minute after the heart; `arousal` still says that the skin has not recovered."""
    roused = said["roused"]
    rest, high = roused[118, 1], roused[170, 1]
    assert int(np.argmax(roused[119:, 1] > (rest + high) / 2)) <= 4
    assert abs(roused[210:, 1] - rest).max() < 100 and high - rest > 1200
    assert roused[210, 0] > roused[118, 0] + 300


def baseline(rows, of):
    """The first feature's baseline (octaves) of the reference after each second of `rows`: skin 0, heart 1."""
    kept = []
    take = reference.Feature.take

    def spy(self, v, calm):
        take(self, v, calm)
        kept.append(self.base)

    reference.Feature.take = spy
    try:
        reference.affect(rows)
    finally:
        reference.Feature.take = take
    return np.array(kept).reshape(len(rows), -1)[:, of]


def test_baselines_drift_only_while_calm():
    """No baseline moves while heart or onset stand high; in calm the skin's follows a slow drift of the electrodes."""
    rows = scenes.visitor(
        lambda t: 70 + 18 * (120 < t < 240), lambda t: 3 + 2 * (120 < t), seconds=900, rmssd=lambda t: 0
    )
    for of in (0, 1):
        base = baseline(rows, of)
        assert np.ptp(base[125:238]) == 0, "drifts while aroused"
    skin = baseline(rows, 0)
    assert skin[-1] - skin[250] > 0.2, "never comes back from a change that stays"


def test_the_heart_finds_its_rest_on_the_way_down():
    """Who comes in at 84 and calms down to 70 reads as at rest after some minutes, and a step from there shows at once;
    a heart that stays 10 % higher is still news after ten minutes."""
    rows = scenes.visitor(
        lambda t: 84 if t < 70 else 70 if t < 600 else 77, lambda t: 3, seconds=1200, rmssd=lambda t: 0
    )
    base = 2 ** baseline(rows, 1) / 16
    assert base[68] > 83.5 and base[330] < 73 and base[598] < 70.5
    assert base[1198] < 73.5
    out = reference.affect(rows)
    rest = reference.logistic(reference.constants()["BIAS"] / 1024)
    assert out[330, 0] < rest < out[620, 0] < 1.6 * out[1198, 0]


def test_a_heart_that_breathes_keeps_its_mean_for_a_baseline():
    """Slow waves of +-8 % do not pull the baseline down to their troughs."""
    rows = scenes.visitor(
        lambda t: 70 * (1 + 0.08 * math.sin(t * 0.63)), lambda t: 3, seconds=1200, rmssd=lambda t: 0
    )
    base = 2 ** baseline(rows, 1) / 16
    assert abs(base[-1] / 70 - 1) < 0.02, base[-1]


def test_confidence_grows_falls_and_draws_towards_rest(said):
    calm, heart, skin, gone = (said[k] for k in ("calm", "heart_only", "skin_only", "in_and_out"))
    assert calm[5, 3] < 30 and calm[70, 4] > 240 and calm[70, 3] > 120
    assert heart[100, 3] < 110 and skin[100, 3] < 170
    assert not gone[99:128].any(), "something of the visitor stayed"
    assert gone[131, 3] < 20, "the baseline was not learnt anew"
    rest = 4096 * reference.logistic(reference.constants()["BIAS"] / 1024)
    assert (np.abs(calm[:5, 0] - rest) < 60).all()
    for out in said.values():
        assert (np.abs(out[:, 2]) <= 1024).all() and out[:, 5].max() <= 64


def test_no_clock_in_the_model():
    """A visitor to whom nothing happens reads the same after ten minutes as after two."""
    rows = scenes.visitor(lambda t: 70, lambda t: 3, seconds=700, every=20)
    out = reference.affect(rows)
    assert np.ptp(out[100:, 0]) < 1e-9

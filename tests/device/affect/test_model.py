"""The device's integers against the float64 reference and against the published vectors."""

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


def test_fast_is_ahead_of_slow(said):
    """After the step of the heart at 120 s `fast` is half way within 4 s, and before `arousal`."""
    roused = said["roused"]
    half = [int(np.argmax(roused[119:, k] > (roused[118, k] + roused[150, k]) / 2)) for k in (0, 1)]
    assert half[1] <= 4 and half[1] < half[0], half


def test_confidence_grows_falls_and_draws_towards_rest(said):
    calm, heart, skin, gone = (said[k] for k in ("calm", "heart_only", "skin_only", "in_and_out"))
    assert calm[5, 3] < 30 and calm[70, 3] > 240
    assert heart[100, 3] < 110 and skin[100, 3] < 170
    assert not gone[99:128].any(), "something of the visitor stayed"
    assert gone[131, 3] < 20, "the baseline was not learnt anew"
    assert (np.abs(calm[:5, 0] - 1060) < 60).all()
    for out in said.values():
        assert (np.abs(out[:, 2]) <= 1024).all() and out[:, 5].max() <= 64


def test_no_clock_in_the_model():
    """A visitor to whom nothing happens reads the same after ten minutes as after two."""
    rows = scenes.visitor(lambda t: 70, lambda t: 3, seconds=700, every=20)
    out = reference.affect(rows)
    assert np.ptp(out[100:, 0]) < 1e-9

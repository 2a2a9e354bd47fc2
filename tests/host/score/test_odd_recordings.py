"""Recordings that are damaged, incomplete or odd: one clear line each, or the right samples."""

import numpy as np
import pytest
from click.testing import CliRunner
from pulseweave.problem import Problem
from pulseweave.score import recordings, stress
from pulseweave.score.command import score

T = np.arange(0, 30, 0.02)
WAVE = {
    "ppg": 2000 + 500 * np.sin(2 * np.pi * 1.2 * T),
    "fs": 50.0,
    "ref_beats_s": np.arange(0.5, 29, 1 / 1.2),
}
WRIST = {
    "bvp": 50 * np.sin(2 * np.pi * 1.2 * np.arange(64 * 150) / 64), "bvp_fs": 64.0, "eda": np.full(600, 2.0), "eda_fs": 4.0,
    "seg_start": np.array([0.0, 75.0]), "seg_end": np.array([75.0, 150.0]),
    "seg_task": np.array(["baseline", "stroop"]), "seg_stress": np.array([0, 1]),
}  # fmt: skip
FRAMES = np.arange(0, 30000, 33.0)
PHONE = {
    "t_ms": FRAMES,
    "rgb": 200 + 5 * np.sin(2 * np.pi * 1.2 * FRAMES / 1000)[:, None] * [1, 1, 1],
    "rr_ms": np.full(36, 833.0),
}
HOLE = np.where(np.arange(len(T)) == 3, np.nan, 1)
ODD = {
    "channels": (WAVE, {"ppg": np.column_stack([T, T])}, "not one row of samples"),
    "words": (WAVE, {"ppg": np.array(["1", "x"])}, "holds no numbers"),
    "complex": (WAVE, {"ppg": T + 1j}, "holds no numbers"),
    "moment": (WAVE, {"ppg": T[:40]}, "lasts 0.8 s"),
    "word for a rate": (WAVE, {"fs": "fifty"}, "'fs' holds no numbers"),
    "two rates": (WAVE, {"fs": np.array([50.0, 50.0])}, "not a single number"),
    "slow": (WAVE, {"fs": 1.0}, "must be 20.."),
    "references not finite": (WAVE, {"ref_beats_s": HOLE}, "finite numbers"),
    "no references": (WAVE, {"ref_beats_s": np.zeros(0)}, "'ref_beats_s' is empty"),
    "half a span": (WAVE, {"ref_excl": np.arange(3.0)}, "pairs of start and end"),
    "no skin": (WRIST, {"eda": None}, "'eda' is missing"),
    "no skin rate": (WRIST, {"eda_fs": None}, "'eda_fs' is missing"),
    "no task": (WRIST, {"seg_task": None}, "'seg_task' is missing"),
    "uneven labels": (WRIST, {"seg_end": np.array([75.0])}, "not of one length"),
    "label 2": (WRIST, {"seg_stress": np.array([0, 2])}, "neither 0 nor 1"),
    "label in words": (WRIST, {"seg_stress": np.array(["no", "yes"])}, "holds no numbers"),
    "backwards": (WRIST, {"seg_end": np.array([-5.0, 150.0])}, "ends before it starts"),
    "grey": (PHONE, {"rgb": PHONE["rgb"][:, 0]}, "one row of colours"),
    "frames without times": (PHONE, {"t_ms": FRAMES[:10]}, "one row of colours"),
    "standing clock": (PHONE, {"t_ms": FRAMES * 0}, "lasts 0 s"),
    "microseconds": (PHONE, {"t_ms": FRAMES * 1e6}, "lasts 3e+07 s"),
    "frames out of order": (PHONE, {"t_ms": np.r_[0, FRAMES[-2:0:-1], FRAMES[-1]]}, "does not rise"),
}  # fmt: skip


def write(folder, arrays):
    np.savez(folder / "x.npz", **{k: v for k, v in arrays.items() if v is not None})
    return folder / "x.npz"


@pytest.mark.parametrize("name", ODD)
def test_one_clear_line(tmp_path, name):
    base, change, words = ODD[name]
    path = write(tmp_path, base | change)
    with pytest.raises(Problem) as e:
        recordings.load(path)
    assert e.value.code == 2 and words in str(e.value) and str(path) in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("base", [WAVE, WRIST, PHONE], ids=["wave", "wrist", "phone"])
def test_whole_ones_are_read(tmp_path, base):
    r = recordings.load(write(tmp_path, base))
    assert r.kind == ("stress" if base is WRIST else "beats") and r.seconds > 29


def test_gaps_are_bridged_not_zeroed(tmp_path):
    """A sample that is not finite becomes what lies between its neighbours: a zero would be a jolt."""
    whole = recordings.load(write(tmp_path, WAVE)).pulse
    holes = WAVE["ppg"].copy()
    holes[100::100] = np.nan
    holes[50] = np.inf
    assert np.abs(recordings.load(write(tmp_path, WAVE | {"ppg": holes})).pulse - whole).max() < 8


def test_another_rate_gives_the_same_wave(tmp_path):
    """The same pulse written at 33.3, 64, 100, 128 and 1000 Hz reaches the node as at 50 Hz, within 2 % of its swing."""
    for fs in (33.3, 64.0, 100.0, 128.0, 1000.0):
        t = np.arange(0, 30, 1 / fs)
        r = recordings.load(
            write(tmp_path, WAVE | {"ppg": 2000 + 500 * np.sin(2 * np.pi * 1.2 * t), "fs": fs})
        )
        late = 0.01 - 0.5 / fs if fs in (100.0, 1000.0) else 0  # a mean stands for the middle of its samples
        n = len(r.pulse) - 3
        want = 2000 + 500 * np.sin(2 * np.pi * 1.2 * (np.arange(n) / 50 + late))
        assert abs(r.seconds - 30) < 0.1 and np.abs(r.pulse[3:n] - want[3:]).max() < 20, fs


def test_labels_without_a_whole_minute(tmp_path):
    write(tmp_path, WRIST | {"seg_end": np.array([20.0, 100.0])})
    with pytest.raises(Problem, match="no whole minute of a labelled segment"):
        CliRunner().invoke(score, [str(tmp_path)], catch_exceptions=False)
    assert stress.balanced(np.zeros(0), np.zeros(0, int), 0.3) is None


def test_minutes_beyond_the_end_do_not_count(tmp_path):
    class Run:
        recording = recordings.load(write(tmp_path, WRIST | {"seg_end": np.array([75.0, 9000.0])}))
        t_s = np.arange(1.0, 151)
        series = dict.fromkeys(
            ("arousal", "fast", "confidence", "skin_dev", "heart_dev", "rmssd_dev", "rise"), np.zeros(150)
        )

    assert list(stress.windows(Run).start) == [0, 75]

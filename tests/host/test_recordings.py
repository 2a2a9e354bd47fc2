"""Visitors who are recordings: resampling, forms, labels, looping, and what is wrong with a folder."""

import numpy as np
import pytest
from pulseweave.problem import Problem
from pulseweave.sim.visitors import library
from pulseweave.sim.visitors.recordings import PAUSE_S, Recordings
from scipy import signal


def played(crowd, seconds, start=0.0):
    """Everything a crowd gives in so many seconds, joined over steps."""
    out = [crowd.step(start + i / 10, 0.1, None) for i in range(round(seconds * 10))]
    return {
        "ppg": np.concatenate([o["ppg"] for o in out], 1),
        "eda": np.concatenate([o["eda"] for o in out], 1),
        "arousal": np.array([o["arousal"] for o in out]).T,
        "touching": np.array([o["touching"] for o in out]).T,
    }


def write(folder, name, **arrays):
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / name, **arrays)
    return folder


@pytest.mark.parametrize("rates", [(64, 100), (50, 100), (1000, 100), (30, 100), (4, 8), (100, 8), (1000, 8)])
def test_resampling_keeps_the_band_and_the_time(rates):
    """A tone well inside both bands comes back within 0.5 %, with the phase of the original; one beyond is gone."""
    r_in, r_out = rates
    t_in = np.arange(int(40 * r_in)) / r_in
    tone = 0.3 * min(rates) / 2
    y = library.resample(np.sin(2 * np.pi * tone * t_in), r_in, r_out)
    t = np.arange(len(y)) / r_out
    inner = (t > 5) & (t < 34)
    assert np.abs(y - np.sin(2 * np.pi * tone * t))[inner].max() < 0.005
    assert abs(len(y) / r_out - 40) < 0.3
    if r_in > 2 * r_out:
        y = library.resample(np.sin(2 * np.pi * 0.8 * r_out * t_in), r_in, r_out)
        assert np.abs(y[inner]).max() < 0.01


def test_resampling_agrees_with_scipy():
    x = np.random.default_rng(1).normal(size=4000).cumsum()
    mine, theirs = library.resample(x, 64, 100), signal.resample_poly(x, 25, 16)
    inner = slice(200, 6000)
    assert np.abs(mine[inner] - theirs[inner]).max() < 0.15 * x.std()
    assert np.corrcoef(np.diff(mine[inner]), np.diff(theirs[inner]))[0, 1] > 0.99


@pytest.mark.parametrize(
    "name", ["stress_predict", "ppg_ecg_50hz", "neurokit_100hz", "welltory_phone_ppg", "biosppy_1000hz", "."]
)
def test_every_form_of_the_data_plays(recorded, name):
    crowd = Recordings(3, 12, folder=recorded / name)
    out = played(crowd, 20)
    assert out["ppg"].shape == (12, 2000) and out["eda"].shape == (12, 160)
    assert np.isfinite(out["ppg"]).all() and np.isfinite(out["eda"]).all()
    assert (out["eda"] >= 0).all() and out["eda"].max() < 60
    height = np.median(np.ptp(out["ppg"].reshape(12, -1, 200), axis=2), axis=1)
    assert ((height > 0.05) & (height < 8)).all()
    assert out["touching"].mean() > 0.75  # one recording lasts 20 s
    assert ((out["arousal"] > 0.0999) & (out["arousal"] < 0.6001)).all()


def test_pulse_peaks_lie_where_the_ecg_says(recorded):
    """ppg_ecg_50hz, 100 Hz: the beats of the played pulse follow the R peaks at one constant lag."""
    path = recorded / "ppg_ecg_50hz" / "595_static_level1.npz"
    ppg = library.read(path).ppg
    beats = np.load(path)["ref_beats_s"]
    smooth = signal.sosfiltfilt(signal.butter(2, [0.5, 8], "band", fs=100, output="sos"), ppg)
    peaks = signal.find_peaks(np.gradient(smooth), distance=40, height=0.02)[0] / 100
    lags = peaks[:, None] - beats[None, :]
    lag = np.nanmedian(np.where((lags > 0.3) & (lags < 0.95), lags, np.nan))
    near = np.abs(lags - lag).min(axis=0)
    assert (near < 0.1).mean() > 0.95


def test_truth_comes_from_the_labels(recorded):
    path = recorded / "stress_predict" / "S05.npz"
    r, z = library.read(path), np.load(path)
    for start, end, stress in zip(z["seg_start"], z["seg_end"], z["seg_stress"]):
        middle = int((start + end) / 2 * 8)
        if end - start > 60 and middle < len(r.arousal):
            assert abs(r.arousal[middle] - (0.6 if stress else 0.1)) < 0.02
    assert np.abs(np.diff(r.arousal)).max() < 0.05
    assert abs(len(r.arousal) / 8 - r.seconds) < 0.2


def test_same_seed_same_people_and_neighbours_differ(recorded):
    a = Recordings(3, 8, folder=recorded / "stress_predict")
    b = Recordings(3, 8, folder=recorded / "stress_predict")
    c = Recordings(4, 8, folder=recorded / "stress_predict")
    assert len(set(a.playing.tolist())) == 8
    x, y, z = played(a, 3), played(b, 3), played(c, 3)
    assert np.array_equal(x["ppg"], y["ppg"]) and np.array_equal(x["eda"], y["eda"])
    assert not np.array_equal(x["ppg"], z["ppg"])


def test_the_next_person_comes_after_a_pause(tmp_path):
    t = np.arange(20 * 50) / 50
    folder = write(tmp_path / "r", "a.npz", fs=50.0, ppg=2000 + 500 * np.sin(2 * np.pi * 1.0 * t))
    write(folder, "b.npz", fs=50.0, ppg=2000 + 500 * np.sin(2 * np.pi * 1.5 * t))
    crowd = Recordings(1, 2, folder=folder)
    first = crowd.playing.copy()
    out = played(crowd, 70)
    away = ~out["touching"][0]
    edges = np.flatnonzero(np.diff(away.astype(int)))
    assert len(edges) >= 3
    assert abs((edges[1] - edges[0]) / 10 - PAUSE_S) < 0.5
    assert 10 <= edges[0] / 10 <= 20  # it began within the first half of 20 s
    names = {crowd.names[i] for i in first}
    assert names == {"a", "b"}
    rate = [np.sum(np.diff(np.signbit(p[:900]).astype(int)) == 1) / 9 for p in out["ppg"] - out["ppg"].mean()]
    assert sorted(round(2 * r) / 2 for r in rate) == [1.0, 1.5]
    crowd, heard = Recordings(1, 2, folder=folder), []
    for i in range(600):
        crowd.step(i / 10, 0.1, None)
        heard.append(crowd.names[crowd.playing[0]])
    assert heard[0] == crowd.names[first[0]]
    assert set(heard) == {"a", "b"}  # everybody has a turn


def test_the_body_fills_in_what_a_recording_lacks(recorded):
    crowd = Recordings(3, 4, folder=recorded / "ppg_ecg_50hz")
    out = played(crowd, 30)
    assert (out["eda"][:, 80:] > 0.3).all()
    assert (np.ptp(out["eda"], axis=1) > 0).all()


def test_a_folder_that_is_missing_or_empty(tmp_path):
    with pytest.raises(Problem, match=r"recordings folder .*nowhere does not exist: give"):
        Recordings(1, 2, folder=tmp_path / "nowhere")
    with pytest.raises(Problem, match=r"holds no \.npz: see data/README\.md"):
        Recordings(1, 2, folder=tmp_path)
    with pytest.raises(Problem, match="need a folder"):
        Recordings(1, 2)


def test_files_that_cannot_be_played_are_named(tmp_path, recorded):
    whole = (recorded / "neurokit_100hz" / "bio_resting_5min_100hz.npz").read_bytes()
    cases = {
        "cut": (whole[: len(whole) // 2], "cut.npz is damaged"),
        "noise": (bytes(range(256)) * 40, "noise.npz is damaged"),
        "empty": (b"", "empty.npz is damaged"),
    }
    for name, (content, message) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.npz").write_bytes(content)
        with pytest.raises(Problem, match=message):
            Recordings(1, 2, folder=folder)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    folder = tmp_path / "flipped"
    folder.mkdir()
    (folder / "flipped.npz").write_bytes(flipped)
    with pytest.raises(Problem, match=r"flipped\.npz is damaged"):
        Recordings(1, 2, folder=folder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"ecg": np.zeros(5000), "fs": 100.0}, "neither bvp, ppg, rgb nor eda but ecg, fs"),
        ({"ppg": np.zeros(5000)}, "not of a known form"),
        ({"ppg": np.zeros((5000, 2)), "fs": 100.0}, "not of a known form"),
        ({"ppg": np.zeros(5000), "fs": 0.0}, "not of a known form"),
        ({"ppg": np.full(5000, np.nan), "fs": 100.0}, "not numbers"),
        ({"ppg": np.array(["a"] * 5000), "fs": 100.0}, "not of a known form"),
        ({"ppg": np.sin(np.arange(500)), "fs": 100.0}, "lasts 5.0 s: it takes 15 s"),
        ({"ppg": np.zeros(0), "fs": 100.0}, "x.npz"),
        ({"ppg": np.zeros(5000), "fs": 1e-6}, "samples a second"),
        ({"eda": np.ones(500), "eda_fs": -4.0}, "not of a known form"),
        ({"rgb": np.zeros((900, 3)), "t_ms": np.arange(900)}, "x.npz"),
        ({"rgb": np.ones((900, 3)), "t_ms": np.arange(900) * 3.3e10}, "t_ms lasts"),
        ({"eda": np.ones(500), "eda_fs": 4.0, "eda_t_offset": 1.6e12}, "eda_t_offset"),
    ],
)
def test_wrong_forms_are_refused_in_one_line(tmp_path, arrays, message):
    folder = write(tmp_path / "r", "x.npz", **arrays)
    with pytest.raises(Problem, match=message) as caught:
        Recordings(1, 2, folder=folder)
    assert "\n" not in str(caught.value)
    assert "x.npz" in str(caught.value)

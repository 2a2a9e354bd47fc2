"""Intervals between beats against physiology and against recordings."""

import numpy as np
from lived import live
from pulseweave.sim.body import Body
from scipy import signal


def intervals(times):
    """(mean, SDNN, RMSSD) in ms."""
    ibi = np.diff(times) * 1000
    return ibi.mean(), ibi.std(), np.sqrt(np.mean(np.diff(ibi) ** 2))


def test_heart_rate_follows_arousal_with_a_lag():
    body = Body(3, 100)
    live(body, 30, 0.0)
    calm = body.hr_bpm.copy()
    assert calm.min() >= 55 and calm.max() <= 85
    live(body, 1, 1.0, start=30)
    soon = body.hr_bpm - calm
    live(body, 30, 1.0, start=31)
    late = body.hr_bpm - calm
    assert (soon < 0.4 * late).all()
    assert late.min() > 20 and late.max() < 37


def test_interval_statistics_at_rest_and_under_stress(rest, stressed):
    """Nunan 2010: at rest SDNN 32-93 ms, RMSSD 19-75 ms over studies; both fall under stress (Castaldo 2015)."""
    calm = np.array([intervals(b) for b in rest[2]])
    tense = np.array([intervals(b) for b in stressed[2]])
    median = np.median(calm, axis=0)
    assert 700 < median[0] < 950
    assert 32 < median[1] < 93
    assert 19 < median[2] < 75
    ratio = np.median(tense / calm, axis=0)
    assert 0.75 < ratio[0] < 0.95
    assert 0.45 < ratio[1] < 0.9
    assert 0.4 < ratio[2] < 0.7


def test_breath_and_mayer_waves_are_in_the_intervals(rest):
    """The tachogram has a peak at 0.1 Hz and one in the respiratory band, above the valley and above 0.5 Hz."""
    power = []
    for beats in rest[2]:
        t = np.arange(beats[0], beats[-1], 0.25)
        f, p = signal.welch(np.interp(t, beats[1:], np.diff(beats)), 4, nperseg=256)
        power.append(p)
    p = np.median(power, axis=0)

    def density(lo, hi):
        return p[(f >= lo) & (f < hi)].mean()

    assert density(0.085, 0.115) > 2 * density(0.14, 0.17)
    assert density(0.19, 0.32) > 2 * density(0.14, 0.17)
    assert density(0.19, 0.32) > 5 * density(0.5, 0.9)


def test_recorded_intervals_are_within_the_synthetic_crowd(recorded, rest):
    """ECG intervals of people who sit still (ppg_ecg_50hz, neurokit) are nothing that the crowd does not know;
    tolerance: a factor of 1.5 beyond its extremes, for two or three people."""
    crowd = np.array([intervals(b) for b in rest[2]])
    low, high = crowd.min(axis=0) / 1.5, crowd.max(axis=0) * 1.5
    found = 0
    for path in [
        *sorted(recorded.glob("ppg_ecg_50hz/*static*.npz")),
        *recorded.glob("neurokit_100hz/*resting*.npz"),
    ]:
        beats = np.load(path)["ref_beats_s"]
        ibi = np.diff(beats)
        steady = np.abs(ibi / np.median(ibi) - 1) < 0.3  # a missed reference beat is no interval
        both = steady[1:] & steady[:-1]
        real = np.array([
            1000 * ibi[steady].mean(),
            1000 * ibi[steady].std(),
            1000 * np.sqrt(np.mean(np.diff(ibi)[both] ** 2)),
        ])  # fmt: skip
        assert (real > low).all() and (real < high).all(), (path.name, real, low, high)
        found += 1
    assert found >= 7


def bands(beats):
    """(SD in ms of the intervals' 0.04-0.15 Hz band, of their 0.15-0.4 Hz band, share of the first in the power)."""
    ibi = np.diff(beats)
    steady = np.abs(ibi / np.median(ibi) - 1) < 0.3
    t = np.arange(beats[1], beats[-1], 0.25)
    f, p = signal.welch(
        1000 * np.interp(t, beats[1:][steady], ibi[steady]), 4, nperseg=min(256, len(t)), detrend="linear"
    )
    low, high = (p[(f >= a) & (f < b)].sum() * f[1] for a, b in ((0.04, 0.15), (0.15, 0.4)))
    return np.sqrt(low), np.sqrt(high), low / (low + high)


def test_interval_spectra_are_those_of_recordings(recorded, rest):
    """Both bands of heart rate variability (Task Force 1996), ECG of people who sit still. Tolerances, for two or three
    people: every recording within the crowd's span, widened by 15 %; medians within a factor of 1.6, share within 0.25."""
    files = [
        *sorted(recorded.glob("ppg_ecg_50hz/*static*.npz")),
        *recorded.glob("neurokit_100hz/*resting*.npz"),
    ]
    real = np.array([bands(np.load(f)["ref_beats_s"]) for f in files])
    crowd = np.array([bands(b) for b in rest[2]])
    assert len(real) >= 7
    assert (real > crowd.min(axis=0) / 1.15).all() and (real < crowd.max(axis=0) * 1.15).all(), (real, crowd)
    ratio = np.median(crowd, axis=0) / np.median(real, axis=0)
    assert (np.abs(np.log(ratio[:2])) < np.log(1.6)).all(), ratio
    assert abs(np.median(crowd[:, 2]) - np.median(real[:, 2])) < 0.25

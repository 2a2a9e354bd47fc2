"""The pulse wave against physiology, recordings and an independent beat detector."""

import numpy as np
import pytest
from lived import live
from pulseweave.sim import heart
from pulseweave.sim.body import Body
from pulseweave.sim.visitors.library import read
from scipy import signal


def test_no_seam_between_steps(rest):
    """The change from the last sample of a step to the first of the next is like any other."""
    jumps = np.abs(np.diff(rest[0], axis=1))
    at_seam, within = jumps[:, 9::10], np.delete(jumps, np.s_[9::10], axis=1)
    assert np.percentile(at_seam, 99.9) < 1.15 * np.percentile(within, 99.9)
    assert at_seam.max() < 1.5 * within.max()


def test_a_beat_does_not_cut_off_the_tail_of_the_last(monkeypatch):
    """Without noise and movement, the step in which a quick heart's next beat begins joins on smoothly."""
    monkeypatch.setattr(heart, "NOISE_V", 0.0)
    body = Body(5, 40)
    body.person.fidgets_hz[:] = 0.0
    ppg, _, beats = live(body, 60, 1.0)
    bend = np.abs(np.diff(ppg, n=2, axis=1)) / body.person.volts[:, None]
    for node, times in enumerate(beats):
        seams = (
            np.floor(times[5:-1] * 10).astype(int) * 10
        )  # first sample of the step in which the beat begins
        assert np.median(bend[node, seams - 2]) < 0.004
        assert bend[node, seams - 2].max() < 0.02


def harmonics(ppg):
    """dB of the second to sixth harmonic of the heart rate against the first, and of the drift below 0.4 Hz."""
    f, p = signal.welch(ppg, 100, nperseg=2048, detrend="linear")
    first = f[(f > 0.7) & (f < 2.2)][np.argmax(p[(f > 0.7) & (f < 2.2)])]

    def around(k):
        return p[(f > 0.85 * k * first) & (f < 1.15 * k * first)].sum()

    drift = p[(f > 0.05) & (f < 0.4)].sum()
    return 10 * np.log10(np.array([around(k) for k in range(2, 7)] + [drift]) / around(1))


def test_pulse_spectrum_is_that_of_recordings(recorded, rest):
    """Harmonics 2-6 of the crowd's median within 3 dB of the span of still recordings; its drift within 6 dB."""
    files = [
        *sorted(recorded.glob("ppg_ecg_50hz/*static*.npz")),
        *recorded.glob("neurokit_100hz/*resting*.npz"),
    ]
    real = np.array([harmonics(read(f).ppg.astype(float)) for f in files])
    crowd = np.median([harmonics(p) for p in rest[0]], axis=0)
    assert (crowd[:5] > real.min(axis=0)[:5] - 3).all(), (crowd, real.min(axis=0))
    assert (crowd[:5] < real.max(axis=0)[:5] + 3).all(), (crowd, real.max(axis=0))
    assert real[:, 5].min() - 6 < crowd[5] < real[:, 5].max() + 6


def test_pulse_has_a_dicrotic_wave_and_shrinks_under_stress(rest, stressed):
    """After the systolic peak most people show a second rise or a shoulder; perfusion falls by a fifth to a half."""
    shoulders = 0
    for ppg, beats in zip(rest[0], rest[2]):
        starts = np.rint((beats[5:-5] - 30.0) * 100).astype(int)
        beat = np.median([ppg[s : s + 60] for s in starts], axis=0)
        top = np.argmax(beat[:30])
        fall = np.diff(beat[top : top + 35])
        shoulders += np.max(fall[12:28]) > 0.25 * fall[:12].min()
    assert shoulders > 0.9 * len(rest[2])

    def height(ppg):
        return np.median(np.ptp(ppg.reshape(len(ppg), -1, 200), axis=2), axis=1)

    assert 0.5 < np.median(height(stressed[0]) / height(rest[0])) < 0.8


def test_movements_spoil_some_of_the_time(rest):
    """Some 2 s windows hold more than twice the usual swing, most do not."""
    swing = np.ptp(rest[0].reshape(60, -1, 200), axis=2)
    spoilt = (swing > 2 * np.median(swing, axis=1, keepdims=True)).mean()
    assert 0.01 < spoilt < 0.15


def test_an_independent_detector_finds_the_beats(rest):
    """NeuroKit2 (Elgendi) on the synthetic pulse against the model's own beats: F1 >= 0.96 at one lag per node."""
    nk = pytest.importorskip("neurokit2")
    hit = made = true = 0
    for ppg, beats in list(zip(rest[0], rest[2]))[:12]:
        clean = nk.ppg_clean(ppg, sampling_rate=100)
        peaks = 30.0 + nk.ppg_findpeaks(clean, sampling_rate=100)["PPG_Peaks"] / 100
        nearest = beats[np.clip(np.searchsorted(beats, peaks - 0.15), 0, len(beats) - 1)]
        lag = np.median(peaks - nearest)
        error = np.abs(peaks[:, None] - lag - beats[None, :])
        hit += (error.min(axis=1) < 0.15).sum()
        made += len(peaks)
        true += len(beats)
    assert 2 * hit / (made + true) >= 0.96

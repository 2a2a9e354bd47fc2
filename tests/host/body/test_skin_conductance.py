"""Skin conductance against physiology and against recordings."""

import numpy as np
from lived import live
from pulseweave.sim.body import Body
from pulseweave.sim.visitors.library import read
from scipy import signal


def test_skin_responses_follow_arousal(rest, stressed):
    """Boucsein 2012: 1-4 spontaneous responses a minute at rest, 10-20 in high arousal."""
    assert 2 < rest[3].mean() < 5
    assert 7 < stressed[3].mean() < 14
    body = Body(9, 200)
    live(body, 120, 1.0)
    assert 10 < body.scrs.mean() / 2 < 20


def test_one_in_ten_hardly_responds():
    people = Body(2, 2000).person
    assert 0.07 < (people.responds < 0.1).mean() < 0.13
    assert people.scl_us.min() >= 1 and people.scl_us.max() <= 15


def test_skin_level_rises_with_arousal_and_electrodes_settle():
    body = Body(4, 50)
    _, first, _ = live(body, 10, 0.0)
    live(body, 290, 0.0, start=10)
    _, before, _ = live(body, 20, 0.0, start=300)
    _, _, _ = live(body, 60, 0.8, start=320)
    _, after, _ = live(body, 20, 0.8, start=380)
    assert (np.median(before, axis=1) > 1.05 * first.min(axis=1)).mean() > 0.9
    assert 1.2 < np.median(np.median(after, axis=1) / np.median(before, axis=1)) < 2.2


def response_counts(eda, amplitude=0.05):
    """Responses per minute in eda at 8 Hz: prominence of a smoothed peak."""
    smooth = signal.sosfiltfilt(signal.butter(2, 1.0, fs=8, output="sos"), eda)
    return len(signal.find_peaks(smooth, prominence=amplitude)[0]) / (len(eda) / 8 / 60)


def slope(eda):
    """Exponent of the power spectrum of skin conductance, 0.03-0.5 Hz."""
    f, p = signal.welch(eda, 8, nperseg=512, detrend="linear")
    band = (f >= 0.03) & (f <= 0.5)
    return np.polyfit(np.log10(f[band]), np.log10(p[band]), 1)[0]


def test_skin_spectrum_and_responses_are_those_of_recordings(recorded, rest, stressed):
    """Recordings with good contact (level above 0.5 uS): the crowd's median slope lies within their span; responses
    that can be seen are as many as the upper half of the recorded people shows, and rise as theirs do."""
    slopes, calm, tense = [], [], []
    for path in [
        *sorted(recorded.glob("stress_predict/*.npz")),
        *recorded.glob("neurokit_100hz/*event*.npz"),
    ]:
        r = read(path)
        eda = r.eda[800:].astype(float) if r.arousal is not None else r.eda.astype(float)
        if np.median(eda) < 0.5:
            continue
        slopes.append(slope(eda))
        if r.arousal is not None:
            truth = r.arousal[800 : 800 + len(eda)]
            eda = eda[: len(truth)]
            calm.append(response_counts(eda[truth < 0.2]))
            tense.append(response_counts(eda[truth > 0.5]))
    assert len(slopes) >= 8
    crowd = [slope(e) for e in rest[1]]
    assert min(slopes) < np.median(crowd) < max(slopes), (np.median(crowd), slopes)
    seen_calm = np.median([response_counts(e) for e in rest[1]])
    seen_tense = np.median([response_counts(e) for e in stressed[1]])
    assert np.median(calm) / 2 < seen_calm < 2 * max(calm), (seen_calm, calm)
    assert np.median(tense) / 2 < seen_tense < 2 * max(tense), (seen_tense, tense)
    assert seen_tense > 1.3 * seen_calm

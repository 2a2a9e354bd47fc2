"""Stress, leave-one-subject-out, beside a causal logistic model on heart rate, conductance level and responses.

In: recordings with labelled segments (`stress_predict` of the recorded data), 60 s windows. Ours: what the device code
makes of them, its weights fitted to the other people (`pulseweave.score.train`, the device's own trainer). The peer sees
the same windows and the same people: HR from NeuroKit2's Elgendi peaks, mean conductance and counted responses, each against
its own first 90 s (median and MAD, so causal), a plain logistic regression. Both count areas under the ROC curve
pooled over all windows.
"""

import warnings
from importlib.metadata import version

import numpy as np

from pulseweave.figures.beats import neurokit
from pulseweave.figures.figure import Figure
from pulseweave.paths import data
from pulseweave.score import recordings, run, stress, train

FOLDER = "stress_predict"
AUC_MIN, INTERVIEW_MIN = 0.70, 0.77
WINDOW, HOP, BASELINE = 30, 10, 90  # s
FLOORS = (2.0, 0.05, 1.0)  # beats per minute, octaves of conductance, responses in a window
RISE_US = 0.05
NOTE = "leave one person out on both sides; the peer's peaks are found on the whole recording at once"


def responses(eda: np.ndarray, fs: float) -> np.ndarray:
    """Times in s at which conductance has risen by 0.05 uS from its last trough."""
    out, low, armed = [], np.inf, True
    for i, v in enumerate(np.convolve(eda, np.ones(4) / 4, "same")):
        if armed:
            low = min(low, v)
            if v - low >= RISE_US:
                out.append(i / fs)
                armed, high = False, v
        elif v > high:
            high = v
        elif high - v >= RISE_US / 2:
            armed, low = True, v
    return np.array(out)


def deviations(path) -> tuple[np.ndarray, np.ndarray]:
    """(end of window s [n], features [n, 3]) of one recording, each against its own beginning."""
    with np.load(path, allow_pickle=False) as z:
        bvp, fs = z["bvp"].astype(float), float(z["bvp_fs"])
        eda, eda_fs, at = z["eda"].astype(float), float(z["eda_fs"]), float(z["eda_t_offset"])
    peaks = neurokit(bvp, fs, "elgendi")
    rises = responses(eda, eda_fs) + at
    ends = np.arange(WINDOW, len(bvp) / fs, HOP)
    rows = []
    for end in ends:
        ibi = np.diff(peaks[(peaks > end - WINDOW) & (peaks <= end)])
        ibi = ibi[(ibi > 0.333) & (ibi < 1.5)]
        level = eda[max(0, int((end - WINDOW - at) * eda_fs)) : max(1, int((end - at) * eda_fs))]
        hits = np.count_nonzero((rises > end - WINDOW) & (rises <= end))
        rows.append([
            60 / np.median(ibi) if len(ibi) > 5 else np.nan,
            np.log2(max(float(level.mean()), 0.01)) if len(level) else np.nan,
            hits,
        ])  # fmt: skip
    f = np.array(rows)
    first = f[ends <= BASELINE]
    middle = np.nanmedian(first, axis=0)
    spread = np.maximum(1.4826 * np.nanmedian(np.abs(first - middle), axis=0), FLOORS)
    return ends, np.clip(np.nan_to_num((f - middle) / spread), -20, 20)


def peer(path, device: stress.Windows) -> stress.Windows:
    """The peer's features in the windows of the device."""
    ends, f = deviations(path)
    rows = [f[(ends > s) & (ends <= s + stress.WINDOW)].mean(axis=0) for s in device.start]
    out = device[:]
    out.features = np.array(rows)
    return out


def held_out(parts: list[stress.Windows]) -> dict:
    """Pooled figures with every person scored by a model of the others."""
    held = []
    for k, w in enumerate(parts):
        rest = stress.join(parts[:k] + parts[k + 1 :])
        mine = w[:]
        mine.score = train.logistic(*train.fit(rest.features, rest.stress), w.features)
        held.append(mine)
    return stress.pooled(held, 0.5)


def measure(quick: bool) -> list[Figure]:
    files = recordings.folder(data() / FOLDER)
    if quick:
        files = files[::3]
    chosen = [(p, recordings.load(p)) for p in files]
    parts = [stress.windows(r) for r in run.many([r for _, r in chosen])]
    ours = held_out(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = held_out([peer(p, w) for (p, _), w in zip(chosen, parts, strict=True)])
    name, of = "causal logistic on HR, SCL, SCR", f"NeuroKit2 {version('neurokit2')}"
    return [
        Figure("stress_auc", ours["auc"], "AUC", name, theirs["auc"], of, AUC_MIN, more=True),
        Figure(
            "stress_interview_auc", ours["interview_auc"], "AUC", name, theirs["interview_auc"], of,
            INTERVIEW_MIN, more=True,
        ),
    ]  # fmt: skip

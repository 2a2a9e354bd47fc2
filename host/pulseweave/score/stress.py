"""Scoring arousal against labelled segments: one minute at a time, pooled over people, nothing fitted.

A window is 60 s inside one segment, its score the mean arousal of its seconds (0..1), its label the segment's.
Sources: Iqbal et al. 2022 for the protocol; ECE with ten equal bins (Guo et al. 2017).
"""

from dataclasses import dataclass

import numpy as np

WINDOW = 60
BINS = 10


@dataclass
class Windows:
    """Columns over windows: score 0..1, stress 0/1, task, confidence 0..1, start s; `features` float[n, 4] (octaves: skin,
    heart, rmssd, rise) are what the device's `arousal` is made of; `fast` 0..1 is the device's own.
    """

    score: np.ndarray
    stress: np.ndarray
    task: np.ndarray
    confidence: np.ndarray
    start: np.ndarray
    features: np.ndarray
    fast: np.ndarray

    def __getitem__(self, pick):
        return Windows(*(getattr(self, k)[pick] for k in self.__dataclass_fields__))


def join(parts: list[Windows]) -> Windows:
    """All windows of several people."""
    return Windows(*(np.concatenate([getattr(p, k) for p in parts]) for k in Windows.__dataclass_fields__))


def windows(run) -> Windows:
    """The labelled minutes of one run of the device code (`run.Run` of a recording with segments)."""
    t, s = run.t_s, run.series
    features = np.column_stack([s[k] for k in ("skin_dev", "heart_dev", "rmssd_dev", "rise")]) / 1024
    rows = []
    for a, b, task, stress in run.recording.segments:
        start = a
        while start + WINDOW <= min(b, run.recording.seconds + 1):
            m = (t > start) & (t <= start + WINDOW)
            if m.any():
                rows.append(
                    (
                        s["arousal"][m].mean() / 4096,
                        stress,
                        task,
                        s["confidence"][m].mean() / 255,
                        start,
                        features[m].mean(axis=0),
                        s["fast"][m].mean() / 4096,
                    )
                )
            start += WINDOW
    columns = list(zip(*rows)) if rows else [[]] * 7
    return Windows(
        np.array(columns[0], float),
        np.array(columns[1], int),
        np.array(columns[2], str),
        np.array(columns[3], float),
        np.array(columns[4], float),
        np.array(columns[5], float).reshape(-1, 4),
        np.array(columns[6], float),
    )


def auc(score: np.ndarray, label: np.ndarray) -> float | None:
    """Area under the ROC curve by ranks, ties shared; None where a class is missing."""
    n, p = len(label), int(np.sum(label))
    if p == 0 or p == n:
        return None
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    return float((rank[label == 1].sum() - p * (p + 1) / 2) / (p * (n - p)))


def balanced(score: np.ndarray, label: np.ndarray, threshold: float) -> float | None:
    """Mean of sensitivity and specificity at a threshold; None where a class is missing."""
    if not 0 < label.sum() < len(label):
        return None
    high = score >= threshold
    return float((high[label == 1].mean() + (~high[label == 0]).mean()) / 2)


def calibration(score: np.ndarray, label: np.ndarray) -> list[tuple[float, float, int]]:
    """Per occupied tenth: mean score, share of stress, windows."""
    bin_of = np.minimum((score * BINS).astype(int), BINS - 1)
    return [
        (float(score[bin_of == k].mean()), float(label[bin_of == k].mean()), int((bin_of == k).sum()))
        for k in range(BINS)
        if (bin_of == k).any()
    ]


def ece(score: np.ndarray, label: np.ndarray) -> float | None:
    """Expected calibration error: mean distance of score and share of stress over the tenths."""
    if not len(score):
        return None
    return float(sum(abs(a - b) * n for a, b, n in calibration(score, label)) / len(score))


def figures(w: Windows, threshold: float) -> dict:
    """balanced_accuracy, auc, interview_auc (interview against all rest), ece, n of a set of windows."""
    talk = (w.task == "interview") | (w.stress == 0)
    return {
        "balanced_accuracy": balanced(w.score, w.stress, threshold),
        "auc": auc(w.score, w.stress),
        "interview_auc": auc(w.score[talk], w.stress[talk]),
        "ece": ece(w.score, w.stress),
        "n": len(w.score),
    }


def pooled(parts: list[Windows], threshold: float) -> dict:
    """Figures over all windows of all people, and the worst person's AUC."""
    each = [a for p in parts if (a := auc(p.score, p.stress)) is not None]
    return figures(join(parts), threshold) | {"worst_subject_auc": min(each) if each else None}


def shifted(parts: list[Windows], seed: int = 1, rounds: int = 200) -> tuple[float, float, float] | None:
    """Control: every person's labels turned around the clock by a random amount, the scores left alone.

    Slow drift and elapsed time survive the turn, the visitor's response does not. Mean AUC and the middle 95 %. People with
    too few minutes to turn are left out; None where nobody is left, or where all labels are of one kind.
    """
    rng = np.random.default_rng(seed)
    long = [p for p in parts if len(p.stress) > 8]
    if not long or auc(join(long).score, join(long).stress) is None:
        return None
    score = np.concatenate([p.score for p in long])
    out = []
    for _ in range(rounds):
        labels = [np.roll(p.stress, int(rng.integers(4, len(p.stress) - 4))) for p in long]
        out.append(auc(score, np.concatenate(labels)))
    return float(np.mean(out)), float(np.quantile(out, 0.025)), float(np.quantile(out, 0.975))


def control(parts: list[Windows]) -> str:
    """`shifted` in words; "-" where there is none."""
    found = shifted(parts)
    return "{:.3f} ({:.3f}..{:.3f})".format(*found) if found else "-"


def coverage(w: Windows, threshold: float) -> list[tuple[float, float]]:
    """Accuracy of the most confident share of windows: (share, accuracy) at tenths."""
    order = np.argsort(-w.confidence, kind="stable")
    right = ((w.score >= threshold) == (w.stress == 1))[order]
    return [(k / 10, float(right[: max(1, round(len(right) * k / 10))].mean())) for k in range(1, 11)]

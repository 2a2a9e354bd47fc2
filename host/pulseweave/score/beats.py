"""Scoring beats: detected times against a reference with one unknown constant lag per recording.

A detection matches a reference beat within 150 ms after the lag (the best one for the whole recording) is taken off;
references and detections inside excluded spans do not count. F1, sensitivity, predictive value; interval error over
consecutive matched beats. Times in s, errors in ms.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

WITHIN = 0.15
GATE = 128  # quality from which the node trusts a beat


@dataclass
class Tally:
    """Counts of one recording: true positives, references, detections, interval errors (ms), lag (s)."""

    tp: int
    refs: int
    dets: int
    errors: np.ndarray
    lag: float


def inside(t: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Which times lie in one of the spans."""
    hit = np.zeros(len(t), bool)
    for a, b in spans:
        hit |= (t >= a) & (t <= b)
    return hit


def pairs(ref: np.ndarray, det: np.ndarray, within: float = WITHIN) -> list[tuple[int, int]]:
    """One-to-one matches of two rising series, nearest first where two compete."""
    out, i, j = [], 0, 0
    while i < len(ref) and j < len(det):
        d = det[j] - ref[i]
        if d < -within:
            j += 1
        elif d > within:
            i += 1
        elif j + 1 < len(det) and abs(det[j + 1] - ref[i]) < abs(d):
            j += 1
        elif i + 1 < len(ref) and abs(det[j] - ref[i + 1]) < abs(d):
            i += 1
        else:
            out.append((i, j))
            i, j = i + 1, j + 1
    return out


def near(ref: np.ndarray, det: np.ndarray) -> np.ndarray:
    """Distance of every reference to the nearest detection, s."""
    k = np.clip(np.searchsorted(det, ref), 1, max(len(det) - 1, 1))
    return np.minimum(np.abs(det[np.minimum(k, len(det) - 1)] - ref), np.abs(det[k - 1] - ref))


def lag(ref: np.ndarray, det: np.ndarray, lo: float, hi: float) -> float:
    """The constant to add to the reference, lo..hi s: closest on the whole, then most matches within 0.1 s of that.

    The two steps matter: a steady rhythm matches itself one beat late just as often, but less closely.
    """
    if not len(ref) or not len(det):
        return 0.0
    grid = np.arange(lo, hi, 0.02)
    at = float(max(grid, key=lambda g: np.sum(np.maximum(0, 1 - (near(ref + g, det) / WITHIN) ** 2))))
    p = pairs(ref + at, det)
    if p:
        at += float(np.median([det[j] - ref[i] - at for i, j in p]))
    local = at + np.arange(0, 0.105, 0.01)[:, None] * [-1, 1]
    return float(max(local.ravel(), key=lambda g: np.sum(near(ref + g, det) <= WITHIN)))


def tally(
    ref: np.ndarray,
    det: np.ndarray,
    excluded: np.ndarray,
    seconds: float,
    floating: bool = False,
    fixed: float | None = None,
) -> Tally:
    """Score one recording. `floating`: the reference's clock is unknown by up to 10 s, and only the overlap counts."""
    det = np.asarray(det, float)
    at = fixed if fixed is not None else lag(ref, det, *((-10, 10) if floating else (-0.5, 1.3)))
    d = det - at
    r = ref[~inside(ref, excluded) & (ref + at >= 0) & (ref + at <= seconds)]
    d = d[~inside(d, excluded)]
    if len(ref):
        d = d[(d >= ref[0] - WITHIN) & (d <= ref[-1] + WITHIN)]
    p = pairs(r, d)
    errors = [
        abs((d[n] - d[j]) - (r[m] - r[i])) * 1000
        for (i, j), (m, n) in pairwise(p)
        if m == i + 1 and n == j + 1 and not any(a > r[i] and b < r[m] for a, b in excluded)
    ]
    return Tally(len(p), len(r), len(d), np.array(errors), at)


def figures(tallies: list[Tally]) -> dict:
    """f1, se, ppv, ibi_mae_ms, ibi_median_ms, n (reference beats), pooled over recordings; None where undefined."""
    tp, refs, dets = (sum(getattr(t, k) for t in tallies) for k in ("tp", "refs", "dets"))
    e = np.concatenate([t.errors for t in tallies]) if tallies else np.array([])
    return {
        "f1": 2 * tp / (refs + dets) if refs + dets else None,
        "se": tp / refs if refs else None,
        "ppv": tp / dets if dets else None,
        "ibi_mae_ms": float(e.mean()) if len(e) else None,
        "ibi_median_ms": float(np.median(e)) if len(e) else None,
        "n": refs,
    }

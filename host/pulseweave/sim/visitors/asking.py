"""A crowd's step, asked with care: a plug-in may fail or answer nonsense, and a person must learn where.

In: a crowd, the time, what its visitors saw. Out: `Answer`. Raises Problem: what is wrong, in which step, in which line.
"""

from dataclasses import dataclass

import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim.visitors import said


@dataclass
class Answer:
    """Arousal 0..1, touching, valence -1..1 of every visitor; volts and microsiemens where the crowd brings its own."""

    arousal: np.ndarray
    touching: np.ndarray
    valence: np.ndarray
    ppg: np.ndarray | None
    eda: np.ndarray | None


def ask(crowd, spec: str, t_s: float, dt_s: float, light: np.ndarray) -> Answer:
    """What the crowd called `spec` does from t_s on, having seen light[n]."""
    try:
        out = crowd.step(t_s, dt_s, light.copy())
    except Problem:
        raise
    except Exception as e:
        raise Problem(f"visitors {spec}: step() failed at {t_s:.1f} s with {said(e)}") from None
    if not isinstance(out, dict):
        raise Problem(f"visitors {spec}: step() returned {type(out).__name__}: a dict is needed")
    n = len(light)
    return Answer(
        checked(out, "arousal", n, float),
        checked(out, "touching", n, bool),
        checked(out, "valence", n, float) if "valence" in out else np.zeros(n),
        out.get("ppg"),
        out.get("eda"),
    )


def checked(out: dict, key: str, n: int, kind) -> np.ndarray:
    """One array of a crowd's answer. Raises Problem where it is missing or has another shape."""
    try:
        a = np.asarray(out[key], kind)
    except KeyError:
        raise Problem(f"visitors: step() returned no {key!r}: it must return arousal and touching") from None
    except (TypeError, ValueError) as e:
        raise Problem(f"visitors: {key!r} is no array of {n} numbers ({e})") from None
    if a.shape != (n,):
        raise Problem(f"visitors: {key!r} has shape {a.shape}, not ({n},)")
    if kind is float and not np.isfinite(a).all():
        raise Problem(f"visitors: {key!r} contains numbers that are not finite")
    return a

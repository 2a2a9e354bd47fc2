"""Recordings on disk, read into the units of the sensors.

In: a folder of .npz in the forms of data/README.md. Out: `Recording`s: pulse in volts at 100 Hz, skin conductance in uS
at 8 Hz, arousal truth at 8 Hz; whatever a file lacks is None.

| form | known by | pulse | skin | labels |
| --- | --- | --- | --- | --- |
| stress_predict | bvp | device units, scaled | uS | seg_start, seg_end, seg_stress |
| ppg_ecg_50hz, neurokit_100hz, biosppy_1000hz | ppg, eda, fs | 12-bit counts of 3.3 V, or volts | uS, or BITalino counts | |
| welltory_phone_ppg | rgb, t_ms | mean red of a fingertip's video, inverted, scaled | | |

A pulse that is not in volts, or smaller than 0.15 V, is scaled to 0.6 V between its usual foot and peak: gains of
recorders differ, and a node's sensor has its own. Resampling is band-limited: a windowed-sinc interpolator with
one filter per phase (Crochiere, Rabiner 1983, Multirate Digital Signal Processing, ch. 4).
"""

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from pulseweave.problem import Problem

PPG_HZ, EDA_HZ = 100, 8
REST, STRESS = 0.1, 0.6  # arousal truth of the two labels
BLUR_S = 8.0  # people do not change at the stroke of a label
USUAL_V, LEAST_V = 0.6, 0.15
SHORTEST_S = 15.0
LONGEST_S = 86400.0
HELP = "see data/README.md for the forms that can be played"


@dataclass(frozen=True)
class Recording:
    """One person's signals: ppg float32 volts at 100 Hz, eda float32 uS at 8 Hz, arousal float32 0..1 at 8 Hz; or None."""

    name: str
    seconds: float
    ppg: np.ndarray | None
    eda: np.ndarray | None
    arousal: np.ndarray | None


def resample(x: np.ndarray, rate_in: float, rate_out: float, taps: int = 12) -> np.ndarray:
    """float64: x at another rate, band-limited to the lower of both; sample 0 stays at time 0, edges are held.

    `taps` zero crossings of the sinc on either side, Kaiser window (beta 6: 63 dB)."""
    ratio = Fraction(rate_out / rate_in).limit_denominator(4096)
    up, down = ratio.numerator, ratio.denominator
    if up == down or len(x) == 0:
        return np.asarray(x, dtype=np.float64)
    cut = min(1.0, up / down) * 0.95
    half = int(np.ceil(taps / cut))
    count = int(np.floor((len(x) - 1) * up / down)) + 1
    padded = np.concatenate((np.full(half, x[0]), np.asarray(x, dtype=np.float64), np.full(half + 1, x[-1])))
    out = np.empty(count)
    reach = np.arange(-half + 1, half + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half)
    for phase in range(min(up, count)):  # output m = phase + up * i lies at x[m * down / up]
        whole, part = divmod(phase * down, up)
        lag = reach - part / up
        h = cut * np.sinc(cut * lag) * np.i0(6.0 * np.sqrt(np.maximum(0, 1 - (lag / half) ** 2)))
        n = len(range(phase, count, up))
        first = whole + 1
        out[phase::up] = windows[first : first + down * (n - 1) + 1 : down] @ (h / h.sum())
    return out


def swing(ppg: np.ndarray) -> float:
    """Usual foot-to-peak height: the median over 2 s windows of the range, at 100 Hz."""
    whole = ppg[: len(ppg) // 200 * 200].reshape(-1, 200)
    return float(np.median(np.ptp(whole, axis=1))) if len(whole) else 0.0


def to_volts(ppg: np.ndarray, counts: bool) -> np.ndarray:
    """Pulse in volts about its bias; `counts`: 12-bit counts of 3.3 V."""
    v = (ppg - 2047.5) * (3.3 / 4095) if counts else ppg - np.median(ppg)
    height = swing(v)
    if height < LEAST_V or (not counts and height > 3.3):
        v = (v - np.median(v)) * (USUAL_V / height if height > 0 else 0.0)
    return v.astype(np.float32)


def _truth(z, seconds: float) -> np.ndarray:
    """Arousal at 8 Hz: 0.1 at rest, 0.6 under stress, with soft edges."""
    t = np.arange(int(seconds * EDA_HZ)) / EDA_HZ
    out = np.full(len(t), REST)
    for start, end, stress in zip(z["seg_start"], z["seg_end"], z["seg_stress"]):
        if stress:
            rise, fall = (
                1 / (1 + np.exp(-np.clip((t - edge) * (4 / BLUR_S), -50, 50))) for edge in (start, end)
            )
            out += (STRESS - REST) * (rise - fall)
    return np.clip(out, REST, STRESS).astype(np.float32)


def _series(z, name: str) -> np.ndarray:
    """float64[samples] of one array. Raises ValueError where it is none."""
    x = np.asarray(z[name], dtype=np.float64)
    if x.ndim != 1 or not len(x):
        raise ValueError(f"{name} has shape {x.shape}, not one row of samples")
    return x


def _rate(z, name: str) -> float:
    hz = float(z[name])
    if not 1 <= hz <= 100000:
        raise ValueError(f"{name} is {hz:g} samples a second")
    return hz


def _skin(z) -> np.ndarray:
    rate = _rate(z, "eda_fs" if "eda_fs" in z else "fs")
    eda = _series(z, "eda")
    if (
        eda.max() > 100.0
    ):  # 12-bit counts of a BITalino: uS = counts / 4096 * 3.3 V / 0.132 (its EDA data sheet)
        eda = eda / 4096 * 3.3 / 0.132
    late = float(z["eda_t_offset"]) if "eda_t_offset" in z else 0.0
    if not abs(late) <= LONGEST_S:
        raise ValueError(f"eda_t_offset is {late:g} s")
    eda = np.maximum(resample(eda, rate, EDA_HZ), 0.0)
    shift = round(late * EDA_HZ)
    return (np.pad(eda, (shift, 0), mode="edge") if shift > 0 else eda[-shift:]).astype(np.float32)


def _phone(z) -> np.ndarray:
    """Red light through a fingertip, one value per video frame: less light is more blood; to 30 Hz, then 100 Hz."""
    t = np.asarray(z["t_ms"], dtype=np.float64) / 1000.0
    red = np.asarray(z["rgb"], dtype=np.float64)[:, 0]
    lit = red > 0.5 * np.median(red)  # the first frames come before the torch
    span = t[lit][-1] - t[lit][0]
    if not span <= LONGEST_S:
        raise ValueError(f"t_ms lasts {span:g} s")
    even = np.arange(t[lit][0], t[lit][-1], 1 / 30)
    return -resample(np.interp(even, t[lit], red[lit]), 30, PPG_HZ)


def read(path: Path) -> Recording:
    """One recording. Raises Problem, naming the file, where it cannot be read or has no known form."""
    try:
        with np.load(path) as file:
            z = {name: file[name] for name in file.files}
    except Exception as e:
        why = str(e).partition(". ")[0]
        raise Problem(f"recording {path} is damaged ({why}): fetch it again or take it away") from None
    ppg = eda = None
    try:
        if "bvp" in z:
            ppg = to_volts(resample(_series(z, "bvp"), _rate(z, "bvp_fs"), PPG_HZ), counts=False)
        elif "rgb" in z:
            ppg = to_volts(_phone(z), counts=False)
        elif "ppg" in z:
            raw = _series(z, "ppg")
            ppg = to_volts(resample(raw, _rate(z, "fs"), PPG_HZ), counts=bool(raw.max() > 100.0))
        if "eda" in z:
            eda = _skin(z)
        if ppg is None and eda is None:
            names = ", ".join(z) or "nothing"
            raise Problem(f"recording {path} holds neither bvp, ppg, rgb nor eda but {names}: {HELP}")
        lengths = [len(s) / hz for s, hz in ((ppg, PPG_HZ), (eda, EDA_HZ)) if s is not None]
        seconds = min(lengths)
        if seconds < SHORTEST_S:
            raise Problem(f"recording {path} lasts {seconds:.1f} s: it takes {SHORTEST_S:.0f} s at least")
        if not all(np.isfinite(s).all() for s in (ppg, eda) if s is not None):
            raise Problem(f"recording {path} holds values that are not numbers: repair it or take it away")
        arousal = _truth(z, seconds) if "seg_stress" in z else None
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, MemoryError) as e:
        raise Problem(f"recording {path} is not of a known form ({type(e).__name__}: {e}): {HELP}") from None
    return Recording(path.stem, seconds, ppg, eda, arousal)


def files(folder) -> list[Path]:
    """The .npz files of a folder in order of name, or of the folders in it. Raises Problem where there is none."""
    folder = Path(folder)
    with contextlib.suppress(RuntimeError):  # nobody of that name
        folder = folder.expanduser()
    if not folder.is_dir():
        raise Problem(
            f"recordings folder {folder} does not exist: give --visitors recordings:DIR an existing one"
        )
    found = sorted(folder.glob("*.npz")) or sorted(folder.glob("*/*.npz"))
    if not found:
        raise Problem(f"recordings folder {folder} holds no .npz: {HELP}")
    return found

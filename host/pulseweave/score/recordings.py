"""Recordings: .npz files of the documented forms in, samples as the node's converters would have seen them out.

Forms, told apart by the arrays a file holds (the recorded data's README describes them):
  ppg + ref_beats_s at fs    pulse with ECG reference; counts where they look like 12-bit counts, else volts
  t_ms + rgb + rr_ms         phone camera: red light falls with blood, irregular frames
  bvp + eda + seg_*          Empatica E4: blood volume pulse (device units), conductance (uS), labelled segments
A file without reference is fed but not scored. What is converted, and how: see the functions.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pulseweave.problem import Problem

RATE = 50
PULSE_HZ = 20  # a pulse wave sampled more slowly is none
LEAST_S, MOST_S = 10, 86400  # the node learns for 8 s
OPEN = 2048  # counts of the skin input with nothing connected (Grove default)


@dataclass
class Recording:
    """One recording, converted. `pulse` int32 at 50 Hz or None; `skin` sums of 8 readings at 50 Hz (-1 none) or None."""

    name: str
    kind: str  # "beats", "stress" or "none"
    seconds: float
    pulse: np.ndarray | None = None
    skin: np.ndarray | None = None
    full: int = 4095
    pulsatile: bool = True
    contact: tuple[int, int] = (150, 3950)
    ref: np.ndarray | None = None  # reference beats, s
    excluded: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    floating: bool = False  # True where the reference has no absolute time
    segments: list[tuple[float, float, str, int]] = field(default_factory=list)
    raw: dict = field(default_factory=dict)

    def words(self) -> bytes:
        """The file that feed.py reads."""
        n = int(self.seconds * RATE)
        head = [
            n,
            self.full,
            self.pulsatile,
            *self.contact,
            RATE * 1000,
            self.pulse is not None,
            self.skin is not None,
        ]
        rows = np.full((n, 2), -1, np.int32)
        if self.pulse is not None:
            rows[: len(self.pulse), 0] = self.pulse[:n]
            rows[len(self.pulse) :, 0] = 0
        if self.skin is not None:
            rows[: len(self.skin), 1] = self.skin[:n]
        return np.array(head, np.int32).tobytes() + rows.tobytes()


def gsr(conductance_us: np.ndarray) -> np.ndarray:
    """Conductance in uS to the sum of 8 readings of a Grove GSR input (inverse of the node's formula)."""
    g = np.maximum(np.nan_to_num(conductance_us), 0) * 1000
    return np.clip(np.rint(8 * (100000 * OPEN - 4096 * g) / (100000 + 2 * g)), 0, 8 * 4095).astype(np.int32)


def resample(x: np.ndarray, fs: float, to: float = RATE) -> np.ndarray:
    """x at fs Hz to `to` Hz: whole ratios by averaging (as the converter does), others by linear interpolation."""
    ratio = fs / to
    if abs(ratio - round(ratio)) < 1e-9 and ratio >= 1:
        k = round(ratio)
        return x[: len(x) // k * k].reshape(-1, k).mean(axis=1)
    n = int(len(x) / ratio)
    if ratio > 1:  # average over one output sample first, so that nothing folds back
        k = round(ratio)
        if k > 1:
            x = np.convolve(x, np.ones(k) / k, "same")
    return np.interp(np.arange(n) * ratio, np.arange(len(x)), x)


def counts(x: np.ndarray) -> np.ndarray:
    """A pulse wave as a 12-bit converter shows it: counts stay counts, anything else is centred and set to 1/3 scale."""
    low, high = float(np.min(x)), float(np.max(x))
    if low >= 0 and 64 < high <= 4095:
        return np.rint(x).astype(np.int32)
    spread = np.percentile(x, 95) - np.percentile(x, 5)
    gain = 1365 / spread if spread > 0 else 1
    return np.clip(np.rint(2048 + gain * (x - np.median(x))), 0, 4095).astype(np.int32)


def array(z, path: Path, name: str) -> np.ndarray:
    """An array of a file; Problem where it is missing or empty."""
    if name not in z:
        raise Problem(f"{path}: array '{name}' is missing: see the data's README for the form of a recording")
    if z[name].size == 0:
        raise Problem(f"{path}: array '{name}' is empty: record it again or leave the file out")
    return z[name]


def numbers(z, path: Path, name: str) -> np.ndarray:
    """float64: an array of numbers, some of which may not be finite."""
    a = array(z, path, name)
    if a.dtype.kind not in "biuf":
        raise Problem(f"{path}: array '{name}' holds no numbers: see the data's README")
    return a.astype(float)


def row(z, path: Path, name: str) -> np.ndarray:
    """float64[n]: one row of samples; gaps of what is not finite are bridged by straight lines."""
    a = numbers(z, path, name)
    if a.ndim != 1:
        raise Problem(f"{path}: array '{name}' has shape {a.shape}, not one row of samples: keep one channel")
    good = np.isfinite(a)
    if not good.any():
        raise Problem(f"{path}: array '{name}' is not finite anywhere: the file is damaged")
    return a if good.all() else np.interp(np.arange(len(a)), np.flatnonzero(good), a[good])


def exact(z, path: Path, name: str) -> np.ndarray:
    """float64[n]: times or labels, where every value counts."""
    a = numbers(z, path, name)
    if a.ndim != 1 or not np.isfinite(a).all():
        raise Problem(f"{path}: array '{name}' is not one row of finite numbers: the file is damaged")
    return a


def number(z, path: Path, name: str, default: float | None = None) -> float:
    """A single number."""
    if name not in z and default is not None:
        return default
    a = numbers(z, path, name)
    if a.size != 1 or not np.isfinite(a).all():
        raise Problem(f"{path}: '{name}' is not a single number: see the data's README")
    return float(a.flat[0])


def rate(z, path: Path, name: str, least: float) -> float:
    """A sampling rate in Hz."""
    hz = number(z, path, name)
    if not least <= hz <= 100000:
        raise Problem(f"{path}: '{name}' is {hz:g} Hz: a sampling rate must be {least:g}..100000")
    return hz


def lasting(path: Path, seconds: float) -> float:
    """The length of a recording; Problem where nothing can be learnt in it, or where its clock is in other units."""
    if not LEAST_S <= seconds <= MOST_S:
        raise Problem(
            f"{path}: lasts {seconds:.4g} s, not {LEAST_S} s to a day: check its rate or times, or leave it out"
        )
    return seconds


def load(path: Path) -> Recording:
    """One recording from its .npz file. Raises Problem for a damaged file or an unknown form."""
    try:
        with np.load(path, allow_pickle=False) as f:
            z = {k: f[k] for k in f.files}
    except Exception as e:  # numpy raises a zoo of errors here (zip, zlib, value, key)
        raise Problem(
            f"{path}: cannot be read as .npz ({type(e).__name__}): the file is damaged, fetch it again"
        ) from None
    name = path.stem
    if "bvp" in z:
        return empatica(z, path, name)
    if "rgb" in z:
        return camera(z, path, name)
    if "ppg" in z:
        return wave(z, path, name)
    if "eda" in z:
        eda = row(z, path, "eda")
        skin = resample(eda, rate(z, path, "fs" if "fs" in z else "eda_fs", 1))
        seconds = lasting(path, len(skin) / RATE)
        return Recording(name, "none", seconds, skin=gsr(skin if skin.max() < 100 else skin / 4095 * 25))
    raise Problem(f"{path}: holds none of ppg, rgb, bvp, eda: not a recording of a documented form")


def wave(z, path: Path, name: str) -> Recording:
    """A pulse wave at fs Hz with reference beats."""
    ppg, fs = row(z, path, "ppg"), rate(z, path, "fs", PULSE_HZ)
    seconds = lasting(path, len(ppg) / fs)
    x = counts(resample(ppg, fs))
    r = Recording(name, "none", min(seconds, len(x) / RATE), pulse=x)
    if "ref_beats_s" in z:
        r.kind = "beats"
        r.ref = np.sort(exact(z, path, "ref_beats_s"))
        if "ref_excl" in z and z["ref_excl"].size:
            spans = numbers(z, path, "ref_excl")
            if spans.size % 2 or not np.isfinite(spans).all():
                raise Problem(f"{path}: array 'ref_excl' is not pairs of start and end: the file is damaged")
            r.excluded = spans.reshape(-1, 2)
    return r


def camera(z, path: Path, name: str) -> Recording:
    """A phone on a finger: the red channel, 8 bit, as 18-bit light; frames interpolated to 50 Hz."""
    t, rgb = exact(z, path, "t_ms") / 1000, numbers(z, path, "rgb")
    if rgb.ndim != 2 or len(rgb) != len(t):
        raise Problem(
            f"{path}: array 'rgb' has shape {rgb.shape}: one row of colours is needed per time of t_ms"
        )
    rising = np.diff(t, prepend=-np.inf) > 0
    lasting(path, float(t[-1] - t[0]))
    keep = rising & np.isfinite(rgb[:, 0])
    if keep.mean() < 0.5:
        raise Problem(f"{path}: most of 't_ms' does not rise or has no colour: the file is damaged")
    x = np.interp(np.arange(t[0], t[-1], 1 / RATE), t[keep], rgb[keep, 0])
    light = np.clip(np.rint(x * (262143 / 255)), 0, 262143).astype(np.int32)
    r = Recording(
        name, "none", len(light) / RATE, pulse=light, full=262143, pulsatile=False, contact=(20000, 262142)
    )
    if "rr_ms" in z:
        r.kind = "beats"
        r.ref = np.concatenate([[0.0], np.cumsum(exact(z, path, "rr_ms") / 1000)])
        r.floating = True
    return r


def empatica(z, path: Path, name: str) -> Recording:
    """An Empatica E4: bvp at 64 Hz (band-passed by the device), eda at 4 Hz."""
    bvp, fs = row(z, path, "bvp"), rate(z, path, "bvp_fs", PULSE_HZ)
    eda, eda_fs = row(z, path, "eda"), rate(z, path, "eda_fs", 1)
    lasting(path, len(bvp) / fs)
    x = resample(bvp, fs)
    pulse = np.clip(np.rint(2048 + 4 * x), 0, 4095).astype(np.int32)
    seconds = len(pulse) / RATE
    t = np.arange(len(pulse)) / RATE - number(z, path, "eda_t_offset", 0.0)
    at = np.arange(len(eda)) / eda_fs
    skin = np.where((t < 0) | (t > at[-1]), -1, gsr(np.interp(t, at, eda)))
    r = Recording(name, "none", seconds, pulse=pulse, skin=skin.astype(np.int32))
    if "seg_start" in z:
        r.kind = "stress"
        r.segments = segments(z, path)
    return r


def segments(z, path: Path) -> list[tuple[float, float, str, int]]:
    """The labelled spans of a recording: start and end in s, task, 1 where it is stress."""
    a, b, stress = (exact(z, path, f"seg_{k}") for k in ("start", "end", "stress"))
    task = array(z, path, "seg_task")
    if not a.shape == b.shape == stress.shape == task.shape:
        raise Problem(f"{path}: the arrays seg_start, seg_end, seg_task, seg_stress are not of one length")
    if not np.isin(stress, (0, 1)).all() or (b < a).any():
        raise Problem(
            f"{path}: a segment ends before it starts, or seg_stress is neither 0 nor 1: mend the labels"
        )
    if (a < -MOST_S).any():
        raise Problem(
            f"{path}: a segment starts at {a.min():g} s, days before the recording: mend the labels"
        )
    return [(float(p), float(q), str(k), int(s)) for p, q, k, s in zip(a, b, task, stress, strict=True)]


def folder(path: Path) -> list[Path]:
    """The .npz files below a folder (or the one file), sorted by name. Raises Problem where there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Problem(f"{path}: no such folder: name a folder of .npz recordings")
    files = sorted(path.rglob("*.npz"))
    if not files:
        raise Problem(f"{path}: holds no .npz recordings: name a folder of them, or set PULSEWEAVE_DATA")
    return files

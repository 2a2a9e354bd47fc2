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


def need(z, path: Path, *names: str) -> list[np.ndarray]:
    """The named arrays of a file, numeric and finite enough; Problem where one is missing or empty."""
    out = []
    for name in names:
        if name not in z:
            raise Problem(
                f"{path}: array '{name}' is missing: see the data's README for the form of a recording"
            )
        a = z[name]
        if a.size == 0:
            raise Problem(f"{path}: array '{name}' is empty: record it again or leave the file out")
        if a.dtype.kind not in "biufU":
            raise Problem(f"{path}: array '{name}' holds no numbers: see the data's README")
        if a.dtype.kind == "f" and not np.isfinite(a).any():
            raise Problem(f"{path}: array '{name}' is not finite anywhere: the file is damaged")
        if name.endswith("fs") and not 1 <= float(a.flat[0]) <= 100000:
            raise Problem(f"{path}: '{name}' is {float(a.flat[0]):g} Hz: a sampling rate must be 1..100000")
        out.append(np.nan_to_num(a) if a.dtype.kind == "f" else a)
    return out


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
        eda, fs = need(z, path, "eda", "fs")
        skin = resample(eda.astype(float), float(fs), RATE)
        return Recording(
            name, "none", len(skin) / RATE, skin=gsr(skin if skin.max() < 100 else skin / 4095 * 25)
        )
    raise Problem(f"{path}: holds none of ppg, rgb, bvp, eda: not a recording of a documented form")


def wave(z, path: Path, name: str) -> Recording:
    """A pulse wave at fs Hz with reference beats."""
    ppg, fs = need(z, path, "ppg", "fs")
    x = counts(resample(ppg.astype(float), float(fs)))
    r = Recording(name, "none", len(x) / RATE, pulse=x)
    if "ref_beats_s" in z:
        r.kind = "beats"
        r.ref = np.sort(z["ref_beats_s"].astype(float))
        if "ref_excl" in z:
            r.excluded = z["ref_excl"].astype(float).reshape(-1, 2)
    return r


def camera(z, path: Path, name: str) -> Recording:
    """A phone on a finger: the red channel, 8 bit, as 18-bit light; frames interpolated to 50 Hz."""
    t, rgb = need(z, path, "t_ms", "rgb")
    t = t.astype(float) / 1000
    keep = np.concatenate([[True], np.diff(t) > 0])
    x = np.interp(np.arange(t[0], t[-1], 1 / RATE), t[keep], rgb[keep, 0].astype(float))
    light = np.clip(np.rint(x * (262143 / 255)), 0, 262143).astype(np.int32)
    r = Recording(
        name, "none", len(light) / RATE, pulse=light, full=262143, pulsatile=False, contact=(20000, 262142)
    )
    if "rr_ms" in z:
        r.kind = "beats"
        r.ref = np.concatenate([[0.0], np.cumsum(z["rr_ms"].astype(float) / 1000)])
        r.floating = True
    return r


def empatica(z, path: Path, name: str) -> Recording:
    """An Empatica E4: bvp at 64 Hz (band-passed by the device), eda at 4 Hz."""
    bvp, fs, eda, eda_fs = need(z, path, "bvp", "bvp_fs", "eda", "eda_fs")
    x = resample(bvp.astype(float), float(fs))
    pulse = np.clip(np.rint(2048 + 4 * x), 0, 4095).astype(np.int32)
    seconds = len(pulse) / RATE
    start = float(z.get("eda_t_offset", 0.0))
    t = np.arange(len(pulse)) / RATE - start
    at = np.arange(len(eda)) / float(eda_fs)
    skin = np.where((t < 0) | (t > at[-1]), -1, gsr(np.interp(t, at, eda.astype(float))))
    r = Recording(name, "none", seconds, pulse=pulse, skin=skin.astype(np.int32))
    if "seg_start" in z:
        a, b, task, stress = need(z, path, "seg_start", "seg_end", "seg_task", "seg_stress")
        r.kind = "stress"
        r.segments = [
            (float(p), float(q), str(k), int(s)) for p, q, k, s in zip(a, b, task, stress, strict=True)
        ]
    return r


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

"""Running the device's own code over recordings: one MicroPython process per recording, two at a time."""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pulseweave import micropython
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem
from pulseweave.score.recordings import Recording

FEED = Path(__file__).parent / "feed.py"
SENSE = (
    "contact",
    "quality",
    "hr_q4",
    "rmssd_q4",
    "skin_ok",
    "g_ns",
    "scl_ns",
    "scrs",
    "scr_ns",
)
AFFECT = ("arousal", "fast", "valence", "confidence", "fast_confidence", "valence_confidence", "visitor")
DEVIATIONS = ("skin_dev", "heart_dev", "rmssd_dev", "rise")


@dataclass
class Run:
    """What the device said: beats float[n, 4] (s, ms, quality 0..255, gap), onsets s, series at 1 Hz by name."""

    recording: Recording
    beats: np.ndarray
    onsets: np.ndarray
    t_s: np.ndarray
    series: dict[str, np.ndarray]


def one(recording: Recording, timeout: float = 600) -> Run:
    """Feed one recording through the device code. Raises Problem if the device code itself fails."""
    with tempfile.NamedTemporaryFile(suffix=".pw") as f:
        f.write(recording.words())
        f.flush()
        done = subprocess.run(
            micropython.command(FEED, f.name, heap="8m"),
            env=micropython.environment(DEVICE),
            capture_output=True,
            timeout=timeout,
        )
    if done.returncode or done.stderr:
        last = (
            done.stdout.decode(errors="replace").strip().splitlines()[-1:]
            + done.stderr.decode().strip().splitlines()[-1:]
        )
        raise Problem(f"{recording.name}: the device code failed under MicroPython: {' / '.join(last)}", 1)
    rows = {"b": [], "o": [], "s": [], "a": []}
    for line in done.stdout.decode().splitlines():
        kind, *values = line.split()
        rows[kind].append([int(v) for v in values])
    b = np.array(rows["b"], float).reshape(-1, 4)
    b = b / [1000, 16, 1, 1]
    s = np.array(rows["s"], float).reshape(-1, 1 + len(SENSE))
    a = np.array(rows["a"], float).reshape(-1, 1 + len(AFFECT) + len(DEVIATIONS))
    series = {k: s[:, i + 1] for i, k in enumerate(SENSE)} | {
        k: a[:, i + 1] for i, k in enumerate(AFFECT + DEVIATIONS)
    }
    return Run(recording, b, np.array(rows["o"], float).ravel() / 1000, s[:, 0] / 1000, series)


def many(recordings: list[Recording], workers: int = 2):
    """Feed all recordings, in order; yields a Run each."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        yield from pool.map(one, recordings)

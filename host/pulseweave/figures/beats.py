"""Beat detection beside NeuroKit2 (Elgendi; Charlton's MSPTDfast) and HeartPy, on the same files by the same rule.

In: recordings with an ECG reference (`ppg_ecg_50hz` of the recorded data). The device code runs as it is, causal and in
integers; the peers see the whole recording at once, in floating point. All are scored by `pulseweave.score.beats`: matched
within 150 ms after one constant lag per recording, at coverage 1.
"""

import warnings
from importlib.metadata import version

import numpy as np

from pulseweave.figures.figure import Figure
from pulseweave.paths import data
from pulseweave.problem import Problem
from pulseweave.score import beats, recordings, run
from pulseweave.score.command import score_beats

FOLDER = "ppg_ecg_50hz"
F1_MIN, MAE_MAX = 0.9860, 8.1
NOTE = "peers are not causal and not integer; limits: the best peer's published F1 and an interval error of 8.1 ms"


def neurokit(x: np.ndarray, fs: float, method: str) -> np.ndarray:
    """Peaks in s by NeuroKit2's `method` (elgendi, charlton)."""
    import neurokit2 as nk

    clean = nk.ppg_clean(x, sampling_rate=int(fs), method="elgendi")  # the filter both of them use
    found = nk.ppg_findpeaks(clean, sampling_rate=int(fs), method=method, show=False)
    return np.asarray(found["PPG_Peaks"], float) / fs


def heartpy(x: np.ndarray, fs: float) -> np.ndarray:
    """Peaks in s that HeartPy keeps, with its defaults on scaled data; none where it gives up."""
    import heartpy as hp

    try:
        found, _ = hp.process(hp.scale_data(x), fs)
    except hp.exceptions.BadSignalWarning:
        return np.zeros(0)
    peaks, kept = np.asarray(found["peaklist"]), np.asarray(found["binary_peaklist"], bool)
    return np.asarray(peaks[kept], float) / fs


PEERS = (
    ("NeuroKit2 Elgendi", "neurokit2", lambda x, fs: neurokit(x, fs, "elgendi")),
    ("NeuroKit2 Charlton", "neurokit2", lambda x, fs: neurokit(x, fs, "charlton")),
    ("HeartPy", "heartpy", heartpy),
)


def measure(quick: bool) -> list[Figure]:
    files = recordings.folder(data() / FOLDER)
    if quick:
        files = files[::4]
    chosen = [r for p in files if (r := recordings.load(p)).kind == "beats"]
    device = beats.figures([score_beats(r)[0] for r in run.many(chosen)])
    out = []
    for name, package, detect in PEERS:
        tallies = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                for r in chosen:
                    found = detect(r.pulse.astype(float), float(recordings.RATE))
                    tallies.append(beats.tally(r.ref, found, r.excluded, r.seconds, r.floating))
            except ImportError as e:
                raise Problem(
                    f"{package} is missing ({e}): run `make test` once, it installs the peers"
                ) from None
        peer = beats.figures(tallies)
        tag = name.split()[-1].lower()
        at = (name, version(package))
        out += [
            Figure(f"beats_f1_vs_{tag}", device["f1"], "F1", at[0], peer["f1"], at[1], F1_MIN, more=True),
            Figure(
                f"beats_ibi_mae_vs_{tag}",
                device["ibi_mae_ms"],
                "ms",
                at[0],
                peer["ibi_mae_ms"],
                at[1],
                MAE_MAX,
            ),
        ]
    return out

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
NOTE = (
    "a file on which a peer fails counts for neither; peers are not causal and not integer; "
    "limits: the best peer's published F1 and an interval error of 8.1 ms"
)


def neurokit(x: np.ndarray, fs: float, method: str) -> np.ndarray:
    """Peaks in s by NeuroKit2's `method` (elgendi, charlton)."""
    import neurokit2 as nk

    rate = int(fs)
    # the filter both of them use; pyright takes the two functions for the modules of the same name that they live in
    clean = nk.ppg_clean(x, sampling_rate=rate, method="elgendi")  # pyright: ignore[reportCallIssue]
    found = nk.ppg_findpeaks(clean, sampling_rate=rate, method=method, show=False)  # pyright: ignore[reportCallIssue]
    return np.asarray(found["PPG_Peaks"], float) / fs


def heartpy(x: np.ndarray, fs: float) -> np.ndarray:
    """Peaks in s that HeartPy finds in the band 0.7-8 Hz (unfiltered its F1 is 0.036 lower)."""
    import heartpy as hp

    band = hp.filter_signal(x, [0.7, 8.0], fs, order=2, filtertype="bandpass")
    found, _ = hp.process(band, fs)
    return np.asarray(found["peaklist"], float) / fs


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
    runs = list(run.many(chosen))
    out = []
    for name, package, detect in PEERS:
        ours, theirs = [], []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for r, device in zip(chosen, runs, strict=True):
                assert r.pulse is not None and r.ref is not None, "of the kind beats"
                try:
                    found = detect(r.pulse.astype(float), float(recordings.RATE))
                except ImportError as e:
                    raise Problem(f"{package} is missing ({e}): `make test` installs the peers") from None
                except (ValueError, IndexError, Warning):
                    continue  # the peer fails on this file: it counts for neither
                theirs.append(beats.tally(r.ref, found, r.excluded, r.seconds, r.floating))
                ours.append(score_beats(device)[0])
        mine, peer = beats.figures(ours), beats.figures(theirs)
        of, tag = version(package), name.split()[-1].lower()
        if len(ours) < len(chosen):
            of += f" (fails on {len(chosen) - len(ours)} of {len(chosen)} files)"
        out += [
            Figure(f"beats_f1_vs_{tag}", mine["f1"], "F1", name, peer["f1"], of, F1_MIN, more=True),
            Figure(
                f"beats_ibi_mae_vs_{tag}", mine["ibi_mae_ms"], "ms", name, peer["ibi_mae_ms"], of, MAE_MAX
            ),
        ]
    return out

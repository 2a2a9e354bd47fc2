"""The inputs of the conformance vectors: six visitors, second by second, made from sines and steps.

`python tests/device/affect/scenes.py` writes vectors/*.csv anew from the device code; the test compares.
"""

import math
from pathlib import Path

import numpy as np

VECTORS = Path(__file__).parent / "vectors"
INPUTS = ["contact", "quality", "hr_q4", "rmssd_q4", "skin_ok", "g_ns", "scrs"]
OUTPUTS = ["arousal", "fast", "valence", "confidence", "fast_confidence", "valence_confidence"]


def visitor(hr, g, seconds=240, quality=220, rmssd=lambda t: 40, every=20, ok=1, leave=None):
    """int[n, 7]: functions of t (s) for heart rate (bpm), conductance (uS) and RMSSD (ms); a response each `every` s."""
    rows = []
    for t in range(1, seconds + 1):
        here = 0 if leave and leave[0] <= t < leave[1] else 1
        q = quality(t) if callable(quality) else quality
        skin = int(round(g(t) * 1000)) if ok and here else 0
        rows.append(
            (
                here,
                q * here,
                int(round(hr(t) * 16)) * here,
                int(round(rmssd(t) * 16)) * (here if t > 30 else 0),
                ok * here,
                skin,
                t // every if every else 0,
            )
        )
    return np.array(rows)


SCENES = {
    "calm": visitor(lambda t: 68 + 2 * math.sin(t / 9), lambda t: 3 + 0.05 * math.sin(t / 31)),
    "roused": visitor(
        lambda t: 68 + (18 if 120 < t < 180 else 0),
        lambda t: (
            3
            + (
                1.5 * (1 - math.exp(-(min(t, 180) - 120) / 15)) * math.exp(min(180 - t, 0) / 60)
                if t > 120
                else 0
            )
        ),
        rmssd=lambda t: 40 if t < 120 else 22,
    ),
    "heart_only": visitor(lambda t: 75 + t / 12, lambda t: 0, ok=0, every=0),
    "skin_only": visitor(lambda t: 0, lambda t: 5 * 2 ** (t / 200), quality=0),
    "in_and_out": visitor(lambda t: 70, lambda t: 2 + t / 200, leave=(100, 130)),
    "doubtful": visitor(
        lambda t: 70 + 20 * math.sin(t / 25),
        lambda t: 0.3 + 0.1 * math.sin(t / 40),
        quality=lambda t: (t * 7) % 256,
        every=0,
    ),
}


def text(rows: np.ndarray) -> str:
    """The file that play.py reads."""
    return "\n".join(" ".join(map(str, r)) for r in rows.tolist()) + "\n"


def played(rows: list[np.ndarray], folder: Path) -> list[np.ndarray]:
    """int[n, 6] for each of several visitors, from the device code in one MicroPython process."""
    import ports

    path = folder / "rows.txt"
    path.write_text("\n".join(text(r) for r in rows))
    done = ports.unix(Path(__file__).parent / "play.py", str(path))
    assert done.returncode == 0, done.stderr.decode()
    values = np.array([line.split() for line in done.stdout.decode().splitlines()], int)
    return np.split(values, np.cumsum([len(r) for r in rows])[:-1])


def csv(rows: np.ndarray, out: np.ndarray) -> str:
    """A conformance vector: inputs and outputs, one second a line."""
    lines = [",".join(["t_s", *INPUTS, *OUTPUTS])]
    lines += [
        ",".join(map(str, [k + 1, *a, *b])) for k, (a, b) in enumerate(zip(rows.tolist(), out.tolist()))
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys
    import tempfile

    sys.path.insert(0, str(Path(__file__).parents[2]))
    VECTORS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, out in zip(SCENES, played(list(SCENES.values()), Path(folder)), strict=True):
            (VECTORS / f"{name}.csv").write_text(csv(SCENES[name], out))

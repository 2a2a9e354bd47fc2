"""Drawing one recording as the node saw it, so that people can look."""

from pathlib import Path

import numpy as np

from pulseweave.problem import Problem

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise Problem("--plot needs matplotlib: pip install matplotlib") from None


def draw(run, path: Path) -> None:
    """Pulse with beats (a piece of it), heart rate, quality, conductance with responses, arousal: a PNG. Raises Problem."""
    q, s, t = run.recording, run.series, run.t_s
    fig, axes = plt.subplots(5, 1, figsize=(16, 13), constrained_layout=True)
    fig.suptitle(f"{q.name}: what the node made of it")
    wave, heart, quality, skin, mood = axes
    if q.pulse is not None:
        x = np.arange(len(q.pulse)) / 50
        middle = q.seconds / 2
        m = (x >= middle - 15) & (x <= middle + 15)
        level = q.pulse if q.pulsatile else q.full - q.pulse
        wave.plot(x[m], level[m], lw=0.8, color="#446")
        b = run.beats[(run.beats[:, 0] >= middle - 15) & (run.beats[:, 0] <= middle + 15)]
        wave.vlines(
            b[:, 0], level[m].min(), level[m].max(), color=["#c33" if g else "#2a2" for g in b[:, 3]], lw=0.8
        )
    wave.set_ylabel("pulse, counts\n(green: trusted beat)")
    good = run.beats[run.beats[:, 3] == 0]
    heart.plot(good[:, 0], 60000 / np.maximum(good[:, 1], 1), ".", ms=2, color="#a44")
    heart.plot(t, np.where(s["hr_q4"] > 0, s["hr_q4"] / 16, np.nan), lw=0.8, color="#400")
    heart.set_ylabel("heart rate, bpm")
    quality.plot(t, s["quality"], lw=0.8, label="quality")
    quality.plot(t, s["confidence"], lw=0.8, label="confidence")
    quality.set_ylim(0, 260)
    quality.legend(loc="lower right")
    quality.set_ylabel("0..255")
    for key in ("g_ns", "scl_ns"):
        skin.plot(t, np.where(s[key] > 0, s[key] / 1000, np.nan), lw=0.8)
    for axis, present in ((wave, q.pulse), (skin, q.skin)):
        if present is None:
            axis.text(0.5, 0.5, "not recorded", transform=axis.transAxes, ha="center")
    at = t[1:][np.diff(s["scrs"]) > 0]
    skin.plot(at, np.interp(at, t, s["g_ns"] / 1000), "v", ms=4, color="#a0a")
    skin.set_ylabel("conductance, uS\n(triangles: responses)")
    for k, (start, stop, task, stress) in enumerate(q.segments):
        mood.axvspan(start, stop, color="#c33" if stress else "#3a3", alpha=0.12)
        mood.text(
            start, 1.02 - 0.06 * (k % 2), task, fontsize=8
        )  # a short segment's name is longer than itself
    mood.plot(t, s["fast"] / 4096, lw=0.5, color="#999", label="fast")
    mood.plot(t, s["arousal"] / 4096, lw=1, color="#203", label="arousal")
    mood.set_ylim(0, 1.1)
    mood.legend(loc="center right")
    mood.set_ylabel("arousal 0..1")
    for a in axes[1:]:
        a.set_xlim(0, q.seconds)
    axes[-1].set_xlabel("s")
    try:
        fig.savefig(path, dpi=80)
    except OSError as e:
        raise Problem(f"{path}: cannot be written ({e.strerror}): name another --plot folder") from None
    finally:
        plt.close(fig)

"""Damping beside no damping, damping fixed at a half, and the plain level law: the same crowds, the same seeds.

Every law meets a runaway (loop gain 2, half the crowd startled) and honest stress (gain 0.6, +0.35 for five minutes). The
device's own code runs in closed loop with an emulated estimator (`pulseweave.sim.closed_loop`), 24 visitors, 30 %
loss; a figure is the worst of the seeds. A law is good where the first row is low and the second high.
"""

from pulseweave.figures.figure import Figure
from pulseweave.sim.closed_loop import SHOCK, STRESS, after, run

LAWS: tuple[tuple[str, str | float], ...] = (
    ("none", "off"),
    ("fixed_half", 0.5),
    ("level_law", "level"),
    ("ours", "on"),
)
PEAK_MAX, SETTLE_MAX, SHOWN_MIN, G_MAX = 0.45, 30.0, 0.8, 0.2
END_S = 420
NEVER_S = 110.0  # what a room that never settles counts as: the time that was watched
NOTE = "peak and settle_s: gain 2 after the shock; shown: arousal under honest stress, share of the undamped room's"


def runaway(law: str | float, seed: int) -> tuple[float, float]:
    """(peak, s until settled) of one shocked room."""
    peak, settle = after(run("ou", seed, law=law, gain=2.0, seconds=240, shock=SHOCK).arousal, 120, 130)
    return peak, NEVER_S if settle is None else settle


def honest(law: str | float, seed: int) -> tuple[float, float]:
    """(mean arousal of the last 10 s, damping at the end) of one honestly stressed room."""
    s = run("ou", seed, law=law, gain=0.6, seconds=END_S, stress=STRESS)
    return float(s.arousal[-100:].mean()), float(s.g[-1])


def measure(quick: bool) -> list[Figure]:
    seeds = range(1 if quick else 5)
    bare = [honest("off", seed)[0] for seed in seeds]
    found = {}
    for name, law in LAWS:
        fled = [runaway(law, seed) for seed in seeds]
        felt = [honest(law, seed) for seed in seeds]
        found[name] = (
            max(f[0] for f in fled),
            max(f[1] for f in fled),
            min(f[0] / b for f, b in zip(felt, bare, strict=True)),
            max(f[1] for f in felt),
        )
    ours, out = found["ours"], []
    for name, _ in LAWS[:-1]:
        for k, (what, unit, limit, more) in enumerate((
            ("peak", "arousal", PEAK_MAX, False),
            ("settle_s", "s", SETTLE_MAX, False),
            ("shown", "share", SHOWN_MIN, True),
        )):  # fmt: skip
            out.append(
                Figure(f"damping_{what}_vs_{name}", ours[k], unit, name, found[name][k], None, limit, more)
            )
    return [*out, Figure("damping_stress_g", ours[3], "g", "level_law", found["level_law"][3], None, G_MAX)]

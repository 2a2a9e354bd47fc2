"""Crowds in closed loop with the device's own Damp and nothing else: 100 times faster than whole nodes.

In:  a crowd model's name and scenario. Out: 10 Hz series of the mean true arousal and of the damping.
Visitors live here, the nodes in one MicroPython process (worker/damp_room.py). Between a visitor and the node stands
an emulated estimator: a first-order lag (6 s unless said otherwise) and the logistic curve, its rest at theirs.
Between nodes a radio that loses frames. It is the laboratory of device/weave/damp; `pulseweave sim` is the proof.
"""

import subprocess
from typing import NamedTuple

import numpy as np

from pulseweave import micropython
from pulseweave.paths import DEVICE, WORKER
from pulseweave.problem import Problem
from pulseweave.sim import visitors

ROOM = WORKER / "damp_room.py"
REST, FULL = (
    -1.17,
    6.0,
)  # log-odds of the estimate at rest, and gained from rest to full arousal: as in whole nodes
SETTLED = 0.24  # the contract's bound on mean true arousal
SHOCK = {"at_s": 120.0, "seconds": 10.0, "size": 0.6, "fraction": 0.5}
STRESS = {"at_s": 120.0, "seconds": 300.0, "size": 0.35}


class Series(NamedTuple):
    """10 Hz: mean true arousal 0..1, node 0's damping 0..1, node 0's measured loop gain (0 = unknown)."""

    arousal: np.ndarray
    g: np.ndarray
    gain: np.ndarray


def run(
    model="ou",
    seed=0,
    nodes=24,
    seconds=300.0,
    law: str | float = "on",
    loss=0.3,
    lag_s=6.0,
    rest=0.05,
    **scenario,
) -> Series:
    """Run one room. law: on, off, level (the level law alone) or a fixed damping 0..1 as a number.

    Raises Problem on a crowd that cannot be, RuntimeError where the MicroPython process ends early.
    """
    if not 1 <= nodes <= 200:
        raise Problem(f"closed loop: {nodes} nodes: 1 to 200 are possible")
    crowd = visitors.load(model, seed, nodes, **scenario)
    named = law if isinstance(law, str) else str(round(law * 4096))
    command = micropython.command(ROOM, str(nodes), str(seed), str(int(loss * 1024)), named)
    n = int(seconds * 10)
    out = Series(np.zeros(n), np.zeros(n), np.zeros(n))
    with subprocess.Popen(
        command, env=micropython.environment(DEVICE), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as room:
        assert room.stdin and room.stdout
        estimate, light = np.full(nodes, rest), np.zeros(nodes)
        for k in range(n):
            x = crowd.step(k * 0.1, 0.1, light)["arousal"]
            estimate += 0.1 / lag_s * (x - estimate)
            z = REST + FULL * (estimate - rest).clip(0, 1)
            room.stdin.write((4096 / (1 + np.exp(-z))).astype("<u2").tobytes())
            room.stdin.flush()
            got = room.stdout.read(2 * nodes + 4)
            if len(got) < 2 * nodes + 4:
                raise RuntimeError("the MicroPython process of the closed loop ended early")
            words = np.frombuffer(got, "<u2")
            light = words[:nodes] / 4096
            out.arousal[k], out.g[k], out.gain[k] = x.mean(), words[nodes] / 4096, words[nodes + 1] / 256
        room.stdin.close()
    return out


def after(
    arousal: np.ndarray, begin_s: float, end_s: float, until_s: float | None = None, below: float = SETTLED
):
    """(peak from begin_s on, seconds after end_s until it stays below `below`; None where it never does)."""
    tail = arousal[int(end_s * 10) : None if until_s is None else int(until_s * 10)]
    late = np.nonzero(tail >= below)[0]
    if len(late) and late[-1] == len(tail) - 1:
        return float(arousal[int(begin_s * 10) :].max()), None
    return float(arousal[int(begin_s * 10) :].max()), (late[-1] + 1) / 10 if len(late) else 0.0

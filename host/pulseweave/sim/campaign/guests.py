"""Visitors who cost little: they come and go, and their signals are a minute of the body model played again and again.

A campaign asks whether the light goes on, not what people feel: what counts is that sensors deliver what sensors
deliver, hands come and hands go.
"""

from functools import cache

import numpy as np

from pulseweave.sim.body import Body

PEOPLE = 8
STEPS = 640
STEP_S = 0.1


@cache
def library() -> tuple[np.ndarray, list[np.ndarray]]:
    """Volts [STEPS, PEOPLE, 10] and, for each step, microsiemens [PEOPLE, 0 or 1] of people calm and aroused in turn."""
    body = Body(20, PEOPLE)
    touching = np.ones(PEOPLE, bool)
    volts, grams = [], []
    for k in range(STEPS):
        arousal = np.full(PEOPLE, 0.15 + 0.4 * (k % 320 > 160))
        ppg, eda = body.step(k * STEP_S, STEP_S, arousal, np.zeros(PEOPLE), touching)
        volts.append(ppg)
        grams.append(eda)
    return np.array(volts), grams


class Guests:
    """A crowd for the simulator (see visitors/__init__.py)."""

    def __init__(self, seed: int, nodes: int):
        rng = np.random.default_rng([seed, 0x60E57])
        self.rng = rng
        self.who = rng.integers(PEOPLE, size=nodes)
        self.touching = np.zeros(nodes, bool)
        self.until = rng.uniform(1, 12, nodes)
        self.k = int(rng.integers(STEPS))
        self.arousal = np.full(nodes, 0.2)
        self.changed = np.zeros(nodes)  # when each hand came or went last

    def step(self, t_s: float, dt_s: float, light: np.ndarray) -> dict:
        for i in np.flatnonzero(self.until <= t_s):
            self.touching[i] = not self.touching[i]
            self.changed[i] = t_s
            self.until[i] = t_s + (self.rng.uniform(40, 150) if self.touching[i] else self.rng.uniform(8, 40))
        volts, grams = library()
        self.k = (self.k + 1) % STEPS
        return {
            "arousal": self.arousal,
            "touching": self.touching.copy(),
            "ppg": volts[self.k][self.who],
            "eda": grams[self.k][self.who],
        }

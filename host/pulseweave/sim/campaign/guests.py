"""Visitors who cost little: they come and go, and their signals are a minute of the body model played again and again.

A campaign asks whether the light goes on, not what people feel: what counts is that sensors deliver what sensors
deliver, hands come and hands go.
"""

from functools import cache

import numpy as np

from pulseweave import boards
from pulseweave.sim.body import Body
from pulseweave.sim.frontend import FrontEnd

PEOPLE = 8
STEPS = 640
STEP_S = 0.1


@cache
def library(board: str) -> tuple[np.ndarray, np.ndarray]:
    """What the sensors of a board deliver: pulse counts uint32[2, STEPS, PEOPLE, 10], skin uint16[2, STEPS, PEOPLE]; first
    with nobody there, then touched by eight people, calm and aroused in turn."""
    body, description = Body(20, PEOPLE), boards.load(board).device_dict()
    fronts = [FrontEnd(description, 20 + k, PEOPLE) for k in range(2)]
    pulse = np.zeros((2, STEPS, PEOPLE, 10), np.uint32)
    skin = np.zeros((2, STEPS, PEOPLE), np.uint16)
    for k in range(STEPS):
        arousal = np.full(PEOPLE, 0.15 + 0.4 * (k % 320 > 160))
        volts, grams = body.step(k * STEP_S, STEP_S, arousal, np.zeros(PEOPLE), np.ones(PEOPLE, bool))
        for here, front in enumerate(fronts):
            pulse[here, k], skin[here, k] = front.convert(volts, grams, np.full(PEOPLE, bool(here)))
    return pulse, skin


class Guests:
    """The visitors of a room of `nodes` of one kind of board."""

    def __init__(self, seed: int, nodes: int, board: str):
        rng = np.random.default_rng([seed, 0x60E57])
        self.rng = rng
        self.pulse, self.skin = library(board)
        self.who = rng.integers(PEOPLE, size=nodes)
        self.here = np.zeros(nodes, np.int64)
        self.until = rng.uniform(1, 12, nodes)
        self.next = float(self.until.min())
        self.k = int(rng.integers(STEPS))
        self.changed = np.zeros(nodes)  # when each hand came or went last

    def step(self, t_s: float) -> tuple[np.ndarray, np.ndarray]:
        """(pulse uint32[nodes, 10], skin uint16[nodes]) of the next 100 ms."""
        if t_s >= self.next:
            for i in np.flatnonzero(self.until <= t_s):
                self.here[i] ^= 1
                self.changed[i] = t_s
                self.until[i] = t_s + (self.rng.uniform(40, 150) if self.here[i] else self.rng.uniform(8, 40))
            self.next = float(self.until.min())
        self.k = (self.k + 1) % STEPS
        return self.pulse[self.here, self.k, self.who], self.skin[self.here, self.k, self.who]

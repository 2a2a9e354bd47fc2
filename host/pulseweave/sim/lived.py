"""A room of whole nodes lived through as fast as it can be: what its people felt and saw, what its nodes damped.

In: a scenario, a seed, virtual seconds. Out: series. The room has one interpreter, so that many can run side by side.
"""

from typing import NamedTuple

import numpy as np

from pulseweave.sim.engine import BLOCK, Simulation
from pulseweave.sim.scenario import Scenario


class Lived(NamedTuple):
    """Means over the room: true arousal 0..1 and light 0..1 as it is seen, both 10 Hz; damping 0..1 of each node, one
    row a second."""

    arousal: np.ndarray
    light: np.ndarray
    g: np.ndarray


def live(scenario: Scenario, seed: int, seconds: float) -> Lived:
    """Run the room and end it. Raises Problem as Simulation does."""
    arousal, light, g = [], [], []
    room = Simulation(scenario, seed, 1, native=True)
    try:
        for k in range(int(seconds * 50)):
            tick = room.step(records=k % 50 == 0, ahead=BLOCK)
            if tick.records is not None:
                g.append(tick.records.g / 4096)
            if k % 5 == 0:
                arousal.append(float(room.truth.mean()))
                light.append(float(room.seen.mean()))
    finally:
        room.close()
    return Lived(np.array(arousal), np.array(light), np.array(g))

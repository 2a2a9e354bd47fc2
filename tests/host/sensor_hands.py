"""A crowd for tests: calm people, some with a second person's finger on the sensor, some whose skin never responds."""

import numpy as np
from pulseweave.sim.body import Body


class Hands:
    """`two`: nodes with two fingers on the pulse sensor (two thirds of the strength); `dry`: nodes without responses."""

    def __init__(self, seed, nodes, two=(), dry=(), **scenario):
        self.bodies = [Body(seed, nodes), Body(seed + 1, nodes)]
        for body in self.bodies:
            body.person.fidgets_hz[:] = 0  # whoever moves, moves by order of the test
        self.bodies[0].person.responds[list(dry)] = 0
        one, other = (body.person.volts for body in self.bodies)
        self.second = np.zeros(nodes)
        self.second[list(two)] = 0.67 * (one / other)[list(two)]
        self.nodes = nodes

    def step(self, t_s, dt_s, light):
        rest, here = np.full(self.nodes, 0.1), np.ones(self.nodes, bool)
        (ppg, eda), (other, _) = (b.step(t_s, dt_s, rest, rest * 0, here) for b in self.bodies)
        ppg += self.second[:, None] * other
        return {"arousal": rest, "touching": here, "ppg": ppg, "eda": eda}

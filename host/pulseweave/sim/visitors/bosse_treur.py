"""Emotion contagion by absorption and amplification, with a way back to rest.

    q' = Gamma*[eta*(beta*PI + (1-beta)*NI) + (1-eta)*s - q] + (w - q)/T
    PI = 1 - (1-s)(1-q)   upward bias: either is enough        NI = s*q   downward bias: both are needed

s is the light seen, in the place of the group's contagion strength. Bosse, Duell, Memon, Treur, van der Wal,
"Agent-based modeling of emotion contagion in groups", Cognitive Computation 7 (2015) 111. With s = q it runs away
iff T*Gamma*eta*(2*beta-1) > 1. To be comparable, beta is chosen per visitor so that the small-signal gain from s to
q is K, and T so that the small-signal lag is tau: then T*Gamma*eta*(2*beta-1) > 1 and K > 1 are the same statement.
"""

import numpy as np

from pulseweave.sim.visitors.crowd import Crowd

STRENGTH = 4.0  # Gamma*T: how much faster the crowd acts than rest returns
ETA = 0.9  # share of amplification (eta = 0 is pure absorption: everybody drifts to the mean)


class BosseTreur(Crowd):
    """In and out: see Crowd. Gains beyond 2.86 (beta = 1) are beyond the model and are cut there."""

    def rate(self, x, drive, seen, gain):
        beta = ((gain * (STRENGTH + 1) - STRENGTH * (1 - ETA)) / (STRENGTH * ETA * (1 + gain))).clip(0, 1)
        lag = STRENGTH * (1 - ETA * beta) + 1  # T/tau: small-signal decay of q in units of 1/T
        seen = np.clip(seen, 0, 1)
        upward, downward = 1 - (1 - seen) * (1 - x), seen * x
        contagion = STRENGTH * (ETA * (beta * upward + (1 - beta) * downward) + (1 - ETA) * seen - x)
        return (contagion + lag * drive - x) / (lag * self.tau)

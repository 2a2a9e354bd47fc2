"""Delayed Ornstein-Uhlenbeck crowd: tau*x' = -x + w + K*s(t-D) + noise.

The default visitor: linear, with a resting drive w and a light s that pulls. Undamped (everybody sees the
room's mean) it runs away iff K > 1, whatever the delay. Ornstein-Uhlenbeck as a model of core affect:
Kuppens, Oravecz, Tuerlinckx, J. Pers. Soc. Psychol. 99 (2010) 1042.
"""

from pulseweave.sim.visitors.crowd import Crowd


class OU(Crowd):
    """In and out: see Crowd."""

    def rate(self, x, drive, seen, gain):
        return (-x + drive + gain * seen) / self.tau

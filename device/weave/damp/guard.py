"""The fast guard: a log-domain compressor with a leaky integral, which knows nothing but the level of the room.

In:  the room's mean Q12 and the threshold theta Q12, every 0.5 s.  Out: `level` Q12, the damping this level asks for.
It is the gain limiter of acoustic feedback suppression: in log space the loop is an integrator, so a fixed slope
per octave damps any gain alike. It cannot tell honest stress from feedback; see trial.py for who can.
"""

from micropython import const
from weave.fixed import log2_q8

_SLOPE = const(192)  # Q12/16 per Q8 octave: 0.75 of the range per octave above theta
_FULL = const(4096)


class Guard:
    """Level law. `integral` Q12."""

    def __init__(self):
        self.integral = 0
        self.level = 0
        self.log_mean = 0  # log2 of the mean, Q8

    def step(self, mean, theta):
        """One round: mean and theta Q12 (>= 1)."""
        self.log_mean = log2_q8(mean if mean > 0 else 1)
        e = self.log_mean - log2_q8(theta if theta > 0 else 1)
        if e < 0:
            e = 0
        i = self.integral
        i += (e + e) >> 4
        i -= (i >> 7) + (1 if i > 0 else 0)
        if i > _FULL:
            i = _FULL
        elif i < 0:
            i = 0
        self.integral = i
        v = (_SLOPE * e >> 4) + i
        self.level = v if v < _FULL else _FULL

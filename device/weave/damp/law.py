"""The law: how much the room's share of the light is damped. Twice a second, from the room alone.

In:  the room's mean arousal m above rest (Q12), visitors n, mean damping in force g (Q12), share rho (Q12).
Out: `aim` Q12 the damping to go to, `up` Q12 per tick and `down` Q12 per round the speeds; `gain_q8` K where known.
Three phases, see README.md:
  LEVEL    nothing known: a log-domain compressor with a leaky integral keeps m near theta; a surge (m grows by more
           than 2.5 % a second above theta) damps fully for 20 s.
  LOOK     m is flat although damped: damping stands still, means over 10 s, until m no longer falls: the anchor. (Under
           full damping a runaway falls: it is the light that carries it.)
  RELEASE  give the light back slowly and watch how far m, smoothed over 8 s, follows the light: K = dm/ds, s = the light
           as bodies follow it (3 s delay, two lags of 8 s). The damping that is needed leaves the loop gain K*c at
           MARGIN. m rises by more than the light did: K jumped, full damping for 40 s. m falls: the anchor follows.
"""

from array import array

from micropython import const
from ..fixed import log2_q8

_LEVEL = const(0)
_LOOK = const(1)
_RELEASE = const(2)
_ONE = const(4096)
_LOW = const(123)  # 0.03: where a damped room is held
_ENTER = const(369)  # 0.09: sustained arousal worth asking about
_SURGE = const(1182)  # Q12 octaves above the 8 s average: 2.5 % a second
_FLAT = const(600)  # 1.3 % a second
_HOLD = const(40)  # rounds of full damping after a surge
_HOLD_JUMP = const(80)  # after a jump of K
_HALF = const(20)  # rounds: half an anchor
_MARGIN = const(2703)  # 0.66: the loop gain that is left
_NOISE = const(205)  # 0.05: light that tells nothing yet
_FEAR = const(410)  # 0.05 * 2: K is taken for 2 until the light has moved,
_TRUSTING = const(246)  # and after a minute and a half without a surge for 1.2
_MOVED = const(137)  # 0.033: the light has moved
_ATTACK = const(11)  # per tick: 0.13 a second per 1/4 s
_CREEP = const(8)  # per round: full release in 256 s
_GIVE = const(24)  # per round: full release in 85 s


class Law:
    """State of the law on one node."""

    def __init__(self):
        self._delay = array("i", bytes(24))  # the light of the last 3 s
        self.reset()

    def reset(self):
        """As at the start: nothing damped, nothing known."""
        self.phase = _LEVEL
        self.aim = self.integral = 0
        self.up = _ATTACK
        self.down = _CREEP
        self.gain_q8 = 0
        self.growth = 0  # Q12 octaves above the 8 s average
        self.surge = 0
        self._log = log2_q8(82) << 4
        self._fear = self._hold = self._n = self._m = self._s = 0
        self._m0 = self._s0 = self._before = 0
        self._at = 0
        self._lag1 = self._lag2 = self._slow = 0  # Q20
        for i in range(6):
            self._delay[i] = 0

    def step(self, m, n, g, rho, above):
        """One round. above: theta without noise, Q12 (0.12)."""
        if n < 3:
            n = 3
        # the light as bodies follow it
        s = m * (rho + ((_ONE - rho) * (_ONE - g) >> 12)) >> 12
        k = self._at
        self._lag1 += ((self._delay[k] << 8) - self._lag1) >> 4
        self._lag2 += (self._lag1 - self._lag2) >> 4
        self._delay[k] = s
        self._at = k + 1 if k < 5 else 0
        s = self._lag2 >> 8

        log = log2_q8(m if m > 82 else 82)
        d = (log << 4) - self._log
        self._log += (d + 8) >> 4
        self.growth = d
        theta = above + 1475 // n  # the noise of a small room is no excitement
        phase = self.phase
        self._slow += ((m << 8) - self._slow) >> 4
        slow = self._slow >> 8
        dm = slow - self._m0
        if dm < 0 and phase == _RELEASE:
            self._m0 += dm >> 5  # what falls by itself is not the light's: the anchor follows
        ds = s - self._s0

        self.surge = 0
        if m > theta:
            if phase != _RELEASE:
                if d > _SURGE:
                    self._alarm(1, _HOLD)
            else:
                # innovation: what m moved beyond the light's move, were K 1
                x = dm + ((m - slow) >> 1) - (546 // n)
                if ds > _MOVED:
                    x -= ds
                if x > 218 or d > _SURGE and x > 82:
                    self._alarm(2, _HOLD_JUMP)

        lo = theta - (theta - _LOW) * (g if g < 2048 else 2048) // 2048 if theta > _LOW else theta
        level = self._compress(log, lo)

        if self.surge:
            phase = _LEVEL
        elif phase == _RELEASE:
            if self.integral > g:
                self.integral = g
            if not g and m < _ENTER:
                phase = _LEVEL
        elif phase == _LEVEL:
            if g and m > _ENTER and not self._hold and -_FLAT < d < _FLAT:
                phase = _LOOK
                self._m0 = _ONE
                self._m = self._s = self._n = 0
                self.aim = g  # stands still
        else:
            self._m += m
            self._s += s
            self._n += 1
            if self._n == _HALF:
                before = self._m0
                self._m0 = self._m // _HALF
                self._s0 = self._s // _HALF
                self._m = self._s = self._n = 0
                if self._m0 * 8 >= before * 7:
                    phase = _RELEASE
                    self._fear = _FEAR
        self.phase = phase

        self.gain_q8 = 0
        self.up = _ATTACK
        self.down = _CREEP
        if self._hold:
            self._hold -= 1
            self.aim = _ONE
        elif phase == _RELEASE:
            self.up = 1
            self.down = _GIVE
            self.aim = self._need(dm, ds, rho)
            if level < self.aim:
                self.aim = level
        elif phase == _LEVEL:
            self.aim = level

    def _alarm(self, surge, hold):
        """The room runs away: damp fully, for `hold` rounds at least."""
        self.surge = surge
        self.integral = _ONE
        if self._hold < hold:
            self._hold = hold

    def _compress(self, log, theta):
        """Level law: 0.75 of the range per octave above theta, and a leaky integral (64 s)."""
        e = log - log2_q8(theta if theta > 0 else 1)
        if e < 0:
            e = 0
        i = self.integral
        i += (e >> 3) - (i >> 7) - (1 if i > 0 else 0)
        if i > _ONE:
            i = _ONE
        elif i < 0:
            i = 0
        self.integral = i
        i += 192 * e >> 4
        return i if i < _ONE else _ONE

    def _need(self, dm, ds, rho):
        """The damping that leaves K*c at MARGIN, K = (dm + prior)/(ds + noise)."""
        if self._fear > _TRUSTING:
            self._fear -= 1
        num = dm + self._fear
        den = (ds if ds > 0 else 0) + _NOISE
        if num <= 0:
            self.gain_q8 = 1
            return 0
        self.gain_q8 = (num << 8) // den
        c = _MARGIN * den // num
        if c >= _ONE or rho >= _ONE:
            return 0
        if c <= rho:
            return _ONE
        return _ONE - (c - rho) * _ONE // (_ONE - rho)

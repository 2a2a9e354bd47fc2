"""The law: how much the room's share of the light is damped. Twice a second, from the room alone.

In:  the room's mean arousal m above rest (Q12), visitors n, mean damping in force g (Q12), share rho (Q12).
Out: `aim` Q12 the damping to go to, `up` Q12 per tick and `down` Q12 per round the speeds; `gain_q8` K where known.
Four phases, see README.md:
  LEVEL    nothing known: a log-domain compressor with a leaky integral keeps m near theta; a surge (m grows by more
           than 2.5 % a second above theta) damps fully for 20 s.
  LOOK     m stays high although damped: something outside holds it up. Measure m and the light, 10 s, until m no
           longer falls. (Under full damping a runaway falls: it is the light that carries it.)
  STILL    measure again, 10 s: the anchor.
  RELEASE  give the light back slowly and watch how far m follows the light: K = dm/ds, s = the light as bodies follow
           it (3 s delay, two lags of 8 s). The damping that is needed leaves the loop gain K*c at MARGIN.
           m rises by more than the light did: K jumped, full damping for two minutes. m falls by itself: a new anchor.
"""

from array import array

from micropython import const
from ..fixed import log2_q8

_LEVEL = const(0)
_LOOK = const(1)
_STILL = const(2)
_RELEASE = const(3)
_ONE = const(4096)
_LOW = const(246)  # 0.06: where a damped room is held
_ENTER = const(819)  # 0.20: sustained arousal worth asking about
_LEAVE = const(655)  # 0.16
_CEILING = const(3604)  # 0.88: an arousal that saturates says nothing about K
_SURGE = const(1182)  # Q12 octaves above the 8 s average: 2.5 % a second
_FLAT = const(378)  # 0.8 % a second
_HOLD = const(40)  # rounds of full damping after a surge
_HOLD_JUMP = const(240)  # after a jump of K
_HALF = const(20)  # rounds: half an anchor
_MARGIN = const(2703)  # 0.66: the loop gain that is left
_NOISE = const(102)  # 0.025: light that tells nothing yet
_PRIOR = const(164)  # 0.025 * 1.6: K is taken for 1.6 until the light has moved
_MOVED = const(205)  # 0.05: the light has moved
_ATTACK = const(11)  # per tick: 0.13 a second per 1/4 s
_CREEP = const(8)  # per round: full release in 256 s
_GIVE = const(16)  # per round: full release in 128 s


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
        self.theta = 0
        self._log = log2_q8(82) << 4
        self._hold = self._n = self._m = self._s = 0
        self._m0 = self._s0 = self._before = 0
        self._at = 0
        self._lag1 = self._lag2 = 0  # Q20
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
        theta = above + 2949 // n  # the noise of a small room is no excitement
        hot = m > theta
        phase = self.phase
        dm = m - self._m0
        ds = s - self._s0

        self.surge = 0
        if hot:
            if phase == _RELEASE:
                # innovation: what m moved beyond the light's move (K <= 1), or all of it while the light stood
                own = ds if ds > _MOVED or ds < -_MOVED else 0
                x = dm
                if own > 0 and dm > 0:
                    x = dm - own if dm > own else 0
                elif own < 0 and dm < 0:
                    x = dm - own if dm < own else 0
                if x > 328 + 819 // n:
                    self.surge = 2
                    if self._hold < _HOLD_JUMP:
                        self._hold = _HOLD_JUMP
                elif x < -(123 + 614 // n):
                    phase = _LOOK
                    self._begin(g)
            elif d > _SURGE:
                self.surge = 1
                if self._hold < _HOLD:
                    self._hold = _HOLD

        lo = theta - (theta - _LOW) * (g if g < 2048 else 2048) // 2048 if theta > _LOW else theta
        level = self._compress(log, lo)
        self.theta = lo

        if phase != _LEVEL and (self.surge or m < _LEAVE):
            phase = _LEVEL
            if not self.surge and self.integral > g:
                self.integral = g
        if self.surge:
            self.integral = _ONE
        elif phase == _LEVEL:
            if m > _ENTER and not self._hold and -_FLAT < d < _FLAT:
                phase = _LOOK
                self._begin(g)
        elif phase != _RELEASE:
            self._m += m
            self._s += s
            self._n += 1
            if self._n == _HALF:
                before = self._m0
                self._m0 = self._m // _HALF
                self._s0 = self._s // _HALF
                self._m = self._s = self._n = 0
                if phase == _LOOK:
                    phase = _STILL
                elif self._m0 * 20 >= before * 19:
                    phase = _RELEASE
        self.phase = phase

        self.gain_q8 = 0
        self.up = _ATTACK
        self.down = _CREEP
        if self._hold:
            self._hold -= 1
            self.aim = _ONE
        elif phase == _RELEASE:
            self.up = 3
            self.down = _GIVE
            self.aim = self._need(dm, ds, rho)
            if m > _CEILING and self.aim < g:
                self.aim = g
        elif phase == _LEVEL:
            self.aim = level

    def _begin(self, g):
        """Start to measure: the damping stands still."""
        self._m = self._s = self._n = 0
        self.aim = g

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
        num = dm + _PRIOR
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

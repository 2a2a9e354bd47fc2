"""The law: how much the room's share of the light is damped. Twice a second, from the room alone.

In:  the room's mean arousal m above rest (Q12), visitors n, mean damping in force g (Q12), share rho (Q12).
Out: `aim` Q12 the damping to go to, `up` Q12 per tick and `down` Q12 per round the speeds; `gain_q8` K where known.
Three phases, see README.md:
  LEVEL    a log-domain compressor with a leaky integral keeps m near theta; an alarm (m grows by more than 2.5 % a second
           above theta) damps fully for 20 s. Growth too slow for a shock is the light's own: the c at which it began is
           remembered (`cap`), and the room is not given that much again for long.
  LOOK     m is flat although damped: damping stands still until m no longer falls: the anchor. (Under full damping a
           runaway falls: it is the light that carries it.)
  RELEASE  give the light back slowly and watch how far m, smoothed over 8 s, follows the light: K = dm/ds, s = the light
           as bodies follow it (3 s delay, two lags of 8 s). The damping that is needed leaves the loop gain K*c at
           MARGIN, and a reserve. m rises by more than the light did: K jumped, full damping for 40 s. m falls: the
           anchor follows.
"""

from array import array

from ..fixed import log2_q8

_LEVEL = const(0)
_LOOK = const(1)
_RELEASE = const(2)
_ONE = const(4096)
_ENTER = const(266)  # 0.065: sustained arousal worth asking about
_SURGE = const(1182)  # Q12 octaves above the 8 s average: 2.5 % a second
_DEEP = const(3072)  # 0.75: damping under which a runaway falls
_FLAT = const(600)  # 1.3 % a second
_HOLD = const(40)  # rounds of full damping after a surge; twice that after a jump of K
_HOVER = const(120)  # a minute above theta is no accident
_HALF = const(20)  # rounds between two looks at m
_MARGIN = const(2335)  # 0.57: the loop gain that is left
_MOST = const(3727)  # 0.91: c while people are moved from outside, a reserve against a jump of K
_PATIENCE = const(3600)  # rounds, half an hour: how long a room is remembered to feed on itself
_SOON = const(800)  # seven minutes, where K was found to be below 1
_NOISE = const(90)  # 0.02, and a quarter of the fear: light that tells nothing yet
_FEAR = const(410)  # 0.1: K is taken for 2 until the light has moved,
_TRUSTING = const(90)  # 0.02: and after a minute and a half without a surge for 0.8, with less weight
_MOVED = const(137)  # 0.033: the light has moved
_JUMP = const(82)  # 0.02: a rise that the light does not explain
_SHOCK = const(2400)  # faster than any room grows by itself
_ATTACK = const(60)  # per tick: from nothing to full in 1.4 s
_CREEP = const(16)  # per round: full release in 128 s
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
        self._fear = self._hold = self._n = 0
        self._m0 = self._s0 = 0
        self._at = self._wait = self._drive = self._grew = self._hover = 0
        self.cap = _ONE  # Q12, the largest c = rho + (1-rho)(1-g) that the room is believed to bear
        self._lag1 = self._lag2 = self._slow = 0  # Q20
        for i in range(6):
            self._delay[i] = 0

    def step(self, m, n, g, rho, above, strength=64):
        """One round. above: theta without noise, Q12 (0.06)."""
        n = max(n, 3)
        # the light as bodies follow it
        c = rho + ((_ONE - rho) * (_ONE - g) >> 12)
        s = m * c >> 12
        if strength < 64:  # the phases ask how far of what the policy allows
            g = min((g << 6) // (strength or 64), _ONE)
        k = self._at
        self._lag1 += ((self._delay[k] << 8) - self._lag1) >> 4
        self._lag2 += (self._lag1 - self._lag2) >> 4
        self._delay[k] = s
        self._at = k + 1 if k < 5 else 0
        s = self._lag2 >> 8

        log = log2_q8(max(m, 82))
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

        # innovation: what m moved in half a minute beyond the light's move, were K 1
        x = m - s
        if phase != _RELEASE:
            self._drive = x << 8
        self._drive += ((x << 8) - self._drive) >> 6
        x -= (self._drive >> 8) + 1229 // n
        self.surge = 0
        if self._hold:
            if d > _SHOCK:
                self._grew = 0  # too sudden to be the light's
            if self._hold == 1 and self._grew:
                self._keep(self._grew)
        if m > theta:
            if phase == _RELEASE:
                if x > _JUMP or d > _SURGE and x > _JUMP >> 1:
                    self._alarm(2, c)
            elif d > _SURGE:
                self._alarm(1, c)
            elif self._hover:
                self._hover += 1
                if self._hover > _HOVER:
                    self._keep(c)
                    self._hover = 0
        elif not self._hold:
            self._hover = 1

        level = self._compress(log, theta)

        if self.surge:
            phase = _LEVEL
        elif phase == _RELEASE:
            self.integral = min(self.integral, g)
            if m < _ENTER and g <= self._damping(self.cap, rho) + 8:
                phase = _LEVEL
        elif phase == _LEVEL:
            if g > _DEEP and m > _ENTER and not self._hold and -_FLAT < d < _FLAT:
                phase = _LOOK
                self._m0 = _ONE
                self._n = 0
                self.aim = g  # stands still
        else:
            self._n += 1
            if self._n == _HALF:
                before = self._m0
                self._m0 = slow
                self._s0 = s
                self._n = 0
                if self._m0 * 8 >= before * 7:
                    phase = _RELEASE
                    self._fear = _FEAR
        self.phase = phase

        if self._wait:
            self._wait -= 1
        self.gain_q8 = 0
        self.up = _ATTACK
        self.down = _CREEP
        if self._hold:
            self._hold -= 1
            self.aim = _ONE
        elif phase == _RELEASE:
            self.up = 1
            self.down = _GIVE
            k = self._need(dm, ds)
            if m < _ENTER:
                k = min(k, self.cap)
            else:
                if ds > _MOVED and dm >= 0:
                    self.cap = k
                    self._wait = _SOON if k > _MARGIN else _PATIENCE
                k = min(k, _MOST)
            self.aim = min(level, self._damping(k, rho))
        elif phase == _LEVEL:
            self.aim = max(level, self._damping(self.cap, rho))
            if not self._wait and self.cap < _ONE:
                self.cap += 8

    def _keep(self, c):
        """The room grew by its own light at c: less from now on."""
        self.cap = min(self.cap, c * 5 >> 3)
        self._wait = _PATIENCE

    def _damping(self, c, rho):
        """The damping that leaves c."""
        if c >= _ONE or rho >= _ONE:
            return 0
        if c <= rho:
            return _ONE
        return _ONE - (c - rho) * _ONE // (_ONE - rho)

    def _alarm(self, surge, c):
        """The room runs away (1) or jumped (2) at c: damp fully."""
        if not self._hold:
            self._grew = c
        self.surge = surge
        self._hover = 0
        self.integral = _ONE
        self._hold = max(self._hold, _HOLD * surge)

    def _compress(self, log, theta):
        """Level law: 0.75 of the range per octave above theta, and a leaky integral (64 s)."""
        e = max(log - log2_q8(max(theta, 1)), 0)
        i = self.integral
        self.integral = i = max(min(i + (e >> 3) - (i >> 7) - min(i, 1), _ONE), 0)
        return min(i + (192 * e >> 4), _ONE)

    def _need(self, dm, ds):
        """The c that leaves K*c at MARGIN, K = (dm + prior)/(ds + noise)."""
        if self._fear > _TRUSTING:
            self._fear -= 2
        num = dm + self._fear
        den = max(ds, 0) + (self._fear >> 2) + _NOISE
        if num <= 0:
            return _ONE
        self.gain_q8 = (num << 8) // den
        return _MARGIN * den // num

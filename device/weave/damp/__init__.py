"""The damping loop of one node: the visitor's own signal and the room's, in; the light level of the strand, out.

    level = rho*own + (1-rho)*(1-g)*collective                    all Q12

rho is the unmediated share: at least RHO_MIN whatever a policy says, so d(level)/d(own) >= rho for every g. g is the
damping of the room's share alone. In: Affect (Q12 arousal, confidences 0..255), contact 0/1, the mesh's table of the
room. Out: the attributes of Damp. One round of 25 ticks (0.5 s) looks at the room once, a few visitors a tick.
"""

from micropython import const
from weave.damp.crowd import Crowd
from weave.damp.guard import Guard

ONE = const(4096)
RHO_MIN = const(1024)  # 0.25: compiled in; nothing that arrives can lower it
NEUTRAL = const(819)  # 0.2: the light of a visitor who opted out
_ROUND = const(25)  # ticks
_ATTACK = const(11)  # g per tick at most: 0.13 a second per 2
_RELEASE = const(8)  # g per round at most: four minutes from full to nothing
_BASE_MAX = const(1024)  # the room's rest is never believed to be above 0.25

# policy payload, big endian: version 1 | flags | rho Q12 (2) | theta Q12 (2) | strength Q6 | guide 0..255
POLICY_BYTES = const(8)
_P_OFF = const(1)  # flags: damping off
_P_UNMEDIATED = const(2)  # flags: fully unmediated room (rho = 1)


class Damp:
    """One node's law. `node` is its id in the table of the room."""

    def __init__(self, node):
        self.level = 0
        self.own = 0
        self.collective = 0
        self.g = 0
        self.rho = RHO_MIN
        self.ratio_q8 = 256
        self.growth = 0
        self.synchrony = 0
        self.spread = 0
        self.p90 = 0
        self.contagion = 0
        self.opted_out = 0
        self.enabled = 1
        self.guide = 0
        self.crowd = Crowd(node)
        self.guard = Guard()
        self._policy_rho = RHO_MIN
        self._wish = RHO_MIN  # this visitor's own wish
        self._above = 492  # theta above the room's rest: 0.12
        self._strength = 64  # Q6
        self._guide = 0
        self._rest_q8 = 205 << 8  # the room's rest, Q20: 0.05 until known better
        self._aim = 0
        self._aim_mean = 0
        self._slow_log = 0
        self._hot = 0
        self._tick = 0

    def step(self, now, mesh_ms, affect, contact, room):
        """One tick of 20 ms: the level of the light now."""
        crowd = self.crowd
        t = self._tick
        if t == 0:
            crowd.begin()
        crowd.look(room)
        t += 1
        if t == _ROUND:
            crowd.end()
            self._round()
            t = 0
        self._tick = t

        target = 0
        if contact:
            f = affect.fast_confidence
            c = affect.confidence
            w = f + c
            if w:
                target = (affect.fast * f + affect.arousal * c) // w
                if w < 64:  # hardly any confidence: fade in
                    target = target * w >> 6
        d = target - self.own
        self.own += (d + 7 >> 3) if d > 0 else d >> 3
        d = self._aim_mean - self.collective
        self.collective += (d + 7 >> 3) if d > 0 else d >> 3

        g = self.g
        aim = self._aim
        if g < aim:
            g += _ATTACK
            if g > aim:
                g = aim
        elif t == 0 and g > aim:
            g -= _RELEASE
            if g < aim:
                g = aim
        self.g = g

        if self.opted_out:
            self.level = NEUTRAL
        else:
            rho = self.rho
            self.level = (rho * self.own + (ONE - rho) * ((ONE - g) * self.collective >> 12)) >> 12

    def _round(self):
        """Twice a second: the law."""
        crowd = self.crowd
        self._aim_mean = m = crowd.mean
        self.spread = crowd.spread
        self.p90 = crowd.p90
        rest = self._rest_q8
        if m << 8 < rest:
            rest -= (rest - (m << 8)) >> 5
        elif self.g == 0 and crowd.weight:
            rest += 40  # 0.12 in some 25 minutes of calm
            if rest > _BASE_MAX << 8:
                rest = _BASE_MAX << 8
        self._rest_q8 = rest
        self.guard.step(m, (rest >> 8) + self._above)
        self._aim = self.guard.level * self._strength >> 6
        if self._aim > ONE:
            self._aim = ONE
        if not self.enabled:
            self._aim = 0
            self.g = 0
        self._detect()

    def _detect(self):
        """Growth lambda, R = (1 + tau*lambda)*2**(lambda*D) for a nominal body (tau 8 s, D 4 s), contagion."""
        log = self.guard.log_mean << 4
        d = log - self._slow_log
        self._slow_log += (d + 8) >> 4  # 8 s behind: d is the growth over 8 s, Q12 octaves
        if d > 8192:
            d = 8192
        elif d < -2048:
            d = -2048
        self.growth = d * 355 >> 12  # e-folds per second, Q12: ln 2 / 8
        r = (256 + (d * 177 >> 12)) * (256 + (d >> 5)) >> 8
        self.ratio_q8 = r
        if r > 280 and self.guard.level > 0:
            if self._hot < 40:
                self._hot += 2
        elif self._hot > 0:
            self._hot -= 1
        if self._hot >= 12:
            self.contagion = 1
        elif self._hot == 0:
            self.contagion = 0

    def opt_out(self, flag):
        """The visitor's button: neutral light at once, and nothing of this visitor is shared."""
        self.opted_out = 1 if flag else 0

    def wish(self, rho):
        """The visitor's own wish for an unmediated share, Q12: counts where it is above the policy's."""
        self._wish = rho
        self._share()

    def policy(self, buf, start, n):
        """A sealed policy's payload (8 bytes, see above): returns 1 where it was understood, 0 where it was refused."""
        if n < POLICY_BYTES or buf[start] != 1:
            return 0
        flags = buf[start + 1]
        self._policy_rho = ONE if flags & _P_UNMEDIATED else buf[start + 2] << 8 | buf[start + 3]
        theta = buf[start + 4] << 8 | buf[start + 5]
        self._above = 41 if theta < 41 else theta if theta < ONE else ONE
        self._strength = buf[start + 6]
        self._guide = buf[start + 7]
        self.enabled = 0 if flags & _P_OFF else 1
        self._share()
        return 1

    def _share(self):
        r = self._policy_rho
        if self._wish > r:
            r = self._wish
        if r < RHO_MIN:
            r = RHO_MIN
        elif r > ONE:
            r = ONE
        self.rho = r

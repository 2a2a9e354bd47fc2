"""The damping loop of one node: the visitor's own signal and the room's, in; the light level of the strand, out.

    level = rho*own + (1-rho)*(1-g)*lit(collective)                all Q12

rho is the unmediated share: at least RHO_MIN whatever a policy says, so d(level)/d(own) >= rho for every g. g is the
damping of the room's share alone (law.py). lit is a downward expander: a room at rest does not light itself. In: Affect
(arousal, fast, rest Q12, confidences 0..255), contact 0/1, the mesh's table of the room. Out: the attributes of Damp.
Arousal is counted from rest: rest is 0, full is 4096.
One round of 25 ticks (0.5 s) looks at the room once, a few visitors a tick. Formats of all attributes: README.md.
"""

from .crowd import Crowd, beyond
from .law import Law

_ONE = const(4096)
RHO_MIN = const(1024)  # 0.25: compiled in; nothing that arrives can lower it
NEUTRAL = const(819)  # 0.2: the light of a visitor who opted out
_ROUND = const(25)  # ticks
_PLAIN = const(410)  # 0.10: what is fainter falls twice as fast, to nothing at 0.05
_THETA = const(246)  # 0.06 above rest
_REST_MAX = const(656)  # 0.16: no room's rest is believed to be higher
_REST_NEAR = const(410)  # 0.10 above it nobody is at rest: it stands still
_KNOWN = const(3000)  # ticks, a minute, until a visitor counts in full: the baseline is being learnt

# version 1 | flags | rho Q12 2 | theta Q12 2 | strength Q6 | guide 0..255, big endian
_POLICY_BYTES = const(8)
_P_OFF = const(1)  # flags: damping off
_P_UNMEDIATED = const(2)  # flags: fully unmediated room (rho = 1)

_GROWTH = const(1)  # why: R > 1 went on for five seconds
JUMP = const(2)  # why: the room moved more than its light did
_MEASURED = const(3)  # why: a gain above 1 was measured while the light was given back


class Damp:
    """One node's damping. `node` is its id (row 0 of the table is this node)."""

    def __init__(self, node):
        self.node = node
        self.level = self.own = self.collective = self.g = 0
        self.rho = RHO_MIN
        self.ratio_q8 = 256
        self.gain_q8 = self.growth = self.synchrony = self.spread = self.p90 = 0
        self.contagion = self.why = 0
        self.opted_out = 0
        self.enabled = 1
        self.guide = 0
        self.crowd = Crowd()
        self.law = Law()
        self.policy_rho = self._wish = RHO_MIN
        self.theta = _THETA
        self._strength = 64  # Q6
        self._aim = self._m = 0
        self._rest_q8 = 0  # the room's rest above everybody's own, Q20
        self._hot = 0
        # tick of this round of half a second: at 0 the room is looked at anew
        self.tick = self._known = self.fast = 0

    def step(self, now, affect, contact, room) -> None:
        """One tick of 20 ms: the level of the light now."""
        t: int = self.tick
        crowd = self.crowd
        if t == 0:
            crowd.begin(beyond(affect.rest))
        if crowd.at < room.count:
            crowd.look(room)
        t += 1
        if t == _ROUND:
            t = 0
            crowd.end()
            self._round()
        self.tick = t

        # the visitor, from rest; counts in full when known
        d: int = affect.rest
        if contact:
            if self._known < _KNOWN:
                self._known += 1
            d += (affect.fast - d) * self._known // _KNOWN
        elif self._known or self._wish:  # the visitor has gone, and takes the wish along
            self._known = 0
            self.wish(0)
        self.fast = d
        d = max(beyond(d) - crowd.rest, 0) - self.own
        self.own += (d + 7) >> 3 if d > 0 else d >> 3
        d = self._m - self.collective
        self.collective += (d + 7) >> 3 if d > 0 else d >> 3

        g: int = self.g
        d = self._aim
        if g < d:
            g += self.law.up
            self.g = g if g < d else d
        elif t == 0 and g > d:
            g -= self.law.down
            self.g = g if g > d else d

        if self.opted_out:
            self.level = NEUTRAL
        else:
            d = self.rho
            c: int = self.collective
            if c < _PLAIN:
                c = max(c + c - _PLAIN, 0)
            self.level = (d * self.own + (_ONE - d) * ((_ONE - self.g) * c >> 12)) >> 12

    def _round(self):
        """Twice a second: the room, the law, what is shown to people."""
        crowd = self.crowd
        law = self.law
        self._m = m = crowd.mean
        if crowd.weight:
            self._settle(m)
        m = max(m - (self._rest_q8 >> 8), 0)
        self.spread = crowd.spread
        self.p90 = crowd.p90
        self.synchrony = crowd.synchrony
        if self.enabled:
            law.step(m, crowd.visitors, crowd.g, self.rho, self.theta, self._strength)
            self._aim = min(law.aim * self._strength >> 6, _ONE)
        else:
            law.reset()
            self._aim = self.g = 0
        self._detect()

    def _settle(self, m):
        """The room's rest: estimators drift together (skin settles for minutes); what is slow and low is no arousal."""
        rest = self._rest_q8
        d = (m << 8) - rest
        if d < 0:
            rest += d >> 6  # 32 s
        elif d < _REST_NEAR << 8:
            rest += d >> (11 if self._aim else 9)  # 256 s; 1024 s while damped: what is held down is not rest
        self._rest_q8 = min(rest, _REST_MAX << 8)

    def _detect(self):
        """Growth, R = (1 + tau*lambda)*exp(lambda*D) for a nominal body (tau 8 s, D 4 s), and the event."""
        law = self.law
        d = max(min(law.growth, 8192), -4096)  # octaves in 8 s, Q12
        self.growth = d * 355 >> 12  # e-folds a second, Q12: ln 2 / 8
        half = d >> 1  # lambda*D in octaves
        two = _ONE + (half & 4095)  # 2**f ~ 1 + f
        d = max(_ONE + (d * 2839 >> 12), 0)  # 1 + tau*lambda
        half >>= 12
        d = d * two >> 12
        d = d << half if half >= 0 else d >> -half
        self.ratio_q8 = d >> 4
        self.gain_q8 = law.gain_q8
        why = 0
        if law.surge == 2:
            why = JUMP
        elif law.gain_q8 > 320:
            why = _MEASURED
        elif self.ratio_q8 > 288 and law.aim > 0:
            self._hot += 3
            if self._hot >= 30:
                why = _GROWTH
        if why:
            self.contagion = 1
            self.why = why
            self._hot = 30
        elif self._hot > 0:
            self._hot -= 1
        if not self._hot:
            self.contagion = self.why = 0

    def opt_out(self, flag):
        """The visitor's button: neutral light at once, and nothing of this visitor is shared."""
        self.opted_out = 1 if flag else 0

    def wish(self, rho):
        """This visitor's own wish for an unmediated share, Q12: counts above the policy's, until contact ends."""
        self._wish = rho
        self._share()

    def policy(self, buf, start, n):
        """A sealed policy's payload (8 bytes, version 1): 1 where it was understood, 0 where refused."""
        if n < _POLICY_BYTES or buf[start] != 1:
            return 0
        flags = buf[start + 1]
        self.policy_rho = _ONE if flags & _P_UNMEDIATED else buf[start + 2] << 8 | buf[start + 3]
        self.theta = min(max(buf[start + 4] << 8 | buf[start + 5], 41), _ONE)
        self._strength = buf[start + 6]
        self.guide = buf[start + 7]
        self._share()
        self.enabled = 0 if flags & _P_OFF else 1
        return 1

    def _share(self):
        self.rho = min(max(self.policy_rho, self._wish, RHO_MIN), _ONE)

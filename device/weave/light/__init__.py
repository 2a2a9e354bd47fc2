"""What the thread shows: from heartbeat, affect and the mediated level to the pixels of one strand.

In, every 20 ms tick: `sense` (contact, onset), `affect` (arousal, valence Q12, confidence 0..255), `damp`
(level, own, collective, g, rho Q12, opted_out), `clock`, of ms the room's ms. Out, every second tick: pixels. See README.md
for what each of them looks like. Motion is a function of the mesh clock and the strand's place, so strands join
in phase; light passes the guard last.
"""

from .guard import Guard, lerp
from .heart import Heart
from .stage import Site, Stage

_MASK = const(0x3FFFFFFF)
_CLIMB = const(36)  # mm per 40 ms frame at which a pulse climbs the thread: 0.9 m/s
_ECHO = const(0x80)  # first byte of an echo event
_FADE_MS = const(3000)

# places in the guard's parameters `v`: the mix of the scene now, see scenes.py, and its colours
_MIDDLE = const(102)
_WAVE = const(103)
_CALM = const(104)
_STIR = const(105)
_WARP = const(106)
_DARK = const(107)
_FULL = const(108)
_OWN = const(109)
_PULSE = const(110)
_ECHOES = const(111)
_BREATH = const(112)
_GROUND = const(113)  # ground calm, ground stirred, own cool, own neutral, own warm, pale
_COOL = const(121)
_NEUTRAL = const(125)
_WARM = const(129)
_PALE = const(133)
_NEXT = const(137)  # the two colours that the guard is asked for
# what the kernel is asked for: swings and floor of the waves, brightness of ours and of mine
_TO = const(145)
_EDGE = const(155)  # how far the visitor's part of the thread is to reach


class Light(Stage):
    """One strand, alive. Others read scene, ma, limited, frames, rejected, names, event, event_n."""

    ma = 0
    limited = 0

    def __init__(self, strand, site=None):
        site = site or Site()
        self.guard = guard = Guard(strand, site.budget_ma)  # black before anything else
        v = guard.v
        super().__init__(site, v, strand.order)
        self.heart = Heart(site)
        n = v[0]
        length = int((site.dx**2 + site.dy**2 + site.dz**2) ** 0.5)
        v[15] = 2 * min(length * 256 // (max(1, n - 1) * _CLIMB), 126 * 256 // n)
        v[12] = 2 * (4096 * 7 // n + 1)  # the border between mine and ours is a seventh of the thread wide
        self.frames = 0
        # an echo for the room, of event_n bytes when there is one: see README.md
        self.event = self.heart.event
        self.event_n = 0
        self._tick = -1
        self._rho = 0
        self._arousal = 0
        self._vivid = 0  # x 16
        self._tint = 0  # x 16
        self._shape = 2000  # mean of the wave's shape, Q12
        self._mine = self._ours = 0  # mean brightness, Q12
        self._contact = self.dim = 0  # dim: what the site and the power budget leave of all light, Q12
        lerp(v, _NEXT, _GROUND | _GROUND << 8 | 4 << 16, 0)
        lerp(v, _NEXT + 4, _PALE | _PALE << 8 | 4 << 16, 0)
        guard.colour()

    def on_scene(self, buf, start, n, origin, at):
        """Handler of scene and echo events; what makes no sense is counted in `rejected` and changes nothing."""
        if n and buf[start] & _ECHO:
            self.on_echo(buf, start, n, origin, at)
        elif n:
            fade = buf[start + 1] * 100 if n > 1 else _FADE_MS
            dial = (buf[start + 2] if n > 2 else 255) << 8 | (buf[start + 3] if n > 3 else 255)
            self.set_scene(buf[start], at, fade, dial)
        else:
            self.rejected += 1

    def on_echo(self, buf, start, n, origin, at):
        """Handler of echo events: a visitor somewhere let go, the beats travel through the room."""
        if n < 9 or buf[start] != _ECHO or not self.heart.hear(buf, start, at if at >= 0 else self._mesh):
            self.rejected += 1

    def step(self, now, clock, sense, affect, damp) -> None:
        """One tick of 20 ms, `now` and `clock(now)` wrapping at 2**30: even ones render, odd ones prepare in turn."""
        t: int = (self._tick + 1) & 15
        self._tick = t
        if t & 1:  # what changes more slowly than a frame, one thing a tick; all of it while scenes fade
            if t & 7 == 1:
                self._share(sense, affect, damp)
            elif t == 15:
                self.guard.power()
                self.limited = self.guard.limited
            if t & 7 == 3 or self._fading:
                self._play(now, damp.opted_out)
            if t & 7 == 5 or self._fading:
                self._ripple(affect, damp)
            if t == 7 or self._fading:
                self._colour(affect, damp)
            return
        self._mesh = mesh_ms = clock(now)
        guard = self.guard
        v = self.v
        # the pulse is higher where there is more light to swim in
        height: int = 0
        if self._contact:
            height = v[_PULSE]
            height = (height >> 1) + (height * self._mine >> 12)
        head: int = (self.frames - _MASK) & _MASK
        self.frames = head
        head &= 127
        pulse: int = self.heart.step(now, mesh_ms, sense.onset, height, v[_ECHOES])
        guard.ring[head] = pulse * self.dim >> 12
        v[14] = (head + 128) << 8
        v[150] = mesh_ms
        guard.show(now)
        self.ma = guard.ma

    def _share(self, sense, affect, damp) -> None:
        """The law of damping, laid out along the thread: rho of it the visitor's own, the rest everybody's."""
        v = self.v
        contact: int = sense.contact and not damp.opted_out
        if contact != self._contact:
            if not contact and not damp.opted_out:
                self.event_n = self.heart.leave(self._mesh)
            self.heart.ibi = 0
            self._contact = contact
        rho: int = self._rho
        to = damp.rho * v[_OWN] >> 12 if contact else 0
        if to > rho:
            if v[11] >= v[_EDGE]:  # as fast as the budget lets the border follow
                rho = to if to - rho < 400 else rho + 400
        else:  # who opts out is hidden within a second
            rho = to if rho - to < 800 else rho - 800
        self._rho = rho
        level: int = damp.level
        ours = level
        own: int = damp.own
        level <<= 12
        if rho * own > level:
            own = level // rho
        if 0 < rho < 4096:
            ours = (level - rho * own) // (4096 - rho)
            if ours > 4096:
                ours = 4096
                own = (level >> 12) * 4096 - ((4096 - rho) << 12)
                own = own // rho if own > 0 else 0
        dark: int = v[_DARK]
        span = v[_FULL] - dark
        ours = dark + (span * ours >> 12)
        own = dark + (span * own >> 12)
        # the pulse takes its light from the ground: the mean stays the level's; what a dark ground cannot give, mine does
        mean = self.heart.mean >> 6
        most = ours * 3 >> 2
        self._ours = ours - (mean if mean < most else most)
        mean = self.heart.beat >> 6  # echoes are the room's: they take nothing from mine
        if mean > most and rho > 256:
            mean += (mean - most) * (4096 - rho) // rho
        most = own * 3 >> 2
        self._mine = own - (mean if mean < most else most)
        if rho < 16:
            v[_EDGE] = 0
        elif rho > 4080:
            v[_EDGE] = 36864
        else:
            v[_EDGE] = (rho * (v[0] * v[12] >> 1) >> 12) + 2048

    def _ripple(self, affect, damp) -> None:
        """How the water moves: quicker with arousal, crumpled with disquiet, flattened by damping; and how bright it is."""
        guard = self.guard
        v = self.v
        ours: int = self._ours
        t: int = self._motion[8]
        swing: int = v[_BREATH]
        if damp.guide and v[_OWN] and not t:  # the policy offers a breath, where feelings are shown
            t = 10000
            swing = damp.guide << 4
        if t:  # the breath is in everybody's part only
            t = guard.sine[((self._breath - (self._mesh % t << 14) // t * 4) >> 8) & 255] - 8192
            ours += ours * (swing * self._wave >> 12) // 4096 * t >> 13
        # over the wave's own mean: light is the level, whatever the wave does
        self._shape += (v[28] // (v[0] + 1 >> 1) - self._shape) >> 2
        self.dim = scale = guard.dim * self.site.brightness // 255
        scale = (scale << 12) // (self._shape if self._shape > 256 else 256)
        v[_TO + 3] = ours * scale >> 12
        v[_TO + 4] = self._mine * scale >> 12
        self._arousal += ((affect.arousal if self._contact else damp.collective) - self._arousal) >> 2
        arousal: int = self._arousal
        wave = v[_WAVE] * self._wave >> 12
        calm = wave * (6553 - damp.g) // 6553
        v[_TO + 2] = v[_MIDDLE] - (calm >> 1)
        quick = v[_CALM] + ((v[_STIR] - v[_CALM]) * arousal >> 12)
        v[_TO + 1] = quick = calm * quick >> 12
        v[_TO] = calm - quick
        valence: int = affect.valence
        v[13] = v[_WARP] + (arousal * -valence >> 11 if valence < 0 and self._contact else 0)

    def _colour(self, affect, damp):
        """Whose colour: the ground by everybody's arousal, the visitor's by valence, paler where it is uncertain."""
        v = self.v
        valence = affect.valence if self._contact else 0
        self._tint += ((valence << 4) - self._tint) >> 2
        valence = self._tint >> 4
        vivid = affect.confidence * (2900 + (self._arousal * 1130 >> 12)) >> 8
        self._vivid += ((vivid << 4) - self._vivid) >> 2
        n4 = 4 << 16
        lerp(v, _NEXT, _GROUND | (_GROUND + 4) << 8 | n4, damp.collective)
        if valence < 0:
            lerp(v, _NEXT + 4, _NEUTRAL | _COOL << 8 | n4, -valence)
        else:
            lerp(v, _NEXT + 4, _NEUTRAL | _WARM << 8 | n4, valence)
        lerp(v, _NEXT + 4, _PALE | (_NEXT + 4) << 8 | n4, self._vivid >> 4)
        self.guard.colour()

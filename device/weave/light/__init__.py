"""What the thread shows: from heartbeat, affect and the mediated level to the pixels of one strand.

In, every 20 ms tick: `sense` (contact, beats or onset), `affect` (arousal, valence Q12, confidence 0..255), `damp`
(level, own, collective, g, rho Q12, opted_out), the room's clock in ms. Out, every second tick: pixels. See README.md
for what each of them looks like. Motion is a function of the mesh clock and the strand's place, so strands join
in phase; light passes the guard last.
"""

from micropython import const

from .guard import Guard, lerp
from .heart import Heart
from .scenes import FAULT, SCENES, VIGIL, find, load

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FADE_MS = const(3000)
_SOON_MS = const(60000)  # a scene further off than this was told by a clock that has stepped since
_CLIMB = const(36)  # mm per 40 ms frame at which a pulse climbs the thread: 0.9 m/s
_ECHO = const(0x80)  # first byte of an echo event

# places in the guard's parameters `v`: the scene left, the scene to come, the scene now, scratch
_N = const(35)  # numbers and colours of a scene
_OLD = const(32)
_NEW = const(67)
_CUR = const(102)
_NEXT = const(137)
_MIDDLE = const(102)  # the scene's mix now: middle and swing of the waves, see scenes.py
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
_GROUND = const(113)  # its colours: ground calm, ground stirred, own cool, own neutral, own warm, pale
_COOL = const(121)
_NEUTRAL = const(125)
_WARM = const(129)
_PALE = const(133)


class Site:
    """Where the strand is and what feeds it: first pixel at x, y, z mm, last at + dx, dy, dz; budget in mA."""

    def __init__(self, x=0, y=0, z=0, dx=0, dy=0, dz=1000, budget_ma=500, brightness=255, scene="hearth"):
        self.x, self.y, self.z = x, y, z
        self.dx, self.dy, self.dz = dx, dy, dz
        self.budget_ma = budget_ma
        self.brightness = brightness  # 0..255, of every scene
        self.scene = scene


class Light:
    """One strand, alive. Others read scene, ma, limited, frames, rejected, names, event, event_n."""

    names = tuple(s[0] for s in SCENES)

    def __init__(self, strand, site=None):
        self.guard = Guard(strand, site.budget_ma if site else 500)  # black before anything else
        d = site or Site()
        self.site = d
        self.order = strand.order
        self.heart = Heart()
        n = strand.n
        length = int((d.dx**2 + d.dy**2 + d.dz**2) ** 0.5)
        v = self.guard.v
        v[15] = 2 * min(length * 256 // (max(1, n - 1) * _CLIMB), 126 * 256 // n)
        v[11] = 2 * (4096 * 7 // n + 1)  # the border between mine and ours is a seventh of the thread wide
        self.frames = 0
        self.rejected = 0  # events that made no sense
        self.event = bytearray(9)  # an echo for the room, of event_n bytes when there is one: see README.md
        self.event_n = 0
        self._early = -1
        self._tick = -1
        self._mesh = 0
        self._rho = 0
        self._arousal = 0
        self._vivid = 0  # x 16
        self._tint = 0  # x 16
        self._shape = 2000  # mean of the wave's shape, Q12
        self._mine = self._ours = 0  # mean brightness, Q12
        self._a1 = self._a2 = self._base = 0  # swings and floor of the waves
        self._to_mine = self._to_ours = 0  # and what the kernel needs for it
        self._contact = 0
        # scenes
        self.scene = max(0, find(d.scene))
        self.since = 0  # mesh ms at which it began
        self._shown = self.scene
        self._pending = -1
        self._at = 0
        self._dial = self._dial_next = 0xFFFF  # brightness and vigour of the event
        self._fade_ms = _FADE_MS
        self._fading = 0
        self._rising = False
        self._start = 0
        self._span = _FADE_MS
        self._wave = 4096  # share of the waves' swing: they die down in the middle of a cross-fade
        self._only = -1
        self._until = 0
        self._motion = self._turning = SCENES[self.scene][1]
        load(self.scene, v, _NEW, self.order, 255, 255)
        lerp(v, _CUR, _NEW | _NEW << 8 | _N << 16, 0)
        self._stand()
        lerp(v, _NEXT, _GROUND | _GROUND << 8 | 4 << 16, 0)
        lerp(v, _NEXT + 4, _PALE | _PALE << 8 | 4 << 16, 0)
        self.guard.colour()

    # --- scenes
    def set_scene(self, scene, at, fade_ms=_FADE_MS, dial=0xFFFF):
        """Cross-fade to a scene id from mesh time `at` on (-1: now). False, and no change, where there is no such scene."""
        if not 0 <= scene < len(SCENES):
            self.rejected += 1
            return False
        self._pending = scene
        self._at = at & _MASK if at >= 0 else self._mesh
        self._fade_ms = fade_ms if fade_ms > 400 else 400
        self._dial_next = dial
        return True

    def show_only(self, scene, now, ms):
        """Show a scene on this strand alone for `ms`: IDENTIFY from the console, FAULT by the supervisor."""
        if 0 <= scene < len(SCENES):
            self._only = scene
            self._until = (now - _HALF + ms - _HALF) & _MASK

    def on_scene(self, buf, start, n, origin, at):
        """Handler of scene and echo events; what makes no sense is counted in `rejected` and changes nothing."""
        if n and buf[start] & _ECHO:
            self.on_echo(buf, start, n, origin, at)
            return
        if n < 1:
            self.rejected += 1
            return
        fade = buf[start + 1] * 100 if n > 1 else _FADE_MS
        dial = buf[start + 2] << 8 | buf[start + 3] if n > 3 else 0xFFFF
        self.set_scene(buf[start], at, fade, dial)

    def on_echo(self, buf, start, n, origin, at):
        """Handler of echo events: a visitor somewhere let go, the beats travel through the room."""
        if (
            n < 9
            or buf[start] != _ECHO
            or not self.heart.hear(buf, start, self.site, at if at >= 0 else self._mesh)
        ):
            self.rejected += 1

    def _leave(self):
        """The visitor let go: the last beats, for the room and for this strand."""
        e = self.event
        s = self.site
        e[0] = _ECHO
        for k in range(3):
            cm = (s.x if k == 0 else s.y if k == 1 else s.z) // 10
            e[1 + 2 * k] = cm & 255
            e[2 + 2 * k] = (cm >> 8) & 255
        e[7] = self.heart.ibi >> 3
        e[8] = 8
        self.event_n = 9
        self.heart.hear(e, 0, s, self._mesh)

    def _stand(self):
        """Phases of the two waves at the first pixel, and their steps per two pixels, from the strand's place."""
        m = self._motion
        s = self.site
        v = self.guard.v
        n = max(1, v[0] - 1)
        self._p1 = (m[2] * s.x + m[3] * s.y + m[4] * s.z) >> 4
        self._p2 = (m[5] * s.x + m[6] * s.y + m[7] * s.z) >> 4
        self._pb = (m[9] * s.x + m[10] * s.y) >> 4
        v[3] = ((m[2] * s.dx + m[3] * s.dy + m[4] * s.dz) // (8 * n)) & 0xFFFF
        v[5] = ((m[5] * s.dx + m[6] * s.dy + m[7] * s.dz) // (8 * n)) & 0xFFFF

    def _scene(self, now, mesh_ms, hidden):
        """Which scene is due, and one step of the cross-fade: numbers blend, waves die down, turn and rise again."""
        v = self.guard.v
        if self._pending >= 0:
            late = (mesh_ms - self._at) & _MASK
            if late < _HALF or late < _MASK - _SOON_MS:
                self.scene = self._pending
                self._pending = -1
                self.since = self._at
        if self._only >= 0 and ((now - self._until) & _MASK) < _HALF:
            self._only = -1
        want = self._only
        if want < 0:
            want = VIGIL if hidden and self.scene != FAULT else self.scene
        if want != self._shown or self._dial != self._dial_next and self._pending < 0:
            self._shown = want
            self._dial = self._dial_next
            lerp(v, _OLD, _CUR | _CUR << 8 | _N << 16, 0)
            v[_OLD + 1] = v[_WAVE] * self._wave >> 12
            load(want, v, _NEW, self.order, self._dial >> 8, self._dial & 255)
            self._turning = SCENES[want][1]
            late = (mesh_ms - self.since) & _MASK
            self._start = self.since if want == self.scene and late < self._fade_ms else mesh_ms
            self._span = 640 if hidden else self._fade_ms
            self._wave = 4096
            self._fading = 9
            self._rising = False
        if self._fading:
            x = (mesh_ms - self._start) & _MASK
            if x >= _HALF:
                x = 0
            x = 4096 if x >= self._span else (x << 12) // self._span
            lerp(v, _CUR, _OLD | _NEW << 8 | _N << 16, x)
            if x < 2048 and self._turning is not self._motion:
                v[_WAVE] = v[_OLD + 1]
                self._wave = max(0, ((2048 - x) * 9 >> 2) - 512)
            elif self._turning is not self._motion:
                self._motion = self._turning
                self._stand()
                self._rising = True
            if self._rising:
                v[_WAVE] = v[_NEW + 1]
                self._wave = max(0, ((x - 2048) * 9 >> 2) - 512)
            if x == 4096:
                self._fading -= 1  # the last rounds let the smoothing run out
                self._rising = False
                self._wave = 4096

    # --- the tick
    def step(self, now, mesh_ms, sense, affect, damp):
        """One tick of 20 ms, `now` and `mesh_ms` wrapping at 2**30: even ones render, odd ones prepare in turn."""
        self._tick = t = (self._tick + 1) & 15
        if not t & 1:
            self._render(now, mesh_ms, sense)
            return
        part = t & 7
        if part == 1:
            self._mesh = mesh_ms
            self._share(sense, affect, damp)
        elif t == 15:
            self.guard.power()
        if self._fading:
            self._scene(now, mesh_ms, damp.opted_out)
            self._ripple(mesh_ms, affect, damp)
            self._colour(affect, damp)
        elif part == 3:
            self._scene(now, mesh_ms, damp.opted_out)
        elif part == 5:
            self._ripple(mesh_ms, affect, damp)
        elif t == 7:
            self._colour(affect, damp)

    def _share(self, sense, affect, damp):
        """The law of damping, laid out along the thread: rho of it the visitor's own, the rest everybody's."""
        v = self.guard.v
        contact = sense.contact and not damp.opted_out
        if contact != self._contact:
            if not contact and not damp.opted_out and self.heart.ibi:
                self._leave()
            self.heart.ibi = 0
            self._contact = contact
        rho = self._rho
        to = damp.rho * v[_OWN] >> 12 if contact else 0
        if to > rho:
            if self.guard.limited < 2:
                rho = to if to - rho < 400 else rho + 400
        else:  # who opts out is hidden within a second
            rho = to if rho - to < 800 else rho - 800
        self._rho = rho
        level = ours = damp.level
        own = damp.own
        level <<= 12
        if rho * own > level:
            own = level // rho
        if 0 < rho < 4096:
            ours = (level - rho * own) // (4096 - rho)
            if ours > 4096:
                ours = 4096
                own = (level >> 12) * 4096 - ((4096 - rho) << 12)
                own = own // rho if own > 0 else 0
        dark = v[_DARK]
        span = v[_FULL] - dark
        ours = dark + (span * ours >> 12)
        own = dark + (span * own >> 12)
        # the pulse takes its light from the ground: the mean stays the level's; what a dark ground cannot give, mine does
        mean = self.heart.mean >> 6
        most = ours * 3 >> 2
        if mean > most:
            self._ours = ours - most
            if rho > 256:
                mean += (mean - most) * (4096 - rho) // rho
        else:
            self._ours = ours - mean
        most = own * 3 >> 2
        self._mine = own - (mean if mean < most else most)
        if rho < 16:
            v[10] = 0
        elif rho > 4080:
            v[10] = 1 << 20
        else:
            v[10] = (rho * (v[0] * v[11] >> 1) >> 12) + 2048

    def _ripple(self, mesh_ms, affect, damp):
        """How the water moves: quicker with arousal, crumpled with disquiet, flattened by damping; and how bright it is."""
        guard = self.guard
        v = guard.v
        ours = self._ours
        t = self._motion[8]
        if t:  # the breath is in everybody's part only
            t = guard.sine[((self._pb - (mesh_ms % t << 14) // t * 4) >> 8) & 255] - 8192
            ours += ours * (v[_BREATH] * self._wave >> 12) // 4096 * t >> 13
        # over the wave's own mean: light is the level, whatever the wave does
        self._shape += (v[28] * 2 // (v[0] + 1) - self._shape) >> 2
        scale = guard.dim * self.site.brightness // 255
        scale = (scale << 12) // (self._shape if self._shape > 256 else 256)
        self._to_ours = ours * scale >> 12
        self._to_mine = self._mine * scale >> 12
        arousal = affect.arousal if self._contact else damp.collective
        self._arousal += (arousal - self._arousal) >> 2
        arousal = self._arousal
        wave = v[_WAVE] * self._wave >> 12
        calm = wave * (6553 - damp.g) // 6553
        self._base = v[_MIDDLE] - (calm >> 1)
        quick = v[_CALM] + ((v[_STIR] - v[_CALM]) * arousal >> 12)
        self._a2 = quick = calm * quick >> 12
        self._a1 = calm - quick
        valence = affect.valence
        v[9] = v[_WARP] + (arousal * -valence >> 11 if valence < 0 and self._contact else 0)

    def _colour(self, affect, damp):
        """Whose colour: the ground by everybody's arousal, the visitor's by valence, paler where it is uncertain."""
        v = self.guard.v
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

    def _render(self, now, mesh_ms, sense):
        guard = self.guard
        v = guard.v
        if self._early < 0:
            self._early = 1 if hasattr(sense, "onset") else 0
        # the pulse is higher where there is more light to swim in
        height = 0
        if self._contact:
            height = v[_PULSE]
            height = (height >> 1) + (height * self._mine >> 12)
        self.frames = head = (self.frames - _MASK) & _MASK
        head &= 127
        guard.ring[head] = (
            self.heart.step(now, mesh_ms, sense.onset if self._early else sense.beats, height, v[_ECHOES])
            * guard.dim
            >> 12
        )
        v[14] = (head + 128) << 8
        # waves from the room's clock
        m = self._motion
        t = m[0]
        v[2] = (self._p1 - (mesh_ms % t << 14) // t * 4) & 0xFFFF
        t = m[1]
        v[4] = (self._p2 - (mesh_ms % t << 14) // t * 4) & 0xFFFF
        if self._fading:
            v[6] += (self._a1 - v[6]) >> 2
            v[7] += (self._a2 - v[7]) >> 2
            v[8] += (self._base - v[8]) >> 2
        else:
            v[6] = self._a1
            v[7] = self._a2
            v[8] = self._base
        v[12] += (self._to_ours - v[12]) >> 2
        v[13] += (self._to_mine - v[13]) >> 2
        guard.show(now)
        self.ma = guard.ma
        self.limited = guard.limited

    ma = 0
    limited = 0

"""Which scene a strand plays: agreed times, cross-fades, and the place from which its waves come.

In: scene events, the room's clock, where the strand is. Out: in the guard's parameters `v` the scene as it is now,
numbers and colours blended, and the phases of its waves. A cross-fade blends numbers and colours; the waves die
down, turn unseen in the middle, and rise again. A scene id that does not exist changes nothing.
"""

from .guard import lerp
from .scenes import FAULT, NAMES, SCENES, VIGIL, find, load

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FADE_MS = const(3000)
_SOON_MS = const(60000)  # a scene further off than this was told by a clock that has stepped since

# places in v: the scene left, the scene to come, the scene now
_N = const(35)  # numbers and colours of a scene
_OLD = const(32)
_NEW = const(67)
_CUR = const(102)
_WAVE = const(1)  # the swing of the waves among a scene's numbers


class Site:
    """Where the strand is and what feeds it: first pixel at x, y, z mm, last at + dx, dy, dz; budget in mA."""

    def __init__(self, x=0, y=0, z=0, dx=0, dy=0, dz=1000, budget_ma=500, brightness=255, scene="hearth"):
        self.x, self.y, self.z = x, y, z
        self.dx, self.dy, self.dz = dx, dy, dz
        self.budget_ma = budget_ma
        self.brightness = brightness  # 0..255, of every scene
        self.scene = scene


class Stage:
    """The scenes of one strand at `site`; `v` as in kernel.py and below, `order` its channels on the wire."""

    names = NAMES

    def __init__(self, site, v, order):
        self.site = site
        self.v = v
        self.order = order
        self.rejected = 0  # events that made no sense
        self.scene = max(0, find(site.scene))
        self.since = 0  # mesh ms at which it began
        self._shown = self.scene
        self._pending = -1
        self._at = 0
        self._mesh = 0  # the room's time at the last frame
        self._dial = self._dial_next = 0xFFFF  # brightness and vigour of the event
        self._fade_ms = self._span = _FADE_MS
        self._fading = 0
        self._start = 0
        self._wave = 4096  # share of the waves' swing: they die down in the middle of a cross-fade
        self._turned = self._still = True
        self._only = -1
        self._until = 0
        load(self.scene, v, _NEW, order, 255, 255)
        lerp(v, _CUR, _NEW | _NEW << 8 | _N << 16, 0)
        self._turn()

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

    def _turn(self):
        """The scene shown moves the waves: phases at the first pixel and steps per two pixels, from the strand's place."""
        self._motion = m = SCENES[self._shown][1]
        s = self.site
        v = self.v
        n = 8 * max(1, v[0] - 1)
        for i in range(2):
            x, y, z = m[2 + 3 * i], m[3 + 3 * i], m[4 + 3 * i]
            v[151 + i] = m[i]
            v[153 + i] = ((x * s.x + y * s.y + z * s.z) >> 4) & 0xFFFF
            v[3 + 2 * i] = ((x * s.dx + y * s.dy + z * s.dz) // n) & 0xFFFF
        self._breath = (m[9] * s.x + m[10] * s.y) >> 4

    def _play(self, now, hidden):
        """Which scene is due, and one step of the cross-fade."""
        v = self.v
        mesh_ms = self._mesh
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
            self._turned = self._still = SCENES[want][1] is self._motion  # the same waves need not die down
            self._shown = want
            self._dial = self._dial_next
            lerp(v, _OLD, _CUR | _CUR << 8 | _N << 16, 0)
            v[_OLD + _WAVE] = v[_CUR + _WAVE] * self._wave >> 12
            dial = self._dial if self._only < 0 else 0xFFFF  # who looks for a strand shall find it
            load(want, v, _NEW, self.order, dial >> 8, dial & 255)
            late = (mesh_ms - self.since) & _MASK
            self._start = self.since if want == self.scene and late < self._fade_ms else mesh_ms
            self._span = 640 if hidden else self._fade_ms
            self._fading = 9
        if not self._fading:
            return
        x = (mesh_ms - self._start) & _MASK
        if x >= _HALF:  # the clock stepped back: the fade begins anew
            self._start = mesh_ms
            x = 0
        x = 4096 if x >= self._span else (x << 12) // self._span
        lerp(v, _CUR, _OLD | _NEW << 8 | _N << 16, x)
        half = x - 2048
        if half >= 0 and not self._turned:
            self._turned = True
            self._turn()
        self._wave = 4096
        if x == 4096:
            self._fading -= 1  # the last rounds let the smoothing run out
        elif not self._still:
            v[_CUR + _WAVE] = v[(_NEW if half >= 0 else _OLD) + _WAVE]
            self._wave = max(0, (abs(half) * 9 >> 2) - 512)

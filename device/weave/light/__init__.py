"""What the thread shows: from heartbeat, affect and the mediated level to the pixels of one strand.

In, every 20 ms tick: `sense` (contact, beats or onset), `affect` (arousal, valence Q12, confidence 0..255), `damp`
(level, own, collective, g, rho Q12, opted_out), the room's clock in ms. Out, every second tick: pixels. See README.md
for what each of them looks like. Motion is a function of the mesh clock and the strand's place, so strands join
in phase; light passes the guard last.
"""

from array import array

from micropython import const

from . import scenes
from .guard import Guard
from .scenes import (
    BASE,
    CALM,
    DARK,
    ECHO,
    ECHOES,
    EVEN,
    FAULT,
    FULL,
    HEARTH,
    IDENTIFY,
    MIX,
    MURMURATION,
    OWN,
    PULSE,
    SCENES,
    STIR,
    TIDE,
    VIGIL,
    WARP,
    WAVE,
    find,
    put,
)

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_FADE_MS = const(3000)
_BEAT_MS = const(500)  # pulses are at least this far apart: 2 Hz
_WAIT_MS = const(100)  # a beat up to this much too early is shown late, an earlier one not at all
_SPEED = const(36)  # mm per 40 ms frame at which a pulse climbs the thread: 0.9 m/s
_CARRY = const(1500)  # mm/s of an echo through the room
_ECHOS = const(3)  # echoes at once
_SET = const(1)  # scene event: 1, id, fade in 0.1 s
_LEAVE = const(2)  # echo event: 2, x, y, z in cm (int16 little endian), ibi in 8 ms, beats


class Site:
    """Where the strand is and what feeds it: first pixel at x, y, z mm, last at + dx, dy, dz; budget in mA."""

    def __init__(self, x=0, y=0, z=0, dx=0, dy=0, dz=1000, budget_ma=500, brightness=255):
        self.x, self.y, self.z = x, y, z
        self.dx, self.dy, self.dz = dx, dy, dz
        self.budget_ma = budget_ma
        self.brightness = brightness  # 0..255, dims every scene


class Light:
    """One strand, alive. Attributes read by others: scene, ma, limited, frames, rejected, event, event_n."""

    def __init__(self, strand, site=None):
        self.guard = Guard(strand, site.budget_ma if site else 500)  # black before anything else
        self.site = site or Site()
        self.order = strand.order
        n = strand.n
        length = int((self.site.dx**2 + self.site.dy**2 + self.site.dz**2) ** 0.5)
        pitch = max(1, length * 16 // max(1, n - 1))  # mm x 16
        self._climb = min(pitch * 16 // _SPEED, 126 * 256 // n)  # ring entries x 256 per pixel
        self._tail = 4096 * 10 // n + 1  # the border between mine and ours is a tenth of the thread wide
        self.scene = HEARTH
        self.since = 0  # mesh ms of the scene's start
        self.frames = 0
        self.rejected = 0
        self.every = 2  # ticks per frame
        self.event = bytearray(16)  # an event this strand wants to send: see README.md
        self.event_n = 0
        self._tick = 0
        self._shown = HEARTH  # scene whose numbers are in guard.new
        self._motion = self._next_motion = SCENES[HEARTH][1]
        self._fading = 0
        self._start = 0
        self._span = _FADE_MS
        self._wave = 4096
        self._pending = -1
        self._at = 0
        self._pending_span = _FADE_MS
        self._only = -1  # a scene for this strand alone
        self._only_until = 0
        self._place = array("i", bytes(4 * 4))  # phase of the first pixel and step per pixel of both waves
        self._rho = 0
        self._c = self._o = 0  # brightness of ours and mine, Q12 x 16
        self._arousal = 0
        self._vivid = 0
        self._tint = 2048 << 4
        self._even = 0
        self._beats = -1
        self._beat = 0  # when the last pulse started
        self._owed = 0
        self._rise = 0
        self._glow = 0
        self._mean = 0  # slow mean of the pulse, Q12 x 64
        self._contact = 0
        self._echo = array("i", bytes(4 * 4 * _ECHOS))  # next mesh ms, ibi ms, beats left, height
        self._slot = 0
        self._rise2 = self._glow2 = 0
        self._height2 = 0
        self._load(HEARTH)
        for i in range(len(self.guard.cur)):
            self.guard.cur[i] = self.guard.old[i] = self.guard.new[i]
        self._stand()
        self.guard.mix()
        self._early = 0
        self._known = False

    # --- scenes
    def set_scene(self, scene, at, fade_ms=_FADE_MS):
        """Cross-fade to a scene id from mesh time `at` on; False, and nothing happens, where there is no such scene."""
        if not 0 <= scene < len(SCENES):
            self.rejected += 1
            return False
        self._pending = scene
        self._at = at & _MASK
        self._pending_span = fade_ms if fade_ms > 400 else 400
        return True

    def show_only(self, scene, now, ms):
        """Show a scene on this strand alone for `ms`, for example IDENTIFY from the console."""
        if 0 <= scene < len(SCENES):
            self._only = scene
            self._only_until = (now + ms) & _MASK

    def on_scene(self, buf, start, n, origin, at):
        """Handler of scene events from the mesh; what it does not understand is counted in `rejected`."""
        if n >= 3 and buf[start] == _SET:
            self.set_scene(buf[start + 1], at, buf[start + 2] * 100)
        elif n >= 9 and buf[start] == _LEAVE:
            self._hear(buf, start, at)
        else:
            self.rejected += 1

    def _load(self, scene):
        """Put a scene's numbers and colours into guard.new."""
        new = self.guard.new
        mix = SCENES[scene][2]
        for i in range(MIX):
            new[i] = mix[i]
        palette = SCENES[scene][3]
        for i in range(6):
            put(palette[i], new, MIX + 4 * i, self.order)
        self._shown = scene

    def _stand(self):
        """Phases of the two waves at the first pixel and per pixel, from the strand's place."""
        m = self._motion
        s = self.site
        p = self._place
        n = self.guard.par[0]
        for w in range(2):
            i = 2 + 3 * w
            p[2 * w] = ((m[i] * s.x + m[i + 1] * s.y + m[i + 2] * s.z) >> 4) & 0xFFFF
            p[2 * w + 1] = (
                (m[i] * s.dx + m[i + 1] * s.dy + m[i + 2] * s.dz) // (16 * max(1, n - 1))
            ) & 0xFFFF

    def _turn(self, scene, start, span):
        """Begin a cross-fade from what is shown now."""
        g = self.guard
        for i in range(len(g.cur)):
            g.old[i] = g.cur[i]
        g.old[WAVE] = g.cur[WAVE] * self._wave >> 12
        self._load(scene)
        self._next_motion = SCENES[scene][1]
        self._start = start
        self._span = span
        self._fading = 1

    def _fade(self, mesh_ms):
        """One step of the cross-fade: all numbers blend; waves die down, change their motion, and rise again."""
        g = self.guard
        x = (mesh_ms - self._start) & _MASK
        if x >= _HALF:
            x = 0
        x = 4096 if x >= self._span else (x << 12) // self._span
        g.par[31] = x
        g.morph()
        if x < 2048 and self._motion is not self._next_motion:
            self._wave = 4096 - 2 * x
            g.cur[WAVE] = g.old[WAVE]
        else:
            if self._motion is not self._next_motion:
                self._motion = self._next_motion
                self._stand()
            g.cur[WAVE] = g.new[WAVE]
            self._wave = 2 * x - 4096 if x > 2048 else 0
        if x == 4096:
            self._wave = 4096
            self._fading = 0

    # --- echoes
    def _leave(self, mesh_ms, ibi):
        """A visitor let go: describe the last beats for the room in `event`."""
        e = self.event
        s = self.site
        e[0] = _LEAVE
        e[1] = (s.x // 10) & 255
        e[2] = (s.x // 10 >> 8) & 255
        e[3] = (s.y // 10) & 255
        e[4] = (s.y // 10 >> 8) & 255
        e[5] = (s.z // 10) & 255
        e[6] = (s.z // 10 >> 8) & 255
        e[7] = max(62, min(ibi, 2000) >> 3)
        e[8] = 8
        self.event_n = 9

    def _hear(self, buf, i, at):
        """Queue the echo of a visitor: beats arrive at this strand as a wave carried through the room."""
        s = self.site
        far = 0
        near = 0
        for k in range(3):
            v = buf[i + 1 + 2 * k] | buf[i + 2 + 2 * k] << 8
            if v > 32767:
                v -= 65536
            d = abs(v * 10 - (s.x if k == 0 else s.y if k == 1 else s.z))
            if d > far:
                near += far
                far = d
            else:
                near += d
        far += near * 3 >> 3  # within 10 % of the distance
        ibi = buf[i + 7] << 3
        if ibi < 496 or buf[i + 8] == 0 or far > 60000:
            self.rejected += 1
            return
        e = self._echo
        k = 4 * self._slot
        self._slot = (self._slot + 1) % _ECHOS
        e[k] = (at + far * 1000 // _CARRY) & _MASK
        e[k + 1] = ibi
        e[k + 2] = min(buf[i + 8], 16)
        e[k + 3] = 4096 * 4000 // (4000 + far)

    def _echoes(self, mesh_ms):
        """Start the echo's pulse when its next beat is due."""
        e = self._echo
        for k in range(0, 4 * _ECHOS, 4):
            if e[k + 2]:
                late = (mesh_ms - e[k]) & _MASK
                if late < _HALF:
                    e[k] = (e[k] + e[k + 1]) & _MASK
                    e[k + 2] -= 1
                    if late < 250:  # a strand that joins late takes up the beat that is due
                        self._rise2 = 4
                        self._height2 = e[k + 3]

    # --- the tick
    def step(self, now, mesh_ms, sense, affect, damp):
        """One tick of 20 ms: prepares on one, renders on the next. `now` and `mesh_ms` wrap at 2**30."""
        self._tick += 1
        if self._tick >= self.every:
            self._tick = 0
            if self.every == 1:
                self._prepare(now, mesh_ms, sense, affect, damp)
            self._render(now, mesh_ms, sense)
        else:
            self._prepare(now, mesh_ms, sense, affect, damp)

    def _prepare(self, now, mesh_ms, sense, affect, damp):
        """What changes slowly: scene, shares, colours."""
        g = self.guard
        par = g.par
        if self._pending >= 0:
            late = (mesh_ms - self._at) & _MASK
            if (
                late < _HALF or late < _MASK - 60000
            ):  # due; or further off than a minute: a clock that stepped
                self.scene = self._pending
                self._pending = -1
                self.since = self._at
        if self._only >= 0 and ((now - self._only_until) & _MASK) < _HALF:
            self._only = -1
        want = self._only
        if want < 0:
            want = VIGIL if damp.opted_out and self.scene != FAULT else self.scene
        if want != self._shown:
            start = mesh_ms
            if want == self.scene and ((mesh_ms - self.since) & _MASK) < self._pending_span:
                start = self.since
            self._turn(want, start, self._pending_span)
        if self._fading:
            self._fade(mesh_ms)
        cur = g.cur
        # shares of the thread
        contact = 1 if sense.contact and not damp.opted_out else 0
        if self._contact and not contact and not damp.opted_out and not sense.contact:
            self._leave(mesh_ms, self._ibi)
        self._contact = contact
        rho = damp.rho * cur[OWN] >> 12 if contact else 0
        d = rho - self._rho
        if d > 100:
            d = 100
        elif d < -100:
            d = -100
        if g.limited < 2 or d < 0:
            self._rho += d
        rho = self._rho
        level = damp.level
        own = damp.own
        if rho * own > level << 12:
            own = (level << 12) // rho
        ours = level
        if rho < 4096:
            ours = ((level << 12) - rho * own) // (4096 - rho)
            if ours > 4096:
                ours = 4096
                if rho:
                    own = ((level << 12) - ((4096 - rho) << 12)) // rho
        self._c += ((ours << 4) - self._c) >> 3
        self._o += ((own << 4) - self._o) >> 3
        dark = cur[DARK]
        span = cur[FULL] - dark
        ours = dark + (span * (self._c >> 4) >> 12)
        own = dark + (span * (self._o >> 4) >> 12)
        # the pulse's own light is taken from the ground, so that the mean stays the level's
        spent = self._mean >> 6
        ours -= spent if spent < ours >> 1 else ours >> 1
        own -= spent if spent < own >> 1 else own >> 1
        # the wave's mean now, or its mean over time: a scene says which
        wave = cur[WAVE] * self._wave >> 12
        arousal = affect.arousal if contact else damp.collective
        self._arousal += (arousal - self._arousal) >> 4
        arousal = self._arousal
        wave = wave * (4096 - (damp.g * 5 >> 3)) >> 12  # damping is a hand laid on the water
        base = cur[BASE] + ((cur[WAVE] - wave) >> 1)
        quick = cur[CALM] + ((cur[STIR] - cur[CALM]) * arousal >> 12)
        a2 = wave * quick >> 12
        a1 = wave - a2
        m = base + (wave >> 1)
        s2 = ((a1 * a1 + a2 * a2) >> 12) * 497 >> 12
        m2 = m * m >> 12
        usual = (m2 + s2 + (m * m2 >> 12) + (3 * m * s2 >> 12)) >> 1
        self._even += ((g.shape << 4) - self._even) >> 2
        mean = (usual * (4096 - cur[EVEN]) + (self._even >> 4) * cur[EVEN]) >> 12
        if mean < 200:
            mean = 200
        scale = g.dim * self.site.brightness // 255
        scale = (scale << 12) // mean
        par[6] = a1
        par[7] = a2
        par[8] = base << 14
        quiet = affect.valence
        par[9] = cur[WARP] + ((arousal * -quiet >> 12 if quiet < 0 and contact else 0) << 1)
        par[12] = ours * scale >> 12
        par[13] = own * scale >> 12
        # mine ends where rho of the thread ends; the border is soft
        n = par[0]
        par[11] = self._tail
        par[10] = (rho * n >> 12) * self._tail + 2048 if rho > 40 else 0
        if rho >= 4090:
            par[10] = n * self._tail + 4096
        # colours
        par[32] = damp.collective if damp.collective < 4096 else 4096
        v = affect.valence if contact else 0
        self._tint += ((v << 4) - self._tint) >> 5
        v = self._tint >> 4
        par[34] = 8 if v < 0 else 16
        par[33] = -v if v < 0 else v
        vivid = affect.confidence * (2600 + (arousal * 3 >> 3)) >> 8
        self._vivid += ((vivid << 4) - self._vivid) >> 5
        par[35] = self._vivid >> 4
        g.mix()

    _ibi = 1000

    def _render(self, now, mesh_ms, sense):
        g = self.guard
        par = g.par
        cur = g.cur
        # the heart
        if not self._known:
            self._known = True
            self._early = hasattr(sense, "onset")
            self._beats = sense.onset if self._early else sense.beats
        count = sense.onset if self._early else sense.beats
        since = (now - self._beat) & _MASK
        if count != self._beats:
            self._beats = count
            if since >= _BEAT_MS - _WAIT_MS:
                self._owed = 1
        if self._owed and since >= _BEAT_MS:
            self._owed = 0
            self._beat = now
            if self._contact:
                if since < 2000:
                    self._ibi = since
                self._rise = 4
        glow = self._glow
        if self._rise:
            self._rise -= 1
            glow += (4096 - glow) * 3 >> 3
        else:
            glow -= (glow + 7) >> 3
        self._glow = glow
        height = cur[PULSE]
        height = (height >> 1) + (height * (self._o >> 4) >> 13)
        glow = height * glow >> 12
        self._echoes(mesh_ms)
        if self._rise2 or self._glow2:
            if self._rise2:
                self._rise2 -= 1
                self._glow2 += (4096 - self._glow2) >> 2
            else:
                self._glow2 -= (self._glow2 + 15) >> 4
            glow += (cur[ECHOES] * self._height2 >> 12) * self._glow2 >> 12
        if glow > 1150:
            glow = 1150
        glow = glow * g.dim >> 12
        self._mean += (glow - (self._mean >> 6)) if glow << 6 > self._mean else -((self._mean >> 6) - glow)
        head = (self.frames + 1) & 127
        g.ring[head] = glow
        par[14] = (head << 8) + 128 * 256
        par[15] = self._climb
        # the waves, from the room's clock
        m = self._motion
        p = self._place
        t = m[0]
        par[2] = (p[0] + 65536 - (((mesh_ms % t) << 14) // t << 2)) & 0xFFFF
        par[3] = p[1]
        t = m[1]
        par[4] = (p[2] + 65536 - (((mesh_ms % t) << 14) // t << 2)) & 0xFFFF
        par[5] = p[3]
        g.show(now)
        self.frames = (self.frames + 1) & _MASK
        self.ma = g.ma
        self.limited = g.limited

"""The last stage before the strip: eyes and amperes. Nothing else writes the strand.

In: `par[2..15]`, the shape of the frame, and the palette in `cur`. Out: the strand's bytes, `ma`, `limited`.

Eyes, in `kernel.frame` per pixel and here for the strand's mean: full light is 0.30 of white; a full swing
takes 640 ms at least; turning points of 10 % of white are 400 ms apart at least. As every pixel's slope is
bounded, a change of 10 % takes 213 ms in any average over any pixels of any strands: two flashes a second in
the room at most, whatever the scenes do, clock or no clock. Nothing here can be configured but the budget.

Amperes: ma = n + sum of channels * 20/255 (WS2812B, SK6812 white included). Each frame may rise only as far as
the budget has room for, and colours wait for it, so the budget is never passed; before that happens, above
15/16 of it the whole picture is dimmed slowly (`dim`, Q12), and above 3/4 `limited` says so.
"""

from array import array

from micropython import const

try:
    from .kernel_viper import blend, colours, frame
except (ImportError, SyntaxError):  # no viper on this port
    from .kernel import blend, colours, frame

from . import scenes, tables

_CORRIDOR = const(1228)
_HOLD_MS = const(400)
_FRAME_MS = const(40)  # a frame that comes later than this slews no further: dropped frames cost time only
_MASK = const(0x3FFFFFFF)


class Guard:
    """A strand with its safety state; `strand` as in weave/README.md, `budget_ma` what its supply can give."""

    def __init__(self, strand, budget_ma):
        n = strand.n
        self.strand = strand
        self.budget = budget_ma
        self.out = strand.buf
        for i in range(len(self.out)):
            self.out[i] = 0
        strand.show()
        self.par = array("i", bytes(4 * 44))
        self.y = array("H", bytes(2 * n))
        self.lo = array("H", bytes(2 * n))
        self.hold = bytearray(n)
        for i in range(n):
            self.hold[i] = 228  # black counts as a fall: the first rise is small for 400 ms
        self.sine = tables.SINE
        self.gamma = tables.GAMMA
        self.ring = array("H", bytes(2 * 128))
        size = scenes.MIX + scenes.COLOURS
        self.old = array("i", bytes(4 * size))
        self.new = array("i", bytes(4 * size))
        self.cur = array("i", bytes(4 * size))
        self.par[0] = n
        self.par[1] = 1 if strand.channels == 4 else 0
        self.par[39] = size
        self.par[40] = scenes.MIX
        self.par[38] = max(0, budget_ma - n) * 255 // (5 * n) << 12
        self._last = 0
        self._lo = 0  # the corridor of the sum of y
        self._rose = 0  # ms until it may fall at its edge
        self._fell = _HOLD_MS
        self._peak = n
        self._low_side = 0
        self.sum = 0
        self.shape = 0  # mean of the wave's shape in the last frame, Q12
        self.dim = 4096
        self.ma = n
        self.limited = 0  # 1: above 3/4 of the budget, 2: dimmed by it

    def mix(self):
        """Mix the frame's colours (`kernel.colours`)."""
        colours(self)

    def morph(self):
        """Cross-fade the scene's numbers by par[31] (`kernel.blend`)."""
        blend(self)

    def show(self, now):
        """Render one frame and send it; `now` in ms."""
        par = self.par
        n = par[0]
        dt = (now - self._last) & _MASK
        if dt > _FRAME_MS:  # also a clock that jumped, in whichever direction
            dt = _FRAME_MS
        self._last = now
        # how far may light rise and fall in this frame?
        up = down = dt * 32 // 5
        low = self._lo
        if self._rose > dt:
            self._rose -= dt
            room = (self.sum - low) // n
            if room < down:
                down = room
        else:
            self._rose = 0
        if self._fell > dt:
            self._fell -= dt
            room = (low + _CORRIDOR * n - self.sum) // n
            if room < up:
                up = room
        else:
            self._fell = 0
        most = par[36]
        if par[37] > most:
            most = par[37]
        room = self.budget - self.ma
        if room < 0:
            room = 0
        room = room * 4096 // (n * most * 5 // 255 + 1)
        if room < up:
            up = room
            self.limited = 2
        par[16] = up
        par[17] = down
        par[18] = dt >> 2
        par[19] = (par[19] + 648056) & 1048575  # golden ratio x 2**20: the evenest sequence there is
        frame(self)
        # the strand's own corridor
        light = par[29]
        if light < low:
            self._lo = light
            self._fell = _HOLD_MS
        elif light > low + _CORRIDOR * n:
            self._lo = light - _CORRIDOR * n
            self._rose = _HOLD_MS
        self.sum = light
        self.shape = par[28] // n
        # current
        mine = par[30] // n
        par[42] = mine
        par[41] = rest = light // n - mine + 1
        self.ma = ma = n + n * ((rest * par[36] + mine * par[37]) >> 12) * 5 // 255
        self.strand.show()
        peak = self._peak
        peak -= (peak >> 6) + 1
        if ma > peak:
            peak = ma
        self._peak = peak
        budget = self.budget
        if peak << 4 > budget * 15:
            self.dim -= self.dim >> 6
            self.limited = 2
        elif peak << 3 < budget * 7 and self.dim < 4096:
            self.dim += 4
        else:
            self.limited = 2 if self.dim < 4096 else 1 if peak << 2 > budget * 3 else 0

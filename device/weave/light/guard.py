"""The last stage before the strip: eyes and amperes. Nothing else writes the strand.

In: `v[2..15]`, the shape of the frame, and two colours in `v[20..27]`. Out: the strand's bytes, `ma`, `limited`.

Eyes, in `kernel.frame` per pixel and here for the strand's mean: full light is 0.30 of white; a full swing
takes 640 ms at least; turning points of 10 % of white are 400 ms apart at least. As every pixel's slope is
bounded, a change of 10 % takes 213 ms in any average over any pixels of any strands: two and a half flashes a second
in the room at most, whatever the scenes do, clock or no clock. Nothing here can be configured but the budget.

Amperes: ma = n + sum of channels * 20/255 (WS2812B, SK6812 white included). Each frame may rise only as far as
the budget has room for, and colours wait for it, so the budget is not passed; before that happens, above
15/16 of it, the whole picture is dimmed slowly (`dim`, Q12), and above 3/4 `limited` says so.
"""

from array import array

from .kernel import frame, lerp
from .scenes import GAMMA, LUMINANCE, SINE

_CORRIDOR = const(1228)  # as in the kernel
_NEAR = const(110)
_HOLD_MS = const(400)
_FRAME_MS = const(40)  # a frame that comes later than this slews no further: dropped frames cost time only
_MASK = const(0x3FFFFFFF)
_NEXT = const(137)  # the two colours that wait for their turn, in v
_SIZE = const(156)
_ASKEW = const(50000)  # 1 % of LUMINANCE x 256


class Guard:
    """A strand with its safety state; `strand` as in weave/README.md, `budget_ma` what its supply can give."""

    def __init__(self, strand, budget_ma):
        self.strand = strand
        self.budget = budget_ma
        self.out = strand.buf
        n = min(
            strand.n, len(self.out) // strand.channels
        )  # machine code would write beyond a buffer that is too short
        for i in range(len(self.out)):
            self.out[i] = 0
        strand.show()
        self.v = array("i", bytes(4 * _SIZE))
        self.y = array("H", bytes(2 * n))
        self.lo = array("H", bytes(2 * n))
        self.hold = bytearray(b"\xe4" * n)  # black counts as a fall: the first rise is small for 400 ms
        self.red = strand.order[0]
        self.white = strand.order[3] if strand.channels == 4 else 3
        self.weight = array("i", (0, 0, 0, 0))  # relative luminance x 256 in wire order
        for i in range(strand.channels):
            self.weight[strand.order[i]] = (54, 183, 19, 256)[i]
        self.sine = SINE
        self.gamma = GAMMA
        self.ring = array("H", bytes(2 * 128))
        self.v[0] = n
        self.v[1] = 1 if strand.channels == 4 else 0
        self._last = 0
        self._lo = 0  # the corridor of the sum of y
        self._rose = 0  # ms until it may fall at its edge
        self._fell = _HOLD_MS
        self._peak = n
        self.dim = 4096
        self.ma = n
        self.limited = 0  # 1: above 3/4 of the budget, 2: dimmed by it

    def colour(self):
        """Take the two colours from v[137..144]; not if their luminance is wrong, their red saturated, the budget short."""
        v = self.v
        weight = self.weight
        led = self.ma - v[0]
        room = self.budget - v[0]
        for i in range(0, 8, 4):
            old = v[20 + i] + v[21 + i] + v[22 + i] + v[23 + i]
            new = y = 0
            for k in range(4):
                c = v[_NEXT + i + k]
                new += c
                y += c * weight[k]
            y -= LUMINANCE << 8
            if (
                y > _ASKEW
                or y < -_ASKEW
                or v[_NEXT + i + self.red] * 4 > (new - v[_NEXT + i + self.white]) * 3
            ):
                return
            if new > old and led * (new >> 8) > room * (old >> 8):
                return
        lerp(v, 20, _NEXT | _NEXT << 8 | 8 << 16, 0)

    def power(self):
        """Dim slowly where the current's peak comes near the budget, and slowly come back."""
        peak = self._peak
        peak -= (peak >> 4) + 1
        if self.ma > peak:
            peak = self.ma
        self._peak = peak
        budget = self.budget
        peak <<= 4
        if peak > budget * 15:
            self.dim -= self.dim >> 4
            self.limited = 2
            return
        if self.dim < 4096:
            self.limited = 2
            if peak < budget * 14:
                self.dim = min(4096, self.dim + (48 if peak < budget * 11 else 6))
        else:
            self.limited = 1 if peak > budget * 12 else 0

    def show(self, now: int) -> None:
        """Render one frame and send it; `now` in ms."""
        v = self.v
        n: int = v[0]
        dt = (now - self._last) & _MASK
        if dt > _FRAME_MS:  # also a clock that jumped, in whichever direction
            dt = _FRAME_MS
        self._last = now
        # how far may light rise and fall in this frame?
        up = down = (dt << 5) // 5
        low: int = self._lo
        if self._rose:
            self._rose -= dt
            if self._rose > 0:
                room: int = max(0, (v[29] - low) // n - _NEAR)
                if room < down:
                    down = room
            else:
                self._rose = 0
        if self._fell:
            self._fell -= dt
            if self._fell > 0:
                room = max(0, (low - v[29]) // n + _CORRIDOR - _NEAR)
                if room < up:
                    up = room
            else:
                self._fell = 0
        room = self.budget - self.ma
        # whose pixel it is changes its colour at once, and what that draws: a sixteenth of the thread in a frame at most
        way = v[155] - v[11]
        if way and room > 0:
            most: int = min(n << 7, 1792)
            v[11] += max(-most, min(most, way))
        if (
            room < n * 3
        ):  # a pixel of the worst colour at full light draws 41 mA: 2.6 mA more in a frame at most
            room = room * 99 // n if room > 0 else 0
            if room < up:
                up = room
        v[16] = up
        v[17] = down
        v[18] = dt >> 2
        frame(self)
        self.strand.show()
        # the strand's own corridor
        light = v[29] - low
        if light < _NEAR * n:
            if not self._rose:
                self._fell = _HOLD_MS
            if light < 0:
                self._lo = low + light
        elif light > (_CORRIDOR - _NEAR) * n:
            if not self._fell:
                self._rose = _HOLD_MS
            if light > _CORRIDOR * n:
                self._lo = low + light - _CORRIDOR * n
        self.ma = n + v[30] * 5 // 255

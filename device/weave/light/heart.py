"""The pulse that climbs the thread: the visitor's own beats, and the echoes of those who have left.

In: counted upslopes of the pulse, mesh time, echo events. Out: one number a frame for the ring that the kernel scrolls
along the strand, Q12 of full light; the last beats of a visitor who lets go, as an event for the room. Its height stays
below the guard's corridor, so a heart of 2 Hz passes whole.
"""

from array import array
from struct import pack_into

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
_APART_MS = const(500)  # between pulses: 2 Hz
_WAIT_MS = const(100)  # a beat that is this much too early is shown late, an earlier one not at all
_MOST = const(1150)  # below the corridor of 1228
_CARRY = const(1500)  # mm/s at which an echo travels through the room
_QUEUE = const(3)  # visitors whose echoes are under way at once
_FAR = const(60000)  # mm beyond which an echo is not heard


class Heart:
    """Beats in, `mean` (slow mean of the pulse, Q12 x 64), ring entries and `event` (see README.md) out."""

    def __init__(self, site):
        self._site = site
        self.event = bytearray(9)
        self.ibi = 0  # between the last two pulses shown, ms; 0: there were none
        self.mean = self.beat = 0  # beat: of it, what is the visitor's own
        self._beats = -1
        self._at = 0  # when the last pulse began
        self._owed = False
        self._rise = 0  # frames that the pulse goes on rising
        self._glow = 0
        self._rise2 = 0  # the same for echoes
        self._glow2 = 0
        self._height = 0
        self._echo = array(
            "i", bytes(16 * _QUEUE)
        )  # next beat (mesh ms), interval ms, beats left, height Q12
        self._slot = 0
        self._echoing = 0

    def step(self, now: int, mesh_ms, beats: int, own: int, echo: int) -> int:
        """This frame's pulse, Q12; `own` and `echo` are the heights of a whole pulse."""
        since = (now - self._at) & _MASK
        if beats != self._beats:
            if since >= _APART_MS - _WAIT_MS and self._beats >= 0:
                self._owed = True
            self._beats = beats
        glow: int = self._glow
        if self._owed and since >= _APART_MS:
            self._owed = False
            self._at = now
            self.ibi = since if since < 2000 else 1000
            self._rise = 4
        if self._rise:  # 160 ms up, then down to a third in 320 ms
            self._rise -= 1
            glow += (4096 - glow) * 3 >> 3
        elif glow:
            glow -= (glow + 7) >> 3
        self._glow = glow
        glow = glow * own >> 12
        mean: int = self.beat
        self.beat = mean + glow - (mean >> 6)
        if self._echoing:
            glow += self._echoes(mesh_ms) * echo >> 12
            if glow > _MOST:
                glow = _MOST
        mean = self.mean
        self.mean = mean + glow - (mean >> 6)
        return glow

    def _echoes(self, mesh_ms):
        e = self._echo
        busy = 0
        for k in range(0, 4 * _QUEUE, 4):
            if e[k + 2]:
                busy = 1
                late = (mesh_ms - e[k]) & _MASK
                if late < _HALF:
                    e[k] = (e[k] - _HALF + e[k + 1] - _HALF) & _MASK  # a sum of two could pass 30 bits
                    e[k + 2] -= 1
                    if late < 250:  # a strand that joins late takes up the beat that is due now
                        self._rise2 = 5
                        self._height = e[k + 3]
        glow = self._glow2
        if self._rise2:
            self._rise2 -= 1
            glow += (self._height - glow) >> 2
        else:
            glow -= (glow + 15) >> 4
        self._glow2 = glow
        if glow == 0 and not busy:
            self._echoing = 0
        return glow

    def leave(self, mesh_ms):
        """The visitor let go: the last beats, for this strand and in `event` for the room. Bytes of the event, 0: none."""
        if not self.ibi:
            return 0
        e = self.event
        s = self._site
        pack_into(
            "<BHHHBB", e, 0, 0x80, s.x // 10 & 65535, s.y // 10 & 65535, s.z // 10 & 65535, self.ibi >> 3, 8
        )
        self.hear(e, 0, mesh_ms)
        return 9

    def hear(self, buf, i, at):
        """Queue the beats of a visitor who let go (payload at buf[i], see README.md); False where it makes no sense."""
        site = self._site
        ibi = buf[i + 7] << 3
        far = near = 0
        for k in range(3):
            v = buf[i + 1 + 2 * k] | buf[i + 2 + 2 * k] << 8
            d = ((v ^ 32768) - 32768) * 10 - (site.x if k == 0 else site.y if k == 1 else site.z)
            if d < 0:
                d = -d
            if d > far:
                near += far
                far = d
            else:
                near += d
        far += near * 3 >> 3  # within 10 % of the distance
        if ibi < _APART_MS - 8 or not 0 < buf[i + 8] <= 16 or far > _FAR:
            return False
        e = self._echo
        k = 4 * self._slot
        self._slot = (self._slot + 1) % _QUEUE
        e[k] = (at - _HALF + far * 1000 // _CARRY - _HALF) & _MASK
        e[k + 1] = ibi
        e[k + 2] = buf[i + 8]
        e[k + 3] = 4096 * 4000 // (4000 + far)
        self._echoing = 1
        return True

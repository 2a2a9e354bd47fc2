"""A MAX30102 at the register level (Maxim 19-7740): FIFO, pointers, overflow counter, averaging, mode, part id.

In: 18-bit counts at 100 Hz from the host, pushed once per tick. What the device code reads over I2C is what the
chip would put on the bus, three bytes a sample.
"""

from virtual import bus

ADDRESS = 0x57


class Max30102Chip:
    """The chip on a virtual board. Faults: `absent` answers nothing, `stalled` shows no new
    samples until its FIFO has run over (a reader that comes too late), `rate_q8` 256 = nominal sample clock."""

    def __init__(self, slot):
        self._base = slot * 10
        self.absent = False
        self.stalled = False
        self.rate_q8 = 256
        self._ring = [0] * 32
        self._registers = bytearray(256)
        self._registers[0xFF] = 0x15
        self._wr = self._rd = self._count = self._lost = 0
        self._clock = 0
        self._sum = self._summed = 0

    def advance(self):
        """One tick of 20 ms: take the samples whose time has come (outside the node's tick)."""
        r = self._registers
        if r[0x09] & 7 not in (2, 3, 7):
            return  # shut down: the chip measures nothing
        average = 1 << min(5, r[0x08] >> 5)
        self._clock += 2 * self.rate_q8
        n = self._clock >> 8
        self._clock &= 255
        start = self._base + bus.phase
        for k in range(n):
            self._sum += bus.pulse[start + min(k, 1)]
            self._summed += 1
            if self._summed == average:
                self._push(self._sum // average)
                self._sum = self._summed = 0

    def _push(self, value):
        if self._count == 32:
            self._lost = min(31, self._lost + 1)
            if not self._registers[0x08] & 0x10:
                return  # no roll-over: the new sample is lost
            self._rd = (self._rd + 1) & 31
            self._count -= 1
        self._ring[self._wr] = min(value, 262143)
        self._wr = (self._wr + 1) & 31
        self._count += 1

    def read(self, register, buf):
        """I2C read of len(buf) bytes from `register` on."""
        if register == 0x07:
            for i in range(0, len(buf) - 2, 3):
                v = self._ring[self._rd]
                if self._count:
                    self._rd = (self._rd + 1) & 31
                    self._count -= 1
                buf[i] = v >> 16
                buf[i + 1] = v >> 8 & 255
                buf[i + 2] = v & 255
            self._lost = 0  # reading data clears the overflow counter
            return
        if register == 0x04 and len(buf) == 3 and not self.stalled:  # what a driver asks all the time
            buf[0] = self._wr
            buf[1] = self._lost
            buf[2] = self._rd
            return
        for i in range(len(buf)):
            at = register + i & 255
            if self.stalled and self._lost < 8:
                buf[i] = (
                    self._rd
                    if at == 0x04
                    else 0
                    if at == 0x05
                    else self._rd
                    if at == 0x06
                    else self._registers[at]
                )
            elif at == 0x04:
                buf[i] = self._wr
            elif at == 0x05:
                buf[i] = self._lost
            elif at == 0x06:
                buf[i] = self._rd
            else:
                buf[i] = self._registers[at]

    def write(self, register, buf):
        """I2C write of `buf` from `register` on."""
        for i in range(len(buf)):
            at = register + i & 255
            v = buf[i]
            if at == 0x04:
                self._wr = v & 31
            elif at == 0x05:
                self._lost = v & 31
            elif at == 0x06:
                self._rd = v & 31
            elif at == 0x09 and v & 0x40:
                for k in range(0x0A, 0x20):
                    self._registers[k] = 0
                self._wr = self._rd = self._count = self._lost = self._sum = self._summed = 0
                self._registers[0x08] = self._registers[0x09] = 0
            elif at != 0xFF:
                self._registers[at] = v
            if at in (0x04, 0x06):
                self._count = (self._wr - self._rd) & 31

"""`neopixel` for virtual boards: the buffer is this board's part of the room's pixels."""

from virtual import bus


class NeoPixel:
    ORDER = (1, 0, 2, 3)

    def __init__(self, pin, n, bpp=3, timing=1):
        board = bus.board
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.timing = timing
        self._slot = board.slot
        self.buf = memoryview(bus.pixels)[board.pixel_start : board.pixel_start + n * bpp]

    def __len__(self):
        return self.n

    def __setitem__(self, i, v):
        for k in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[k]] = v[k]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[k]] for k in range(self.bpp))

    def fill(self, v):
        for i in range(self.n):
            self[i] = v

    def write(self):
        bus.dirty[self._slot] = 1
        bus.shown = 1

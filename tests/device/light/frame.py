"""What the kernel works on: the arrays of a strand of `n` pixels."""

from array import array

from weave.light.scenes import GAMMA, SINE


class Frame:
    def __init__(self, n, channels):
        self.out = bytearray(n * channels)
        self.v = array("i", bytes(4 * 156))
        self.y = array("H", bytes(2 * n))
        self.lo = array("H", bytes(2 * n))
        self.hold = bytearray(n)
        self.ring = array("H", bytes(256))
        self.sine, self.gamma = SINE, GAMMA
        self.v[0], self.v[1] = n, channels == 4

"""Runs under MicroPython, for the device's own Light: a strand without wires, a clock, a visitor who stands still."""


def clock(now):
    """The room's time: the strand's own."""
    return now


class Strand:
    """`n` RGB pixels (interface as in weave/README.md); `order`: the offsets of r, g, b."""

    channels = 3

    def __init__(self, n, order=(0, 1, 2)):
        self.n = n
        self.order = order
        self.buf = bytearray(3 * n)

    def show(self):
        """Nobody looks."""


class Still:
    """Stands in for sense, affect and damp with everything at one level (attributes as in weave/README.md)."""

    def __init__(self, level):
        self.contact = 1
        self.quality = self.confidence = self.fast_confidence = 255
        self.valence_confidence = 0
        self.beats = self.onset = self.beat_ms = 0
        self.hr_q4 = 70 * 16
        self.rmssd_q4 = 40 * 16
        self.ibi_q4 = 857 * 16
        self.gap = self.faults = 0
        self.arousal = self.fast = self.level = self.own = self.collective = level
        self.valence = self.g = self.guide = self.opted_out = self.contagion = 0
        self.growth = self.synchrony = self.spread = 0
        self.rho = 1024
        self.ratio_q8 = 256
        self.visitor = 1

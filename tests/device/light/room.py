"""A strand, a visitor and a damping state whose attributes tests set by hand."""


class Strand:
    def __init__(self, n, channels=3):
        self.n, self.channels = n, channels
        self.order = (1, 0, 2, 3)[:channels]
        self.buf = bytearray(n * channels)
        self.shown = 0

    def show(self):
        self.shown += 1


class Sense:
    contact = 0
    quality = 255
    onset = 0


class Affect:
    arousal = fast = 0
    valence = 0
    confidence = 255


class Damp:
    level = own = collective = g = 0
    rho = 1024
    opted_out = guide = 0


class Room:
    """One Light on its strand; run(ms) ticks it every 20 ms with a heart of `bpm`."""

    def __init__(self, n=60, channels=3, site=None, strand=None):
        from weave.light import Light

        self.strand = strand or Strand(n, channels)
        self.light = Light(self.strand, site)
        self.sense, self.affect, self.damp = Sense(), Affect(), Damp()
        self.now = 1000
        self.mesh = 50000
        self.bpm = 0
        self.to_beat = 0

    def tick(self):
        self.now = (self.now - 0x3FFFFFEC) & 0x3FFFFFFF
        self.mesh = (self.mesh - 0x3FFFFFEC) & 0x3FFFFFFF
        self.to_beat -= 20
        if self.bpm and self.to_beat <= 0:
            self.sense.onset = (self.sense.onset + 1) & 0xFFFF
            self.to_beat = 60000 // self.bpm
        self.light.step(self.now, self.mesh, self.sense, self.affect, self.damp)

    def run(self, ms):
        for _ in range(ms // 20):
            self.tick()

    def set(self, level, own=None, rho=1024, g=0, arousal=None, contact=1):
        d = self.damp
        d.level = level
        d.own = level if own is None else own
        d.collective = level
        d.rho, d.g = rho, g
        self.affect.arousal = level if arousal is None else arousal
        self.sense.contact = contact

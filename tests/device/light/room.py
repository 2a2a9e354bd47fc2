"""A strand, a visitor and a damping state whose attributes tests set by hand; how its light is looked at."""

from weave.light import Light, Site
from weave.light.scenes import find

BIG = 20000  # mA: no limit

HEARTH, TIDE, MURMURATION, ECHO = range(4)


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
        self.strand = strand or Strand(n, channels)
        self.light = Light(self.strand, site)
        self.sense, self.affect, self.damp = Sense(), Affect(), Damp()
        self.now = 1000
        self.mesh = 50000
        self.clock = lambda now: self.mesh  # made once: a tick allocates nothing
        self.bpm = 0
        self.to_beat = 0

    def tick(self):
        self.now = (self.now - 0x3FFFFFEC) & 0x3FFFFFFF
        self.mesh = (self.mesh - 0x3FFFFFEC) & 0x3FFFFFFF
        self.to_beat -= 20
        if self.bpm and self.to_beat <= 0:
            self.sense.onset = (self.sense.onset + 1) & 0xFFFF
            self.to_beat = 60000 // self.bpm
        self.light.step(self.now, self.clock, self.sense, self.affect, self.damp)

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


def scene_payload(name, fade_ms=3000, brightness=255, vigour=255):
    """A scene event: id, fade in 0.1 s, brightness and swing of the waves (0..255)."""
    return bytes((find(name), min(255, max(4, fade_ms // 100)), brightness, vigour))


def room(scene="hearth", n=60, channels=3, **site):
    return Room(n, channels, Site(budget_ma=site.pop("budget_ma", BIG), scene=scene, **site))


def light(r, first=0, last=None):
    """Mean of the pixels' light over 1 s, Q12."""
    last = last or r.strand.n
    total = 0
    for _ in range(25):
        r.run(40)
        total += sum(r.light.guard.y[i] for i in range(first, last))
    return total // (25 * (last - first))


def colour(r, i):
    """r, g, b of a pixel in parts of 1000, over a second."""
    s = [0, 0, 0]
    c = r.strand.channels
    for _ in range(25):
        r.run(40)
        for k in range(3):
            s[k] += r.strand.buf[c * i + r.strand.order[k]]
    whole = max(1, sum(s))
    return [v * 1000 // whole for v in s]

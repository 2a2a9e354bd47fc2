"""Whatever a 12-bit or 18-bit converter can say: no byte of heap, no value past 31 bits, nothing out of range.

On the 32-bit port a value of 2**30 or more is a heap object, so the lock proves the bounds too.
"""

from array import array
from time import ticks_add

from heap import locked
from weave.affect import Affect
from weave.sense import Sense

TICKS = 3000  # one minute
PATTERNS = 10


class Wild:
    """A sensor of `full` scale that says whatever pattern `kind` says; seeded, integers only."""

    fault = 0
    rate_mhz = 50000
    oversample = 11

    def __init__(self, kind, full, pulsatile, seed, scale=1):
        self.kind, self.full, self.pulsatile, self.seed, self.scale = kind, full, pulsatile, seed, scale
        self.contact_min, self.contact_max = 0, full
        self.samples = array("i", [0] * 32)
        self.n = 0
        self.level = full >> 1

    def poll(self, now):
        self.n = n = (self.n + 1) & 0xFFFF
        self.seed = seed = (self.seed * 16807 + 12345) & 0x7FFF  # 32767 * 16807 < 2**30
        full = self.full
        kind = self.kind
        if kind == 0:
            x = full if n & 1 else 0  # the fastest swing
        elif kind == 1:
            x = full if n % 40 < 4 else 0  # needles
        elif kind == 2:
            x = full if n % 50 < 25 else 0  # square
        elif kind == 3:
            x = (full * seed) >> 15 if full < 8192 else (full >> 8) * (seed >> 7)  # noise
        elif kind == 4:
            x = (n * (full >> 6)) % full  # saw
        elif kind == 5:
            x = full
        elif kind == 6:
            x = 0
        elif kind == 7:  # a walk between the rails
            self.level += (seed & 255) * (full >> 11) - (full >> 4)
            self.level = x = 0 if self.level < 0 else full if self.level > full else self.level
        elif kind == 8:  # a regular beat of full scale over noise
            x = (full if n % 37 < 6 else 0) if seed & 7 else (seed * (full >> 12)) >> 3
        else:  # silence, then a jolt
            x = full if n % 700 == 0 else 100 + (seed & 3)
        x = 0 if x < 0 else full if x > full else x
        self.samples[0] = x * self.scale
        return 1


def minute(full, pulsatile, kind, seed):
    """One minute of pattern `kind` on the pulse and of another on the skin, under the lock."""
    skin = Wild((kind * 3 + seed) % PATTERNS, 4095, True, seed + 7, 11)
    sense = Sense(Wild(kind, full, pulsatile, seed + 1), skin, 32760 if seed & 1 else 16384)
    affect = Affect(sense)
    locked(minute_of, sense, affect)
    return sense, affect


def minute_of(sense, affect):
    now = 0x3FFFFFFF - 20000  # the clock wraps within the run
    for _ in range(TICKS):
        now = ticks_add(now, 20)
        sense.step(now)
        affect.step(now)
        if not (0 <= sense.quality <= 255 and 0 <= sense.ibi_q4 <= 50000 and 0 <= sense.hr_q4 <= 3200):
            raise ValueError("sense")
        if not (0 <= sense.g_ns <= 60000 and 0 <= sense.scl_ns <= 60000 and 0 <= sense.scr_ns <= 60000):
            raise ValueError("skin")
        if not (0 <= affect.arousal <= 4096 and 0 <= affect.fast <= 4096 and -1024 <= affect.valence <= 1024):
            raise ValueError("affect")
        if not (0 <= affect.confidence <= 255 and 0 <= affect.fast_confidence <= 255):
            raise ValueError("confidence")
        if not (0 <= affect.valence_confidence <= 64 and 0 <= affect.visitor <= 0xFFFF):
            raise ValueError("valence")


def test_twelve_bits_of_anything():
    for seed in range(2):
        for kind in range(PATTERNS):
            minute(4095, True, kind, seed)


def test_eighteen_bits_of_anything():
    for seed in range(2):
        for kind in range(PATTERNS):
            minute(262143, False, kind, seed)


def test_nothing_regular_is_trusted():
    for kind in (0, 3, 5, 6, 7, 9):
        sense, _ = minute(4095, True, kind, 3)
        assert sense.quality < 128, (kind, sense.quality)

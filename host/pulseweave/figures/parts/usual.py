"""The hearth scene the usual way: `neopixel`, floats, one tuple a pixel. For comparison only; no limiter, budget or dither.

Runs under MicroPython (timed) and CPython (counted). In: ms of the room's clock and of the last beat, level, share, arousal.
"""

from math import cos, exp, pi

GROUND_CALM, GROUND_STIRRED, OWN, WARM = (0, 124, 170), (112, 70, 255), (255, 74, 120), (255, 118, 22)
FULL = 0.45
DARK = 0.08
LENGTH_M = 1.0
CLIMB_M_S = 0.9


class Hearth:
    """One strand; `pixels` is a NeoPixel."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.n = pixels.n

    def frame(self, now_ms, beat_ms, level, share, arousal, valence):
        t = now_ms / 1000
        quick = 0.12 + 0.6 * arousal
        ground = mix(GROUND_CALM, GROUND_STIRRED, level)
        own = mix(OWN, WARM, valence)
        bright = DARK + (FULL - DARK) * level
        for i in range(self.n):
            z = i / self.n * LENGTH_M
            slow = 0.5 - 0.5 * cos(2 * pi * (t / 16 - 1.4 * z))
            fast = 0.5 - 0.5 * cos(2 * pi * (t / 6 - 2.2 * z + 0.15 * slow))
            shape = (0.2 + 0.8 * ((1 - quick) * slow + quick * fast)) ** 2.35
            mine = (share - z / LENGTH_M) * 7 + 0.5
            mine = 0.0 if mine < 0 else 1.0 if mine > 1 else mine
            light = bright * shape * 2
            age = (now_ms - beat_ms) / 1000 - z / CLIMB_M_S
            if age > 0:
                light += 0.2 * min(1.0, age / 0.16) * exp(-3 * age)
            light = 1.0 if light > 1 else light
            r, g, b = mix(ground, own, mine)
            self.pixels[i] = (int(r * light), int(g * light), int(b * light))
        self.pixels.write()


def mix(a, b, x):
    """Between two colours."""
    return (a[0] + (b[0] - a[0]) * x, a[1] + (b[1] - a[1]) * x, a[2] + (b[2] - a[2]) * x)


def strip(n):
    """A NeoPixel of the simulator, whose pixel access is that of MicroPython's own `neopixel`."""
    from virtual import bus

    class Board:
        slot = pixel_start = 0

    bus.board = Board
    bus.pixels = bytearray(3 * n)
    bus.dirty = bytearray(1)
    from neopixel import NeoPixel

    return NeoPixel(0, n)


def play(hearth, k):
    """Frame k of a visitor with 70 beats a minute."""
    now = 40 * k
    hearth.frame(now, now - now % 857, 0.5, 0.25, 0.5, 0.3)

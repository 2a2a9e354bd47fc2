"""A NeoPixel strand: WS2812B (RGB) or SK6812 (RGBW), 1-300 pixels.

In: `buf`, one byte per channel in wire order (`order`: the offsets of r, g, b, w), linear duty 0..255.
`show()` sends it: 30 us a pixel (1.25 us a bit, WS2812B data sheet), 40 us with white.
"""

from machine import Pin
from neopixel import NeoPixel


class Strand:
    """`pixels` on GPIO `pin`; colour order such as "GRB" or "GRBW"; black from the first moment."""

    def __init__(self, pin, pixels, order, timing):
        self.n = pixels
        self.channels = len(order)
        self.order = tuple(map(order.index, "RGBW"[: len(order)]))
        strip = NeoPixel(Pin(pin, Pin.OUT), pixels, bpp=len(order), timing=timing)
        self.buf = strip.buf
        self.show = strip.write
        strip.write()

"""Fixed-point helpers shared by every part of the node.

Formats, everywhere on the device:
  Q12   4096 = 1.0         arousal, levels, gains, shares (0..4096); valence (-4096..4096)
  Q8    255 = 1.0          quality, confidence, colour channels, brightness
  Q4    16 = 1             heart rate (bpm x 16), intervals (ms x 16)
  nS    1000 = 1 microsiemens
  ms    a 30-bit counter that wraps like time.ticks_ms(); compare with time.ticks_diff only
Every intermediate stays inside -2**30 .. 2**30-1: beyond that a value is a heap object on the ESP32.
"""


def log2_q8(v):
    """256*log2(v) for an integer v >= 1; the mantissa is linear, error <= 24/256 octave."""
    k = 0
    while v >= 65536:  # keeps v << 8 below 2**24
        v >>= 1
        k += 256
    n = 0
    x = v
    while x > 1:
        x >>= 1
        n += 1
    return k + (n << 8) + ((v << 8) >> n) - 256

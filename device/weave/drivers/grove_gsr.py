"""Grove GSR v1.2 (skin conductance, voltage divider with amplifier) on an ADC1 pin.

Out: one value per tick, the sum of `oversample` 12-bit counts; its resolution of 13-22 nS per count is below what a
skin conductance response of 50 nS needs, so eleven conversions a tick make 68 for each value at 8 Hz.
"""

from array import array

from machine import ADC, Pin
from micropython import const

_N = const(11)
_SCALE = const(1301)  # see adc_pulse; (11 * 206250 >> 4) * 1301 < 2**28
_HALF = const(2048)


class GroveGsr:
    """Polls the sensor on GPIO `pin`."""

    oversample = _N
    fault = 0

    def __init__(self, pin):
        self.samples = array("i", (0,))
        adc = ADC(Pin(pin), atten=ADC.ATTN_11DB)
        self._read = adc.read_uv

    def poll(self, now):
        """Take one oversampled value; returns 1."""
        read = self._read
        s = read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        s += read() >> 4
        self.samples[0] = ((s >> 4) * _SCALE + _HALF) >> 12
        return 1

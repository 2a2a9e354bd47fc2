"""Analog pulse sensor (photoplethysmograph with amplifier, wave around mid-supply) on an ADC1 pin.

Out: one sample per tick, 12-bit counts 0..4095 of 3.3 V, the mean of two conversions; 50 Hz when polled every
20 ms. `read_uv` is used because it applies the chip's factory calibration (raw counts differ by 10 % from chip
to chip).
"""

from array import array

from machine import ADC, Pin
from micropython import const

# counts = microvolts * 4095 / 3300000 = (microvolts >> 4) * 1301 >> 16; with 206250 * 1301 < 2**30
_SCALE = const(1301)
_HALF = const(32768)


class AdcPulse:
    """Polls the sensor on GPIO `pin`; contact_min..contact_max counts bound a covered sensor's mean."""

    full = 4095
    pulsatile = True
    rate_mhz = 50000
    fault = 0

    def __init__(self, pin, contact_min, contact_max):
        self.contact_min = contact_min
        self.contact_max = contact_max
        self.samples = array("i", (0,))
        adc = ADC(Pin(pin), atten=ADC.ATTN_11DB)
        self._read = adc.read_uv  # bound once: no method object is made in the tick

    def poll(self, now):
        """Take one sample; returns 1."""
        read = self._read
        self.samples[0] = (((read() + read()) >> 5) * _SCALE + _HALF) >> 16
        return 1

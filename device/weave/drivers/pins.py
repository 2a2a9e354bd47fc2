"""What is read from bare pins: the analog pulse sensor and Grove's GSR on ADC1, the opt-out button.

`read_uv` is used because it applies the chip's factory calibration (raw counts differ by 10 % from chip to chip).
Out: 12-bit counts 0..4095 of 3.3 V, one sample per tick: 50 Hz when polled every 20 ms.
"""

from array import array

from machine import ADC, Pin

# counts = microvolts * 4095 / 3300000 = (microvolts >> 4) * 1301 >> 16; with 206250 * 1301 < 2**30
_SCALE = const(1301)
_OVERSAMPLE = const(11)


class _Analog:
    """An ADC1 pin, its last sample in `samples[0]`."""

    fault = 0

    def __init__(self, pin):
        self.samples = array("i", (0,))
        # bound once: no method object is made in the tick
        self._read = ADC(Pin(pin), atten=ADC.ATTN_11DB).read_uv


class AdcPulse(_Analog):
    """Analog pulse sensor (photoplethysmograph with amplifier, wave around mid-supply): the mean of two conversions.

    `contact_min`..`contact_max`, set by who opens it, bound a covered sensor's mean.
    """

    full = 4095
    pulsatile = True
    polled = 1
    rate_mhz = 50000

    def poll(self, now) -> int:
        """Take one sample; returns 1."""
        read = self._read
        self.samples[0] = (((read() + read()) >> 5) * _SCALE + 32768) >> 16
        return 1


class GroveGsr(_Analog):
    """Grove GSR v1.2 (skin conductance, voltage divider with amplifier): the sum of `oversample` conversions.

    One conversion resolves 13-22 nS, a response of 50 nS needs better; eleven a tick make 68 for each value at 8 Hz.
    """

    oversample = _OVERSAMPLE

    def poll(self, now) -> int:
        """Take one oversampled value; returns 1."""
        read = self._read
        uv: int = 0
        for _ in range(_OVERSAMPLE):
            uv += read()
        self.samples[0] = ((uv >> 8) * _SCALE + 2048) >> 12  # (11 * 3300000 >> 8) * 1301 < 2**28
        return 1


class Button:
    """A switch to ground; reading is instantaneous, debouncing is the reader's business."""

    def __init__(self, pin):
        self._read = Pin(pin, Pin.IN, Pin.PULL_UP).value

    def pressed(self) -> bool:
        """True while held down."""
        return not self._read()

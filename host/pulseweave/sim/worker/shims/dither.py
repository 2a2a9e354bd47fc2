"""The ESP32's ADC noise on a voltage that holds still: what 64 conversions in a row read, in microvolts."""

from array import array

import micropython

# Noise of the ESP32's ADC, in 1/16 of a 12-bit count: about 2.5 counts r.m.s. (ESP-IDF ADC notes), one period of a fixed
# sequence, so that no random number is drawn while a node ticks.
DITHER = array("h", (
    -9, 33, -52, 14, 61, -27, 5, -68, 40, 22, -36, 71, -12, -47, 18, 55,
    -60, 3, 29, -20, 47, -75, 11, 64, -31, -5, 38, -56, 25, 80, -42, 8,
    -16, 50, -64, 31, -2, 67, -38, 16, -49, 44, -24, 58, -70, 0, 35, -11,
    74, -33, 20, -58, 42, -7, 52, -45, 27, -79, 12, 62, -22, -40, 48, -14,
))  # fmt: skip

LIFTED = bytes([d + 80 for d in DITHER])  # machine code knows no negative numbers in memory


@micropython.viper
def spread(v: int, noisy: ptr32):
    """Fill noisy[64] with readings of v (12-bit counts x 16), limited to the converter's range."""
    lifted = ptr8(LIFTED)
    k = 0
    while k < 64:
        x = v + lifted[k] - 80 >> 4
        if x < 0:
            x = 0
        elif x > 4095:
            x = 4095
        noisy[k] = x * 806  # microvolts per 12-bit count of 3.3 V
        k += 1

"""Calibration of one node's skin input. In: two readings over known resistors. Out: what `Skin` needs.

Grove GSR, 12-bit counts a: G = gain * 100000 nS * (cal - a) / (4096 + 2a), from R = (1024 + 2a) * 10000 / (cal - a)
at 10 bit (Seeed wiki). `cal` is the reading with nothing connected, in counts x 8; `gain_q12` corrects the slope.
"""

from micropython import const

_G1 = const(10000)  # nS of 100 kOhm
_G2 = const(2128)  # nS of 470 kOhm


class Calibration:
    """cal_q3: open reading, counts x 8 (default 2048 * 8); gain_q12: 4096 = 1.0."""

    def __init__(self, cal_q3=16384, gain_q12=4096):
        self.cal_q3 = cal_q3
        self.gain_q12 = gain_q12

    @classmethod
    def two_point(cls, a100k_q3, a470k_q3):
        """From readings (counts x 8) with 100 kOhm and with 470 kOhm across the electrodes. ValueError if impossible."""
        # G1 / G2 = (cal - a1) (4096 + 2 a2) / ((4096 + 2 a1) (cal - a2)), solved for cal
        p = _G1 * (32768 + 2 * a100k_q3)
        q = _G2 * (32768 + 2 * a470k_q3)
        if not 0 <= a100k_q3 < a470k_q3 < 32760 or p <= q:
            raise ValueError("readings must be 0 <= a(100k) < a(470k) < 4095: check the resistors")
        cal = (p * a470k_q3 - q * a100k_q3 + (p - q) // 2) // (p - q)
        g = (25000 * (cal - a100k_q3)) // (8192 + (a100k_q3 >> 1))
        gain = (_G1 * 4096 + g // 2) // g
        if not (1024 <= gain <= 16384 and a470k_q3 < cal <= 65535):
            raise ValueError("readings do not fit a Grove circuit: check wiring and resistors")
        return cls(cal, gain)

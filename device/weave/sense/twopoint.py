"""Two-point calibration of the skin input, loaded when asked for. In: readings over 100 kOhm and 470 kOhm.

Two readings settle the two unknowns of the formula in calibration.py: the open reading and the gain.
"""

from micropython import const

from .calibration import Calibration

_G1 = const(10000)  # nS of 100 kOhm
_G2 = const(2128)  # nS of 470 kOhm


def two_point(a100k_q3, a470k_q3):
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
    return Calibration(cal, gain)

"""Two-point calibration of a node's skin input. In: readings over 100 kOhm and 470 kOhm. Out: open reading and gain.

Two readings settle the two unknowns of the formula in device/weave/sense/calibration.py. Integers like the node's.
"""

G1 = 10000  # nS of 100 kOhm
G2 = 2128  # nS of 470 kOhm


def two_point(a100k_q3: int, a470k_q3: int) -> tuple[int, int]:
    """(cal_q3, gain_q12) from readings (counts x 8) with 100 kOhm and with 470 kOhm across the electrodes.

    cal_q3: open reading, counts x 8; gain_q12: 4096 = 1.0. ValueError where the readings are impossible.
    """
    # G1 / G2 = (cal - a1) (4096 + 2 a2) / ((4096 + 2 a1) (cal - a2)), solved for cal
    p = G1 * (32768 + 2 * a100k_q3)
    q = G2 * (32768 + 2 * a470k_q3)
    if not 0 <= a100k_q3 < a470k_q3 < 32760 or p <= q:
        raise ValueError("readings must be 0 <= a(100k) < a(470k) < 4095: check the resistors")
    cal = (p * a470k_q3 - q * a100k_q3 + (p - q) // 2) // (p - q)
    g = (25000 * (cal - a100k_q3)) // (8192 + (a100k_q3 >> 1))
    gain = (G1 * 4096 + g // 2) // g
    if not (1024 <= gain <= 16384 and a470k_q3 < cal <= 65535):
        raise ValueError("readings do not fit a Grove circuit: check wiring and resistors")
    return cal, gain

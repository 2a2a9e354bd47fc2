"""Calibration of one node's skin input: what `Skin` needs. `host/pulseweave/score/twopoint.py` makes one from two readings.

Grove GSR, 12-bit counts a: G = gain * 100000 nS * (cal - a) / (4096 + 2a), from R = (1024 + 2a) * 10000 / (cal - a)
at 10 bit (Seeed wiki). `cal` is the reading with nothing connected, in counts x 8; `gain_q12` corrects the slope.
"""


class Calibration:
    """cal_q3: open reading, counts x 8 (default 2048 * 8); gain_q12: 4096 = 1.0."""

    def __init__(self, cal_q3=16384, gain_q12=4096):
        self.cal_q3 = cal_q3
        self.gain_q12 = gain_q12

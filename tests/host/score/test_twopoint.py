"""Two resistors across the electrodes give the board's own open reading and gain back."""

import pytest
from pulseweave.score.twopoint import two_point


@pytest.mark.parametrize(("cal", "gain"), [(2048, 1.0), (2300, 0.93), (1800, 1.08)])
def test_two_point_calibration(cal, gain):
    """Readings over 100 kOhm and 470 kOhm of a board whose trimmer and gain are off give the truth back."""

    def reading(ns):
        g = ns / gain
        return int(8 * (100000 * cal - 4096 * g) / (100000 + 2 * g) + 0.5)

    cal_q3, gain_q12 = two_point(reading(10000), reading(2127.66))
    assert abs(cal_q3 - cal * 8) <= cal * 8 // 200
    assert abs(gain_q12 - gain * 4096) <= 41


@pytest.mark.parametrize(("a", "b"), [(5000, 5000), (9000, 5000), (-1, 500), (100, 40000)])
def test_impossible_calibrations_are_refused(a, b):
    with pytest.raises(ValueError, match="readings"):
        two_point(a, b)

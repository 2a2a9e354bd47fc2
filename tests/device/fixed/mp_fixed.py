"""fixed.py: the shared integer functions keep their stated errors."""

from math import log

from heap import locked
from weave.fixed import log2_q8


def test_log2_is_close_and_monotone():
    last = -1
    for v in list(range(1, 5000)) + [1 << k for k in range(13, 30)] + [(1 << 30) - 1]:
        got = log2_q8(v)
        assert abs(got - 256 * log(v) / log(2)) <= 24, (v, got)
        assert got >= last
        last = got


def test_log2_allocates_nothing():
    top = (1 << 30) - 1
    for v in (1, 4095, 65535, 65536, top):
        locked(log2_q8, v)

"""The node's clock wraps at 2**30 ms, every twelve days: a visitor does not notice."""

import sys

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")  # on 64 bits, a clock that wraps there, too

from time import ticks_add

from hands import Finger, Palm
from weave.sense import Sense


def test_variability_is_known_through_the_wrap():
    sense = Sense(Finger([800 + 37 * i % 60 for i in range(100)]), Palm(5.0))
    now = (1 << 30) - 40000
    for k in range(60 * 50):
        now = ticks_add(now, 20)
        sense.step(now)
        if k > 30 * 50:
            assert sense.rmssd_q4 > 15 * 16, (k // 50, sense.rmssd_q4)
    assert now == 20000 and sense.quality > 200

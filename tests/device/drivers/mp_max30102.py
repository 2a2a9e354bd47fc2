"""drivers/max30102: what a tick took from the chip (the simulator's) is told to whoever streams raw samples."""

import sys
from array import array

PORTS = ("unix",)

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")

from max30102 import ADDRESS, Max30102Chip
from virtual import VirtualBoard, bus
from weave.drivers.max30102 import Max30102


def test_the_samples_of_a_tick_are_counted():
    bus.pulse, bus.skin = array("I", [70000] * 10), array("H", [20000])
    board = VirtualBoard(0, 1, {}, 0, b"\2PW\0\0\1")
    bus.board = board
    chip = Max30102Chip(0)
    board.i2c = {ADDRESS: chip}
    sensor = Max30102(0, 21, 22, 7)
    counts = []
    for k in range(100):
        bus.phase = k % 5 * 2
        chip.advance()
        n = sensor.poll(20 * k)
        assert sensor.polled == n
        counts.append(n)
    assert 90 < sum(counts) <= 100, counts
    chip.absent = True  # the cable is pulled: nothing old is told again
    assert sensor.poll(2000) == 0 and sensor.polled == 0 and sensor.fault == 1

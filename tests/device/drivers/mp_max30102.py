"""drivers/max30102: what a tick took from the chip (the simulator's) is told to whoever streams raw samples."""

import sys
from array import array

PORTS = ("unix",)

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")

from max30102 import ADDRESS, Max30102Chip
from virtual import VirtualBoard, bus
from weave.drivers.max30102 import Max30102


def powered():
    """(board's chip, driver, function that runs so many ticks from a time and returns samples seen, faults seen)."""
    bus.pulse, bus.skin = array("I", [70000] * 10), array("H", [20000])
    board = VirtualBoard(0, 1, {}, 0, b"\2PW\0\0\1")
    bus.board = board
    chip = Max30102Chip(0)
    board.i2c = {ADDRESS: chip}
    sensor = Max30102(0, 21, 22, 7)

    def run(start, ticks, every=1):
        got, faults = 0, 0
        for k in range(start, start + ticks):
            bus.phase = k % 5 * 2
            if k % every == 0:
                chip.advance()
            got += sensor.poll(20 * k)
            faults |= sensor.fault
        return got, faults

    return chip, sensor, run


def test_the_samples_of_a_tick_are_counted():
    chip, sensor, _ = powered()
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


def test_a_chip_that_lost_its_power_for_a_moment_is_set_up_again():
    """It answers, but its registers are those of a reset: it measures nothing. Told, and mended within two seconds."""
    chip, sensor, run = powered()
    run(0, 600)
    assert sensor.fault == 0 and abs(sensor.rate_mhz - 50000) < 500
    chip.write(0x09, b"\x40")
    got, faults = run(600, 100)
    assert faults & 1, "nothing is told"
    assert sensor.fault == 0 and got > 30, (sensor.fault, got)
    run(700, 600)
    assert abs(sensor.rate_mhz - 50000) < 500, sensor.rate_mhz


def test_a_rate_of_next_to_nothing_is_a_fault_and_no_rate():
    """A clock of 5 Hz gives no pulse, and its period would not fit the node's integers."""
    _, sensor, run = powered()
    run(0, 600)
    _, faults = run(600, 1200, 10)
    assert faults & 1 and sensor.rate_mhz >= 10000, (faults, sensor.rate_mhz)


def test_a_chip_at_twice_its_rate_is_measured():
    chip, sensor, run = powered()
    chip.rate_q8 = 525  # 5 % fast as well
    run(0, 1100)
    assert sensor.fault == 0 and abs(sensor.rate_mhz - 102500) < 1000, sensor.rate_mhz


def test_a_bus_error_a_week_after_the_last_one_is_tried_again():
    """ticks_diff says that what is older than 6.2 days lies ahead."""
    chip, sensor, run = powered()
    run(0, 50)
    sensor._retry = (sensor._retry - 7 * 86400000) & 0x3FFFFFFF
    chip.absent = True
    assert run(50, 1) == (0, 1)
    chip.absent = False
    got, _ = run(51, 100)
    assert sensor.fault == 0 and got > 60, (sensor.fault, got)

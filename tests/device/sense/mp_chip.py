"""An optical chip on its bus (the simulator's), through its driver: what of its samples becomes beats."""

import sys
from array import array

PORTS = ("unix",)

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")

from hands import Finger, Palm
from max30102 import ADDRESS, Max30102Chip
from virtual import VirtualBoard, bus
from weave.drivers.max30102 import Max30102
from weave.sense import Sense


class Stubborn(Max30102Chip):
    """A clone that does not average."""

    def write(self, register, buf):
        Max30102Chip.write(self, register, bytes((buf[0] & 31,)) if register == 0x08 else buf)


class Hand:
    """A finger on a chip on a board; tick() lets 20 ms pass on it, step() is the node's own tick."""

    def __init__(self, true, chip=None):
        bus.pulse, bus.skin = array("I", bytes(40)), array("H", [20000])
        board = VirtualBoard(0, 1, {}, 0, b"\2PW\0\0\1")
        bus.board = board
        self.chip = chip or Max30102Chip(0)
        board.i2c = {ADDRESS: self.chip}
        driver = Max30102(0, 21, 22, 7)
        driver.contact_min = 50000
        self.finger = Finger([true], light=True)
        self.finger.period = 10.0  # two samples a tick
        self.sense = Sense(driver, Palm(5.0))
        self.now = 0

    def tick(self):
        self.now += 20
        bus.pulse[0] = self.finger.value()
        bus.pulse[1] = self.finger.value()
        self.chip.advance()

    def step(self):
        self.sense.step(self.now)


def test_an_overflow_makes_a_gap():
    """The node was held for 0.7 to 0.9 s: the chip keeps 0.64 s of samples."""
    for true in (600, 1000):
        hand = Hand(true)
        sense = hand.sense
        found = []
        seen = gaps = 0
        held = [36, 40, 45] * 2
        k = left = 0
        while k < 1900:
            k += 1
            hand.tick()
            if k > 500 and k % 203 == 0 and held:
                left = held.pop()
            if left:
                left -= 1
                continue
            hand.step()
            if sense.beats != seen:
                seen = sense.beats
                if k > 500:
                    gaps += sense.gap
                    if not sense.gap and abs(sense.ibi_q4 - 16 * true) > 400:
                        found.append((k, sense.ibi_q4 >> 4))
        assert not held and gaps >= 6 and not found, (true, gaps, found)


def test_a_loose_plug_is_no_variability():
    """A heart of constant beat; one read in 2.5 s is refused, and the chip set up anew."""
    hand = Hand(800)
    sense = hand.sense
    most = 0
    for k in range(60 * 50):
        hand.chip.absent = k > 500 and k % 123 == 0
        hand.tick()
        hand.step()
        most = max(most, sense.rmssd_q4)
    assert sense.contact == 1 and most < 5 * 16, most / 16


def test_a_hundred_samples_a_second_and_a_little_more():
    for rate_q8 in (250, 256, 263, 269):
        hand = Hand(800, Stubborn(0))
        hand.chip.rate_q8 = rate_q8
        for _ in range(30 * 50):
            hand.tick()
            hand.step()
        sense = hand.sense
        told = sense.hr_q4 / 16
        assert sense.faults == 0 and sense.quality > 200, (rate_q8, sense.faults, sense.quality)
        assert abs(told - 75) < 1, (rate_q8, told)

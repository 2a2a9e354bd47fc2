"""Bad input: what the node says, and how far it trusts itself."""

from hands import Finger, Palm, run
from weave.affect import Affect
from weave.sense import Sense

PULSE_FAULT = 1  # bits of `faults`
SKIN_FAULT = 2


class Bursts:
    """A FIFO sensor read late and in lumps: 0..3 samples a poll; may stop, overflow, or run at another rate."""

    def __init__(self, finger, rate_mhz=50000, pattern=(1, 0, 2, 1, 1, 0, 0, 3)):
        self.finger = finger
        self.full, self.pulsatile = finger.full, finger.pulsatile
        self.contact_min, self.contact_max = finger.contact_min, finger.contact_max
        self.samples = finger.samples.__class__("i", [0] * 32)
        self.rate_mhz = rate_mhz
        finger.period = 1e6 / rate_mhz
        self.pattern = pattern
        self.owed = 0.0
        self.fault = 0
        self.dead = False
        self.k = 0

    def poll(self, now):
        self.owed += 20 * self.rate_mhz / 1e6
        if self.dead:
            self.owed = 0
            return 0
        self.k += 1
        n = min(int(self.owed), self.pattern[self.k % len(self.pattern)] + (1 if self.owed > 3 else 0))
        for i in range(n):
            self.samples[i] = self.finger.value()
        self.owed -= n
        return n


def test_a_fifo_read_late_does_not_shake_the_intervals():
    sense = Sense(Bursts(Finger([800], light=True)), Palm())
    worst = [0]

    def each(now):
        if now > 6000 and sense.ibi_q4:
            worst[0] = max(worst[0], abs(sense.ibi_q4 - 12800))

    run(sense, 20000, 0, each)
    assert sense.quality > 200 and worst[0] <= 48, (sense.quality, worst)


def test_a_clock_five_percent_off_is_measured_away():
    for rate in (47500, 52500, 100000):
        sense = Sense(Bursts(Finger([800], light=True), rate, (1, 2, 3)), Palm())
        run(sense, 20000)
        assert abs(sense.ibi_q4 - 12800) <= 64, (rate, sense.ibi_q4)
        assert sense.quality > 200


def test_a_wrong_rate_is_not_trusted():
    sense = Sense(Bursts(Finger([1000], light=True), 25000), Palm())
    run(sense, 20000)
    assert sense.quality < 100, sense.quality


def test_a_dead_bus_is_told_and_the_visitor_forgotten():
    sensor = Bursts(Finger([800], light=True))
    sense = Sense(sensor, Palm())
    now = run(sense, 15000)
    assert sense.contact == 1 and sense.quality > 200
    sensor.dead, sensor.fault = True, 1
    now = run(sense, 1000, now)
    assert sense.contact == 0 and sense.hr_q4 == 0 and sense.faults & PULSE_FAULT
    sensor.dead, sensor.fault = False, 0
    now = run(sense, 12000, now)
    assert sense.contact == 1 and sense.quality > 200 and not sense.faults & PULSE_FAULT
    assert abs(sense.ibi_q4 - 12800) <= 48


def test_a_lost_fifo_makes_a_gap_not_an_interval():
    sensor = Bursts(Finger([800], light=True))
    sense = Sense(sensor, Palm())
    now = run(sense, 15000)
    for _ in range(60):  # 1.2 s of samples are gone, the sensor lives
        sensor.finger.value()
    sensor.fault = 4
    wrong = [0]

    def each(now):
        if not sense.gap and abs(sense.ibi_q4 - 12800) > 800:
            wrong[0] += 1

    run(sense, 3000, now, each)
    assert not wrong[0] and sense.faults & PULSE_FAULT


def still(add=None, on=True, level=2048):
    finger = Finger([800], swing=0)
    finger.on = on
    affect_sense = Sense(finger, Palm())
    return finger, affect_sense


def test_unplugged_shorted_saturated():
    for on, add in ((False, 0), (True, -4095), (True, 4095)):
        finger, sense = still(on=on)
        finger.add = add
        affect = Affect(sense)
        run(sense, 10000, 0, affect.step)
        assert sense.contact == 0 and sense.quality == 0 and affect.confidence == 0 and affect.visitor == 0


def test_an_object_on_the_sensor_is_not_a_visitor_to_trust():
    finger, sense = still()
    affect = Affect(sense)
    run(sense, 20000, 0, affect.step)
    assert sense.quality == 0 and sense.beats == 0 and affect.confidence == 0 and affect.visitor == 0


class Disturbed(Finger):
    """A finger with something added to every sample."""

    def disturb(self, t):
        return 0

    def value(self):
        self.add = int(self.disturb(self.t))
        return Finger.value(self)


class Flicker(Disturbed):
    """Light of 100 Hz seen at 50.4 Hz, and of 120 Hz: they fold to 0.8 Hz and to 20 Hz."""

    def disturb(self, t):
        import math

        return 120 * math.sin(2 * math.pi * 19.2 * t / 1000) + 60 * math.sin(2 * math.pi * 0.8 * t / 1000)


def test_folded_flicker_does_not_hide_the_pulse():
    sense = Sense(Flicker([800, 830, 790] * 20), Palm())
    run(sense, 20000)
    assert abs(sense.hr_q4 - 960000 // 807) < 24 and sense.quality > 150, (sense.hr_q4, sense.quality)


class Motion(Disturbed):
    """Jerks of the hand stronger than the pulse, at no rate."""

    def disturb(self, t):
        import math

        return 1800 * math.sin(t / 97) * math.sin(t / 313 + 1) * math.sin(t / 61)


def test_motion_lowers_quality():
    calm = Sense(Finger([800]), Palm())
    moved = Sense(Motion([800]), Palm())
    run(calm, 20000)
    mean = [0, 0]

    def each(now):
        if now > 10000:
            mean[0] += moved.quality
            mean[1] += 1

    run(moved, 30000, 0, each)
    assert mean[0] / mean[1] < 0.6 * calm.quality, mean[0] / mean[1]


class TwoFingers(Finger):
    """A second person's pulse in the same sensor, two thirds as strong."""

    def __init__(self, intervals, other):
        Finger.__init__(self, intervals)
        self.other = Finger(other, swing=800)

    def value(self):
        self.add = self.other.value() - 1700
        return Finger.value(self)


def test_two_fingers_lower_quality():
    sense = Sense(TwoFingers([800], [610]), Palm())
    mean = [0, 0]

    def each(now):
        if now > 10000:
            mean[0] += sense.quality
            mean[1] += 1

    run(sense, 40000, 0, each)
    assert mean[0] / mean[1] < 180, mean[0] / mean[1]


def test_skin_without_an_answer_lowers_confidence():
    """A visitor whose skin does not respond is not called calm: the heart alone carries less confidence."""
    both = Sense(Finger([800, 820, 790] * 60), Palm(5.0))
    heart = Sense(Finger([800, 820, 790] * 60), Palm(None))
    a, b = Affect(both), Affect(heart)
    run(both, 90000, 0, a.step)
    run(heart, 90000, 0, b.step)
    assert heart.skin_ok == 0 and both.skin_ok == 1
    assert b.confidence < 0.6 * a.confidence, (a.confidence, b.confidence)


def test_a_fault_of_the_skin_sensor_is_told():
    palm = Palm(5.0)
    sense = Sense(Finger([800]), palm)
    now = run(sense, 2000)
    palm.fault = 1
    run(sense, 500, now)
    assert sense.faults & SKIN_FAULT

"""Samples that are missing, and the first of a touch: a gap, never an interval that is called clean."""

from hands import Finger, Palm
from weave.sense import Sense

OFF_Q4 = 40 * 16


class Losing(Finger):
    """A finger of which samples get lost: it beats on while the node is held, or while nobody answers on the bus."""

    def lose(self, ticks):
        for _ in range(ticks):
            self.value()

    def refuse(self, ticks):
        self.silent = ticks

    silent = 0

    def poll(self, now):
        if not self.silent:
            self.fault = 0
            return Finger.poll(self, now)
        self.silent -= 1
        self.fault = 1
        self.value()
        return 0


def wrong(finger, seconds, disturb):
    """What is called clean and is not, after 10 s: (ms, told ms). disturb(k, finger) before tick k: ticks that are held."""
    sense = Sense(finger, Palm(5.0))
    true = finger.intervals[0] * 16
    found = []
    seen = held = gaps = 0
    for k in range(seconds * 50):
        held = held or disturb(k, finger)
        if held:
            held -= 1
            finger.lose(1)
            continue
        sense.step(20 * k)
        if sense.beats != seen:
            seen = sense.beats
            if k > 500:
                gaps += sense.gap
                if not sense.gap and abs(sense.ibi_q4 - true) > OFF_Q4:
                    found.append((20 * k, sense.ibi_q4 >> 4))
    assert sense.contact == 1 and gaps, "the disturbance was none"
    return found


def test_a_node_that_was_held_tells_no_wrong_interval():
    """An analog sensor keeps nothing: of the 80 to 800 ms in which a module was loaded there is one sample."""
    for true in (500, 700, 1000):
        held = [4, 10, 20, 40]

        def hold(k, finger, held=held):
            return held.pop() if held and k > 500 and k % 207 == 0 else 0

        found = wrong(Losing([true]), 30, hold)
        assert not found and not held, (true, found)


def test_a_bus_that_was_silent_makes_a_gap():
    for true in (500, 600):
        silent = [1, 1, 2, 15]

        def refuse(k, finger, silent=silent):
            if silent and k > 500 and k % 207 == 0:
                finger.refuse(silent.pop())
            return 0

        found = wrong(Losing([true], light=True), 30, refuse)
        assert not found and not silent, (true, found)


def test_the_first_interval_of_a_touch_is_a_gap():
    """A hand that comes down makes a slope of its own, anywhere in its beat."""
    for light, phases in ((False, (0, 100, 900)), (True, (0, 900))):
        for phase in phases:
            finger = Finger([1000], light=light)
            finger.on = False
            sense = Sense(finger, Palm(5.0))
            seen = 0
            told = []
            for k in range(400):
                finger.on = k >= 100 + phase // 20
                sense.step(20 * k)
                if sense.beats != seen:
                    seen = sense.beats
                    if not sense.gap:
                        told.append(sense.ibi_q4 >> 4)
            assert len(told) >= 2 and min(told) > 960 and max(told) < 1040, (light, phase, told)

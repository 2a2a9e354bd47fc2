"""Beats from a finger: rate, timing, both kinds of sensor, locking, and what happens when the hand leaves."""

from hands import Finger, Palm, run
from weave.sense import Sense


def watch(finger, ms):
    """(times of beats in ms, Sense) after ms of this finger."""
    sense = Sense(finger, Palm())
    found = []
    seen = [0]

    def each(now):
        if sense.beats != seen[0]:
            seen[0] = sense.beats
            found.append(sense.beat_ms)

    run(sense, ms, 0, each)
    return found, sense


def rate_errors(finger, ms, allowed=0.2):
    """Longest time, ms, for which found intervals are half or double the true ones."""
    found, _ = watch(finger, ms)
    longest = 0
    since = None
    for a, b in zip(found, found[1:]):
        true = [y - x for x, y in zip(finger.beats, finger.beats[1:]) if x <= b <= y + 600]
        off = min(abs((b - a) / t - 1) for t in true) if true else 0
        if off > allowed:
            if since is None:
                since = a
            longest = max(longest, b - since)
        else:
            since = None
    return longest


def test_every_rate_is_found_with_its_intervals():
    for ms in (360, 500, 650, 800, 1000, 1250, 1450):
        found, sense = watch(Finger([ms]), 20000)
        gaps = [b - a for a, b in zip(found[3:], found[4:])]
        assert len(gaps) >= 20000 // ms - 7, (ms, found)
        assert max(abs(g - ms) for g in gaps) <= 3, (ms, gaps)
        assert abs(sense.hr_q4 - 960000 // ms) <= 8, (ms, sense.hr_q4)
        assert abs(sense.ibi_q4 - ms * 16) <= 40 and sense.gap == 0
        assert sense.quality > 200, (ms, sense.quality)


def test_light_that_falls_with_blood_gives_the_same_beats():
    a, _ = watch(Finger([800, 820, 790, 810, 805]), 15000)
    b, _ = watch(Finger([800, 820, 790, 810, 805], light=True), 15000)
    assert abs(len(a) - len(b)) <= 1
    assert all(min(abs(x - y) for y in b) <= 10 for x in a[9:]), (a, b)


def test_intervals_have_sub_sample_timing():
    intervals = [800, 813, 797, 841, 772, 806, 829, 783] * 3
    finger = Finger(intervals)
    found, _ = watch(finger, 18000)
    true = finger.beats
    lag = min((abs(found[8] - t), found[8] - t) for t in true)[1]
    errors = [min(abs(f - lag - t) for t in true) for f in found[4:]]
    assert max(errors) < 12, errors  # samples are 20 ms apart


def test_no_lock_at_half_rate_after_a_sudden_rise():
    assert rate_errors(Finger([1000] * 12 + [480] * 60), 40000) <= 3000


def test_no_lock_at_double_rate_with_a_strong_dicrotic_wave():
    assert rate_errors(Finger([420] * 20 + [1200] * 30, notch=0.6), 40000) <= 3000
    assert rate_errors(Finger([1300], notch=0.7), 30000) <= 3000


def test_no_lock_with_alternating_strength():
    assert rate_errors(Finger([440], strengths=(1, 0.55)), 30000) <= 3000


def test_a_slow_start_does_not_lock():
    """A fast heart, of which every second beat is at first too weak to be seen."""
    finger = Finger([500] * 100, strengths=(1, 0.05) * 6 + (1,) * 88)
    found, _ = watch(finger, 30000)
    late = [b - a for a, b in zip(found, found[1:]) if a > 10000]
    assert late and max(late) < 600, late


def test_the_hand_leaves_and_nothing_stays():
    for light in (False, True):
        finger = Finger([800, 830, 790, 810] * 40, light=light)
        sense = Sense(finger, Palm())
        now = run(sense, 70000)
        assert sense.contact == 1 and sense.quality > 200 and sense.hr_q4 and sense.rmssd_q4
        finger.on = False
        now = run(sense, 1000, now)
        assert sense.contact == 0 and sense.quality == 0
        assert sense.hr_q4 == 0 and sense.ibi_q4 == 0 and sense.rmssd_q4 == 0 and sense.gap == 1
        assert sense.intervals.n == 0 and sense.intervals.known == 0 and sense.detector.level == 0
        beats = sense.beats
        now = run(sense, 5000, now)
        assert sense.beats == beats, "beats without a hand"
        finger.on = True
        now = run(sense, 3000, now)
        assert sense.contact == 1 and sense.quality < 128, "trusted too early"
        now = run(sense, 7000, now)
        assert sense.quality > 200, "not learnt again in time"


def test_onset_comes_at_once_and_beats_follow():
    finger = Finger([800])
    sense = Sense(finger, Palm())
    onsets, seen = [], [0]

    def each(now):
        if sense.onset != seen[0]:
            seen[0] = sense.onset
            onsets.append(now)

    run(sense, 20000, 0, each)
    steepest = [b + 0.09 * 800 for b in finger.beats]  # the upslope of `shape`
    lags = [min((o - s) for s in steepest if -200 <= o - s <= 600) for o in onsets[3:]]
    assert len(onsets) >= 22
    assert max(lags) <= 150, lags


def test_beat_time_is_the_upslope_on_the_nodes_clock():
    finger = Finger([800])
    found, _ = watch(finger, 20000)
    for f in found[4:]:
        s = min((abs(f - b - 0.09 * 800), f - b - 0.09 * 800) for b in finger.beats)[1]
        assert abs(s) < 12, s

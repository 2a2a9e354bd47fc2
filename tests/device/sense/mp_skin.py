"""Skin conductance: the formula, calibration, levels, responses, artefacts."""

from hands import Palm
from weave.sense.skin import Skin


def watch(palm, curve, seconds):
    """Skin after `curve(t_s)` in uS; calls are made every 20 ms."""
    skin = Skin(palm, 16384, 4096)
    now = 0
    for _ in range(seconds * 50):
        now += 20
        palm.us = curve(now / 1000)
        skin.step(now)
    return skin


def rise(t, start, height, tau_rise=0.75, tau_fall=4.0):
    """A response after Bateman: difference of two exponentials, uS."""
    import math

    t -= start
    if t <= 0:
        return 0.0
    peak = math.log(tau_fall / tau_rise) * tau_rise * tau_fall / (tau_fall - tau_rise)
    top = math.exp(-peak / tau_fall) - math.exp(-peak / tau_rise)
    return height * (math.exp(-t / tau_fall) - math.exp(-t / tau_rise)) / top


def test_conductance_from_counts():
    for us in (0.1, 0.5, 1, 2, 5, 10, 20, 40):
        skin = watch(Palm(), lambda t: us, 40)
        assert abs(skin.g_ns - us * 1000) <= 4 + us * 4, (us, skin.g_ns)
        assert abs(skin.scl_ns - us * 1000) <= 4 + us * 4
        assert skin.ok == 1


def test_no_hand_is_no_skin():
    skin = watch(Palm(), lambda t: 3.0 if t < 10 else None, 11)
    assert skin.ok == 0 and skin.g_ns == 0 and skin.scl_ns == 0
    skin = watch(Palm(), lambda t: 200.0, 10)
    assert skin.ok == 0 and skin.g_ns == 0


def test_responses_are_counted_with_their_height():
    starts = (10, 22, 35, 50)
    skin = watch(Palm(), lambda t: 4.0 + sum(rise(t, s, 0.4) for s in starts), 65)
    assert skin.scrs == 4, skin.scrs
    assert 300 <= skin.scr_ns <= 420, skin.scr_ns


def test_small_and_slow_changes_are_no_responses():
    assert watch(Palm(), lambda t: 4.0 + rise(t, 10, 0.03), 30).scrs == 0
    assert watch(Palm(), lambda t: 4.0 + 0.01 * t, 60).scrs == 0  # drift of the electrodes
    assert watch(Palm(), lambda t: 4.0, 60).scrs == 0


def test_a_jerk_of_the_electrodes_is_not_a_response():
    skin = Skin(Palm(), 16384, 4096)
    now = 0
    for k in range(1500):
        now += 20
        skin.sensor.us = 4.0 if k < 600 or k > 620 else 9.0
        skin.step(now)
        if 640 < k < 840:
            assert skin.ok == 0, k
    assert skin.ok == 1 and skin.scrs == 0


def test_short_touches_do_not_add_up_to_a_broken_wire():
    """Electrodes settle in the first seconds of every touch; while nobody is there, that is forgotten."""
    palm = Palm()
    skin = Skin(palm, 16384, 4096)
    now = 0
    for _ in range(9):
        for k in range(25 * 50):
            now += 20
            palm.us = None if k < 1000 else 5.0
            skin.step(now)
            assert not skin.fault, now
    palm.us = None
    for k in range(300 + 600):
        now += 20
        palm.us = None if k < 300 else 5.0
        skin.step(now)
    assert skin.ok == 1  # who comes next, and stays, is read

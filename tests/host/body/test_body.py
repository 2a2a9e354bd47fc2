"""Synthetic visitors: the same seed the same signals, on their grids, only while they touch."""

import numpy as np
import pytest
from lived import STEP, live
from pulseweave.sim.body import Body


def test_same_seed_same_signals_whatever_the_company():
    a = live(Body(7, 40), 20, 0.4)
    b = live(Body(7, range(10, 20)), 20, 0.4)
    c = live(Body(8, range(10, 20)), 20, 0.4)
    assert np.array_equal(a[0][10:20], b[0])
    assert np.array_equal(a[1][10:20], b[1])
    assert not np.array_equal(b[0], c[0])


def test_samples_fall_on_their_grids():
    body = Body(1, 3)
    sizes = []
    for i in range(1000):
        p, e = body.step(i * STEP, STEP, np.zeros(3), np.zeros(3), np.ones(3, bool))
        assert p.shape == (3, 10)
        sizes.append(e.shape[1])
    assert set(sizes) == {0, 1}
    assert sum(sizes) == 800


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"must be \(4,\)"):
        Body(1, 4).step(0, STEP, np.zeros(3), np.zeros(4), np.ones(4, bool))


def test_without_touch_there_is_nothing_to_read():
    body = Body(6, 20)
    live(body, 5, 0.3)
    ppg, eda, _ = live(body, 5, 0.3, start=5, touching=False)
    assert (eda == 0).all()
    assert np.abs(ppg[:, 50:]).max() < 0.1
    ppg, eda, _ = live(body, 5, 0.3, start=10)
    assert (eda[:, -1] > 0.5).all()
    assert (np.ptp(ppg[:, 200:], axis=1) > 0.1).all()


def test_who_touches_next_is_another_person():
    def play(seed, numbers):
        body, n = Body(seed, numbers), len(numbers)
        rest, volts = [], []
        for k in range(60):
            touching = np.ones(n, bool)
            touching[0] = not 20 <= k < 30 and not 40 <= k < 45
            ppg, _ = body.step(k * 0.1, 0.1, np.full(n, 0.2), np.zeros(n), touching)
            rest.append(body.person.rest_bpm.copy())
            volts.append(ppg)
        return np.array(rest), np.array(volts)

    rest, volts = play(4, [7, 8])
    assert len(set(rest[:, 0])) == 3 and len(set(rest[:, 1])) == 1  # three visitors here, one there
    assert rest[19, 0] == rest[29, 0] != rest[30, 0] == rest[44, 0] != rest[45, 0]
    again, same = play(4, [7, 8])
    assert np.array_equal(rest, again) and np.array_equal(volts, same)
    alone, wave = play(4, [7])  # whatever the company
    assert np.array_equal(alone[:, 0], rest[:, 0]) and np.array_equal(wave[:, 0], volts[:, 0])

"""The simulated air: determinism, distance, loss, CSMA, hidden terminals, partitions, jammers, attackers."""

import itertools

import numpy as np
import pytest
from pulseweave.sim.radio import Radio, airtime_ms


def talk(radio, ticks=200, rate=0.04, seed=1, size=96):
    """Everybody sends at random; returns all deliveries."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(ticks):
        nodes = np.flatnonzero(rng.random(radio.n) < rate)
        sent = [(int(i), float(rng.random() * 15), bytes([i % 256]) * size) for i in nodes]
        out += radio.step(k, k * 20.0, sent)
    return out


def square(n, side, seed=3):
    return np.random.default_rng(seed).random((n, 2)) * side


def test_airtime_of_the_data_sheet():
    assert airtime_ms(96) == pytest.approx(1.30, abs=0.01)
    assert airtime_ms(250) == pytest.approx(2.54, abs=0.02)


def test_same_seed_same_air_and_other_seed_other_air():
    a, b, c = (talk(Radio(s, square(30, 120))) for s in (5, 5, 6))
    assert a == b and a != c
    assert all(x[3] <= y[3] for x, y in itertools.pairwise(a))


def test_a_step_does_not_depend_on_the_randomness_spent_before():
    """The stream of a step is its own: what was lost earlier does not shift it."""
    a, b = Radio(1, square(10, 30)), Radio(1, square(10, 30))
    talk(a, 50, seed=1)
    talk(b, 50, seed=2)
    frame = [(0, 1.0, b"x" * 96)]
    quiet = 100
    a.step(99, 1980.0, [])
    b.step(99, 1980.0, [])
    a.bad[0][:] = b.bad[0][:] = False
    a.when[0] = b.when[0] = 0.0
    assert a.step(quiet, 2000.0, frame) == b.step(quiet, 2000.0, frame)


def test_signal_falls_with_distance_and_so_does_delivery():
    places = [(0.0, 0.0)] + [(d, 0.0) for d in (5.0, 100.0, 200.0, 900.0)]
    r = Radio(2, places, shadow_db=0.0, skew_db=0.0, bursts=None)
    rssi = r.rssi[0, 1:]
    assert np.all(np.diff(rssi) < 0)
    got = np.zeros(5)
    for k in range(400):
        for dst, *_ in r.step(k, k * 20.0, [(0, 0.0, b"y" * 96)]):
            got[dst] += 1
    assert got[1] > 395 and got[4] == 0 and got[1] >= got[2] >= got[3] > 0
    assert 20 < got[3] < 380  # the edge is soft


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0])
def test_loss_overrides_everything_in_range(loss):
    r = Radio(3, square(8, 20), loss=loss)
    n = 0
    for k in range(500):
        n += len(r.step(k, k * 20.0, [(k % 8, 0.0, b"z" * 60)]))
    assert n / (500 * 7) == pytest.approx(1 - loss, abs=0.03)


def test_links_differ_by_direction_and_bursts_come_in_runs():
    r = Radio(4, square(20, 60))
    skew = np.abs(r.rssi - r.rssi.T)[np.triu_indices(20, 1)]
    assert 0.5 < skew.mean() < 4
    r = Radio(4, [(0, 0), (5, 0)], bursts=(1.0, 0.3, 1.0))
    ok = [bool(r.step(k, k * 20.0, [(0, 0.0, b"q" * 40)])) for k in range(4000)]
    lost = ok.count(False) / len(ok)
    after = sum(1 for a, b in itertools.pairwise(ok) if not a and not b) / max(1, ok.count(False))
    assert lost == pytest.approx(0.3 / 1.3, abs=0.06) and after > 2 * lost


def test_neighbours_wait_for_each_other_and_hidden_ones_collide():
    near = Radio(5, [(0, 0), (3, 0), (6, 0)], loss=0.0)
    both = 0
    for k in range(200):
        got = near.step(k, k * 20.0, [(0, 1.0, b"a" * 96), (2, 1.5, b"b" * 96)])
        both += sum(1 for d in got if d[0] == 1)
    assert both == 400 and near.stats.deferred >= 200 and near.stats.collisions == 0
    hidden = Radio(5, [(0, 0), (9, 0), (18, 0)], loss=0.0, range_m=10.0)
    got = [
        d for k in range(200) for d in hidden.step(k, k * 20.0, [(0, 1.0, b"a" * 96), (2, 1.5, b"b" * 96)])
    ]
    assert not got and hidden.stats.collisions == 400


def test_who_sends_does_not_hear_and_late_frames_arrive_later():
    r = Radio(6, [(0, 0), (3, 0)], loss=0.0)
    got = r.step(0, 0.0, [(0, 19.5, b"a" * 200)])
    assert got == []
    (d,) = r.step(1, 20.0, [])
    assert d[:2] == (1, 0) and d[3] == pytest.approx(19.5 + airtime_ms(200))


def test_partition_and_heal():
    r = Radio(7, square(6, 10), loss=0.0)
    r.partition([[0, 1, 2], [3, 4]])  # 5 is alone
    pairs = {d[:2] for k in range(60) for d in r.step(k, k * 20.0, [(k % 6, 0.0, b"f" * 40)])}
    assert pairs == {(a, b) for g in ((0, 1, 2), (3, 4)) for a in g for b in g if a != b}
    r.heal()
    pairs = {d[:2] for k in range(60, 120) for d in r.step(k, k * 20.0, [(k % 6, 0.0, b"f" * 40)])}
    assert len(pairs) == 30


def test_a_jammer_silences_its_surroundings_for_its_time():
    r = Radio(8, [(0, 0), (30, 0), (200, 0), (230, 0)], loss=0.0, shadow_db=0, skew_db=0)
    r.jam((30.0, 5.0), 1.0)
    got = [
        (k, d[:2]) for k in range(100) for d in r.step(k, k * 20.0, [(0, 0, b"n" * 40), (3, 0, b"n" * 40)])
    ]
    assert not [k for k, p in got if p == (1, 0) and k < 49]
    assert [k for k, p in got if p == (1, 0) and k >= 51]
    assert len([k for k, p in got if p == (2, 3)]) > 95


def test_an_attacker_hears_and_injects():
    r = Radio(9, [(0, 0), (5, 0)], loss=0.0, attackers=[(2, 2)])
    seen = []

    def attack(tick, t_ms, flights):
        seen.extend(f.frame for f in flights)
        return [(2, 4.0, b"evil" * 10, 0)] if tick == 3 else []

    r.attack = attack
    got = [d for k in range(6) for d in r.step(k, k * 20.0, [(0, 0.0, b"good" * 10)])]
    assert b"good" * 10 in seen
    assert sorted(d[0] for d in got if d[4][:4] == b"evil") == [0, 1]
    assert {d[1] for d in got if d[4][:4] == b"evil"} == {0}


def test_statistics_and_airtime_of_the_busiest_place():
    r = Radio(10, [(0, 0), (5, 0), (900, 0)], loss=0.0)
    for k in range(100):
        r.step(k, k * 20.0, [(0, 0.0, b"s" * 96)])
    s = r.statistics()
    assert s["sent"] == 100 and s["received"] == 100 and s["lost"] == 0
    assert s["airtime_fraction_max"] == pytest.approx(airtime_ms(96) / 20, rel=0.01)
    assert r.hops() == -1 and list(r.degree()) == [1, 1, 0]


def test_nonsense_is_refused():
    for bad in (np.zeros((3, 5)), []):
        with pytest.raises(ValueError):
            Radio(1, bad)
    with pytest.raises(ValueError):
        Radio(1, [(0, 0)], loss=1.5)


def test_a_thousand_nodes_run():
    r = Radio(11, square(1000, 900), range_m=60.0)
    got = talk(r, 10)
    assert len(got) > 1000 and r.degree().mean() > 5

"""Front ends and sensor faults: volts and microsiemens to the counts that the chips would deliver."""

import numpy as np
import pytest
from pulseweave.problem import Problem
from pulseweave.sim import faults as broken
from pulseweave.sim.body import Body
from pulseweave.sim.faults import Faults
from pulseweave.sim.frontend import FrontEnd, adc_counts, gsr_sixteenths

ANALOG = {
    "pulse": {"kind": "analog", "contact_min": 1000, "contact_max": 3000},
    "skin": {"kind": "grove_gsr", "cal": 2048},
}
OPTICAL = {"pulse": {"kind": "max30102", "contact_min": 50000}, "skin": {"kind": "grove_gsr", "cal": 2048}}


def converted(board, nodes=30, seconds=30, touching=True, faulty=()):
    """Pulse counts [n, 100 s] and skin [n, 10 s] of synthetic visitors, and the faults' last flags."""
    body, front, faults = Body(3, nodes), FrontEnd(board, 3, nodes), Faults(board, 3, nodes)
    for kind in faulty:
        faults.set(kind)
    pulse, skin = [], []
    for i in range(seconds * 10):
        touch = np.full(nodes, touching)
        p, s = front.convert(*body.step(i / 10, 0.1, np.full(nodes, 0.2), np.zeros(nodes), touch), touch)
        p, s = faults.apply(p, s)
        assert p.dtype == np.uint32 and p.shape == (nodes, 10)
        assert s.dtype == np.uint16 and s.shape == (nodes,)
        pulse.append(p)
        skin.append(s)
    return np.concatenate(pulse, 1).astype(int), np.array(skin).T.astype(int), faults.flags


def test_analog_pulse_lies_about_mid_scale():
    pulse, _, _ = converted(ANALOG)
    steady = pulse[:, 500:]
    assert (np.abs(np.median(steady, axis=1) - 2048) < 300).all()
    assert ((steady >= 1000) & (steady <= 3000)).mean() > 0.98
    assert steady.min() >= 176 and steady.max() <= 3890  # 142 mV and 3134 mV


def test_uncovered_sensors_read_outside_the_covered_range():
    pulse, skin, _ = converted(ANALOG, touching=False)
    assert pulse.max() < 1000
    assert (skin == 16 * 2048).all()  # open circuit: the calibration itself
    pulse, _, _ = converted(OPTICAL, touching=False)
    assert pulse.max() < 5000


def test_infrared_counts_fall_with_blood_volume():
    pulse, _, _ = converted(OPTICAL)
    steady = pulse[:, 500:]
    dc = np.median(steady, axis=1)
    assert (dc > 55000).all() and (dc < 160000).all()
    perfusion = np.median(np.ptp(steady.reshape(30, -1, 100), axis=2), axis=1) / dc
    assert 0.005 < np.median(perfusion) < 0.03
    body, a, b = Body(3, 30), FrontEnd(OPTICAL, 3, 30), []
    for i in range(300):
        ppg, eda = body.step(i / 10, 0.1, np.full(30, 0.2), np.zeros(30), np.ones(30, bool))
        b.append((ppg, a.convert(ppg, eda, np.ones(30, bool))[0]))
    volts = np.concatenate([x for x, _ in b], 1)[:, 500:]
    counts = np.concatenate([x for _, x in b], 1)[:, 500:].astype(float)
    for v, c in zip(volts, counts):
        assert np.corrcoef(np.diff(v, n=1), np.diff(c, n=1))[0, 1] < -0.5


def test_a_bias_in_the_volts_does_no_harm():
    """A plug-in may give volts about zero, or those at the pin about 1.65 V."""
    body, plain, biased = Body(1, 8), FrontEnd(ANALOG, 1, 8), FrontEnd(ANALOG, 1, 8)
    touch = np.ones(8, bool)
    for i in range(100):
        ppg, eda = body.step(i / 10, 0.1, np.full(8, 0.2), np.zeros(8), touch)
        a, b = plain.convert(ppg, eda, touch)[0], biased.convert(ppg + 1.65, eda, touch)[0]
        assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


def test_adc_is_linear_in_its_range_and_clips():
    v = np.array([-1.0, 0.0, 0.142, 0.15, 1.65, 2.45, 2.8, 3.0, 3.3, 5.0])
    counts = adc_counts(v).astype(int)
    assert counts.tolist()[:6] == [176, 176, 176, 186, 2048, 3040]
    assert (np.diff(counts) >= 0).all() and counts[-1] == 3889
    assert counts[6] < 2.8 * 4095 / 3.3  # compressed


def test_grove_reading_is_the_inverse_of_the_devices_formula():
    """G_nS = 100000 * (cal - a) // (4096 + 2a): within one count's worth from 0.1 to 30 uS."""
    g = np.array([100, 500, 1000, 2130, 5000, 10000, 20000, 30000])
    a16 = gsr_sixteenths(g / 1000, 2048).astype(int)
    back = 100000 * (16 * 2048 - a16) / (16 * 4096 + 2 * a16)
    per_count = 100000 * (4096 + 2 * 2048) / (4096 + 2 * a16 / 16) ** 2
    assert (np.abs(back - g) <= 0.05 * per_count + 0.5).all()


def test_same_seed_same_counts():
    for board in (ANALOG, OPTICAL):
        assert np.array_equal(converted(board, 5, 10)[0], converted(board, 5, 10)[0])
        assert np.array_equal(converted(board, 9, 10)[0][:5], converted(board, 5, 10)[0])


def test_a_finger_that_comes_and_goes():
    body, front, touch = Body(2, 10), FrontEnd(ANALOG, 2, 10), np.zeros(10, bool)
    seen = []
    for i in range(200):
        touch[:] = 50 <= i < 120
        ppg, eda = body.step(i / 10, 0.1, np.full(10, 0.2), np.zeros(10), touch)
        seen.append(front.convert(ppg, eda, touch)[0])
    seen = np.concatenate(seen, 1).astype(int)
    assert (seen[:, 100:500] < 1000).all()
    assert ((seen[:, 800:1200] > 1000) & (seen[:, 800:1200] < 3000)).mean() > 0.95
    assert (seen[:, 1260:] < 1000).all()


def test_signals_of_a_bad_plugin_are_refused_and_bad_numbers_survived():
    front = FrontEnd(ANALOG, 1, 4)
    touch = np.ones(4, bool)
    with pytest.raises(Problem, match=r"ppg has shape \(3, 10\): it must be \(4, samples\)"):
        front.convert(np.zeros((3, 10)), np.zeros((4, 1)), touch)
    with pytest.raises(Problem, match="eda is no array of numbers"):
        front.convert(np.zeros((4, 10)), [["a"]] * 4, touch)
    bad = np.array([[np.nan] * 10, [np.inf] * 10, [-np.inf] * 10, [0.0] * 10])
    pulse, skin = front.convert(bad, np.array([[np.nan], [np.inf], [-1.0], [1e9]]), touch)
    assert pulse.max() <= 4095 and skin.max() <= 65535
    with pytest.raises(Problem, match="pulse sensor 'laser' has no model"):
        FrontEnd({"pulse": {"kind": "laser"}, "skin": {"kind": "grove_gsr"}}, 1, 2)


def test_faults_spoil_what_they_name_and_nothing_else():
    clean, skin, flags = converted(ANALOG, 6, 10)
    assert not flags.any()
    pulse, _, _ = converted(ANALOG, 6, 10, faulty=["pulse_saturated"])
    assert (pulse == 3889).all()  # 3134 mV, the most this ADC reads
    pulse, feel, _ = converted(ANALOG, 6, 10, faulty=["pulse_shorted"])
    assert (pulse == 176).all() and np.array_equal(feel, skin)
    pulse, feel, _ = converted(ANALOG, 6, 10, faulty=["skin_shorted"])
    assert (feel == 16 * 176).all() and np.array_equal(pulse, clean)
    pulse, _, _ = converted(ANALOG, 6, 10, faulty=["motion"])
    assert (pulse[:, 500:].std(axis=1) > 2 * clean[:, 500:].std(axis=1)).all()
    pulse, feel, _ = converted(ANALOG, 6, 30, faulty=["pulse_unplugged", "skin_unplugged"])
    assert (pulse.std(axis=1) > 100).all() and not np.array_equal(feel, skin)


def test_flicker_folds_to_where_sampling_puts_it():
    """100 Hz lamps sampled at 100 Hz: a slow beat. 120 Hz: 20 Hz."""
    for kind, low, high in (("flicker_100", 0.01, 0.15), ("flicker_120", 19.5, 20.5)):
        seen, _, _ = converted(ANALOG, 4, 60, faulty=[kind])
        clean, _, _ = converted(ANALOG, 4, 60)
        lamp = (seen - clean)[:, 600:].mean(axis=0)
        power = np.abs(np.fft.rfft((lamp - lamp.mean()) * np.hanning(len(lamp)))) ** 2
        f = np.fft.rfftfreq(len(lamp), 0.01)
        assert low < f[np.argmax(power)] < high


def test_flags_tell_the_bus_what_is_wrong():
    faults = Faults(OPTICAL, 1, 4)
    for node, kind in enumerate(("pulse_unplugged", "i2c_hang", "rate_fast")):
        faults.set(kind, node)
    faults.set("fifo_overflow", [2])
    assert faults.flags.tolist() == [broken.NACK, broken.HANG, broken.FAST | broken.OVERFLOW, 0]
    faults.set("i2c_hang", 1, on=False)
    assert faults.flags[1] == 0
    with pytest.raises(Problem, match="fault 'gremlins' is unknown: use one of motion"):
        faults.set("gremlins")
    with pytest.raises(Problem, match="board's pulse sensor is analog"):
        Faults(ANALOG, 1, 4).set("i2c_hang")


def test_other_nodes_stay_whole():
    body, front, faults = Body(1, 3), FrontEnd(ANALOG, 1, 3), Faults(ANALOG, 1, 3)
    for kind in broken.KINDS[:8]:
        faults.set(kind, 1)
    ppg, eda = body.step(0, 0.1, np.full(3, 0.2), np.zeros(3), np.ones(3, bool))
    pulse, skin = front.convert(ppg, eda, np.ones(3, bool))
    worse, feel = faults.apply(pulse, skin)
    assert np.array_equal(pulse[[0, 2]], worse[[0, 2]]) and np.array_equal(skin[[0, 2]], feel[[0, 2]])
    assert not np.array_equal(pulse[1], worse[1])

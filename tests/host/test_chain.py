"""From a person to the node's figures: bodies or recordings, front end, shims, drivers and the firmware's own sensing."""

import msgspec
import numpy as np
import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action


def run(board, seconds, nodes, visitors="synthetic", actions=()):
    """Records of every node once a second [seconds, nodes], and the simulation's crowd and body."""
    base = scenario.load("calm")
    plan = msgspec.structs.replace(
        base, board=board, nodes=nodes, visitors=visitors, crowd={}, script=list(actions)
    )
    sim = Simulation(plan, seed=3, native=True)
    try:
        rows = [done.records for _ in range(seconds * 50) if (done := sim.watch()).records is not None]
    finally:
        sim.close()
    return np.array(rows), sim


@pytest.mark.parametrize("board", ["virtual", "virtual-max30102"])
def test_recorded_hearts_are_read_right(recorded, board):
    """ppg_ecg_50hz through the sensors' models into the device code: the nodes' median heart rate over a minute is
    the ECG's within 4 %, at five of six nodes at least (some of these people move), and within 1.5 % at most."""
    rows, sim = run(board, 80, 6, f"recordings:{recorded}/ppg_ecg_50hz")
    errors = []
    for node in range(6):
        if sim.crowd.turn[node]:
            continue  # the next person came in between
        into = 20 - sim.crowd.since[node]
        beats = np.load(recorded / "ppg_ecg_50hz" / f"{sim.crowd.names[sim.crowd.playing[node]]}.npz")[
            "ref_beats_s"
        ]
        beats = beats[(beats > into) & (beats < into + 60)]
        seen = rows["hr_q4"][20:, node] / 16.0
        truth = 60 / np.median(np.diff(beats))
        errors.append(abs(np.median(seen[seen > 0]) / truth - 1))
    assert len(errors) >= 4
    assert np.sort(errors)[-2] < 0.04, errors
    assert np.median(errors) < 0.015, errors


@pytest.mark.parametrize("board", ["virtual", "virtual-max30102"])
def test_synthetic_hearts_and_skins_are_read_right(board):
    rows, sim = run(board, 90, 8)
    seen = np.median(rows["hr_q4"][60:] / 16.0, axis=0)
    assert np.median(np.abs(seen / sim.body.hr_bpm - 1)) < 0.03
    assert (rows["contact"][20:] == 1).mean() > 0.98
    assert np.median(rows["quality"][30:]) > 200
    level = rows["scl_ns"][-1] / 1000.0
    settled = sim.body.level_us * (1 - sim.body.person.settles * np.exp(-sim.body.skin.touched_s / 80))
    assert np.median(np.abs(level / settled - 1)) < 0.1


def test_bus_faults_are_noticed_and_heal():
    """A chip that does not answer is a fault, not a visitor; ten seconds after it is back the pulse is read again."""
    kinds = ["pulse_unplugged", "i2c_hang", "rate_fast", "rate_slow"]
    actions = [Action(20, "fault", node=i, name=k, seconds=20) for i, k in enumerate(kinds)]
    rows, sim = run("virtual-max30102", 60, 5, actions=actions)
    gone = rows[25:39]
    assert (gone["sense_faults"][:, :2] & 1).all() and not gone["contact"][:, :2].any()
    assert (gone["contact"][:, 2:] == 1).all() and not gone["sense_faults"][:, 2:].any()
    assert (rows["contact"][50:] == 1).all() and not rows["sense_faults"][50:].any()
    seen = np.median(
        rows["hr_q4"][33:40, 2:4] / 16.0, axis=0
    )  # a clock that is 5 % off is measured, not believed
    assert np.abs(seen / sim.body.hr_bpm[2:4] - 1).max() < 0.08
    assert (np.median(rows["hr_q4"][54:], axis=0) > 0).all()


def test_analog_faults_do_not_pass_for_visitors():
    kinds = ["pulse_shorted", "pulse_saturated", "pulse_unplugged", "motion"]
    actions = [Action(20, "fault", node=i, name=k, seconds=20) for i, k in enumerate(kinds)]
    rows, _ = run("virtual", 60, 5, actions=actions)
    assert not rows["contact"][25:39, :2].any()
    assert (rows["quality"][28:39, 2:4] < 128).all()
    assert np.median(rows["quality"][28:39, 2:4]) < 64
    assert np.median(rows["quality"][28:39, 4]) > 200
    assert (rows["contact"][50:] == 1).all()

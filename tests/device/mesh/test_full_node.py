"""The mesh inside whole nodes of the simulator: a dead radio, its quirks, and one cluster larger than a table used to be."""

import json

import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.measures import Measures


@pytest.fixture
def room():
    """Starts rooms, and closes them."""
    started = []

    def start(name="calm", nodes=3, seconds=60, seed=4, **more):
        s = scenario.load(name)
        s.nodes, s.seconds = nodes, seconds
        for k, v in more.items():
            setattr(s, k, v)
        started.append(Simulation(s, seed, 1))
        return started[-1]

    yield start
    for sim in started:
        sim.close()


def run(sim, seconds):
    """Some seconds on; the last record."""
    for k in range(round(seconds * 50)):
        done = sim.step(records=k == round(seconds * 50) - 1)
    return done.records


def status(sim, node) -> dict:
    """What the node's console says."""
    sim.tell(node, {"do": "console", "hex": b"status -j\n".hex()})
    said = b""
    for _ in range(50):
        sim.step()
        said += bytes.fromhex(sim.tell(node, {"do": "console", "hex": ""})["hex"])
    line = next(row for row in said.decode().splitlines() if row.startswith("{"))
    return json.loads(line)


def test_a_dead_radio_stops_neither_heart_nor_light_and_is_told(room):
    sim = room()
    before = run(sim, 25)
    assert before.contact[0] and before.beats[0] > 5 and before.neighbours[0] == 2
    assert status(sim, 0)["mesh_fault"] == 0
    sim.tell(0, {"do": "radio", "dead": True})
    before = run(sim, 0.02)
    shown = sim.frames_shown.copy()
    after = run(sim, 25)
    assert after.beats[0] > before.beats[0] + 15 and after.contact[0]  # it goes on sensing
    assert sim.frames_shown[0] - shown[0] >= 25 * 24  # and shining, at its 25 pictures a second
    assert not after.faults.any() and after.sent[0] == before.sent[0]  # no part of it was put aside
    assert after.neighbours[0] == 0 and after.neighbours[1] == 1  # each side knows the other is gone
    said = status(sim, 0)
    assert said["mesh_fault"] == 2 and said["radio_restarts"] >= 3, said
    sim.tell(0, {"do": "radio"})  # alive again: it comes back by itself
    healed = run(sim, 20)
    assert healed.neighbours[0] == 2 and healed.neighbours[1] == 2 and status(sim, 0)["mesh_fault"] == 0


def test_the_radios_quirks_are_recovered_from(room):
    """Oversize frames of a stranger, after which the ring has lost its step (ValueError), and refused sends (NO_MEM)."""
    sim = room()
    before = run(sim, 15)
    now = sim.tick
    sizes = {now: 251, now + 400: 1470}
    sim.radio.attack = lambda tick, t_ms, heard: [(2, 5.0, bytes(sizes[tick]), 2)] if tick in sizes else []
    sim.tell(1, {"do": "radio", "no_mem": 3})
    after = run(sim, 20)
    assert not after.faults.any() and (after.neighbours == 2).all()
    assert (after.received > before.received + 50).all() and (after.sent > before.sent + 20).all()
    for node in (0, 1):
        said = status(sim, node)
        assert said["radio_restarts"] >= 2 and said["mesh_fault"] == 0, said


def test_frames_of_any_length_do_no_harm(room):
    """MicroPython cuts a bytearray it receives into to the length of the frame: two bytes were the end of a mesh."""
    sim = room(nodes=2)
    run(sim, 10)
    first = sim.tick
    sim.radio.attack = lambda tick, t_ms, heard: [(1, 5.0, bytes([0x51] * (1 + (tick - first) % 248)), 1)]
    before = run(sim, 0.02)
    after = run(sim, 10)
    assert not after.faults.any() and (after.neighbours == 1).all(), after.faults
    assert after.rejected[0] > before.rejected[0] + 200 and after.received[0] > before.received[0] + 10
    assert status(sim, 0)["mesh_fault"] == 0 and status(sim, 0)["radio_restarts"] == 0


def test_one_cluster_of_80_fills_every_table(room):
    """`cluster` of a scenario configures the nodes' tables: more than the usual 64 know each other, over some hops."""
    s = scenario.load("hall")
    sim = room("hall", nodes=80, seconds=30, radio={**s.radio, "loss": 0.1})
    assert len(sim.members) == 1
    measures = Measures(sim)
    for _ in range(30 * 50):
        measures.tick(sim.watch())
    ages = [age for answer in sim.ask({"do": "ages"}) for age in answer["ages"]]
    assert len(ages) == 80 * 79 and max(ages) < 30_000
    assert measures.report(1.0, 1)["mesh"]["event_delivery"] == 1.0

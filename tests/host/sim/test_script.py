"""What a script or the page does to a room reaches every node."""

import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action, Scenario


def said(sim: Simulation, node: int, line: str) -> str:
    """What a node's console answers to a line within half a second."""
    sim.tell(node, {"do": "console", "hex": (line + "\n").encode().hex()})
    for _ in range(25):
        sim.step()
    return bytes.fromhex(sim.tell(node, {"do": "console", "hex": ""})["hex"]).decode()


def test_a_scene_is_the_whole_rooms():
    s = scenario.load("calm")
    s.nodes, s.script = 3, []
    sim = Simulation(s, 1)
    try:
        for _ in range(250):
            sim.step()
        sim.steer(Action(at_s=0, do="scene", name="murmuration"))
        for _ in range(250):
            sim.step()
        for node in range(3):
            assert '"scene": "murmuration"' in said(sim, node, "scene -j")
    finally:
        sim.close()


def room(nodes: int = 3, **more) -> Simulation:
    return Simulation(Scenario(title="x", nodes=nodes, **more), 1)


def go(sim: Simulation, seconds: float):
    """Some seconds of the room; the last one's records."""
    for k in range(round(seconds * 50)):
        done = sim.step(records=k == round(seconds * 50) - 1)
    return done.records


def heard(sim: Simulation) -> list:
    """Who is told what from now on."""
    told, tell = [], sim.tell

    def listening(node: int, request: dict) -> dict:
        told.append((node, request["do"]))
        return tell(node, request)

    sim.tell = listening
    return told


def test_a_node_without_power_is_not_started_by_a_reboot():
    sim = room()
    try:
        for do in ("off", "reboot"):
            go(sim, 1)
            sim.steer(Action(0, do, node=1))
        before = int(sim.frames_shown[1])
        go(sim, 2)
        assert int(sim.frames_shown[1]) == before and not sim.strands.wire[1].any()
        sim.steer(Action(0, "on", node=1))
        go(sim, 2)
        assert sim.strands.wire[1].any()
    finally:
        sim.close()


def test_orders_reach_the_room_while_its_first_node_is_off():
    sim = room()
    try:
        go(sim, 5)
        sim.steer(Action(0, "off", node=0))
        told = heard(sim)
        sim.steer(Action(0, "damping", on=False))
        assert told == [(1, "damping"), (2, "damping")]  # neither has the keys to tell the other
        sim.steer(Action(0, "scene", name="tide"))
        assert told[2:] == [(1, "scene")]
        go(sim, 5)
        for node in (1, 2):
            assert '"scene": "tide"' in said(sim, node, "scene -j")
        for node in (1, 2):
            sim.steer(Action(0, "off", node=node))
        sim.steer(Action(0, "scene", name="hearth"))  # nobody is there: nothing happens
        sim.steer(Action(0, "damping", on=True))
        assert sim.tell(0, {"do": "scene", "name": "tide"}) == {"sent": False}
        assert sim.tell(0, {"do": "damping", "on": True}) == {"sent": False}
    finally:
        sim.close()


def test_nobody_waits_for_an_event_that_was_never_sent():
    sim = room()
    try:
        go(sim, 1)
        sim.steer(Action(0, "off", node=1))
        sim.steer(Action(0, "ping", node=1))
        assert not sim.ping_log
        sim.steer(Action(0, "ping", node=0))
        assert list(sim.ping_log.values()) == [(0, 1.0)]
    finally:
        sim.close()


@pytest.mark.parametrize("kind", ["pulse_unplugged", "i2c_hang"])
def test_a_broken_sensor_is_still_broken_after_a_restart(kind):
    sim = room(1, board="virtual-max30102", faults={"0": kind})
    try:
        go(sim, 15)
        sim.steer(Action(0, "reboot", node=0))
        records = go(sim, 15)
        assert records.sense_faults[0] and not records.contact[0]
    finally:
        sim.close()


def test_a_node_that_is_told_to_reboot_on_its_console_does():
    sim = room(1)
    try:
        go(sim, 2)
        assert "reboot" in said(sim, 0, "reboot -j")
        assert '"boots": 2' in said(sim, 0, "status -j")
    finally:
        sim.close()

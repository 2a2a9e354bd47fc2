"""What a script or the page does to a room reaches every node."""

from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action


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

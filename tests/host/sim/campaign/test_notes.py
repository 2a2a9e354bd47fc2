"""A node that crashed is asked why from another node's console, over the mesh."""

from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Scenario


def seconds(sim: Simulation, n: float) -> None:
    for _ in range(round(n * 50)):
        sim.step()


def said(sim: Simulation) -> str:
    return "".join(
        text for a in sim.ask({"do": "printed"}) for slot, text in a["said"].items() if slot == "0"
    )


def test_crash_notes_are_read_over_the_mesh():
    sim = Simulation(Scenario(title="two", nodes=2), 4)
    try:
        seconds(sim, 8)
        sim.tell(1, {"do": "reboot", "cause": 3})  # the watchdog
        seconds(sim, 8)
        sim.tell(0, {"do": "type", "text": "crash 2\r"})
        seconds(sim, 2)
        assert "watchdog" not in said(sim)
        sim.tell(0, {"do": "type", "text": "crash 2\r"})
        seconds(sim, 1)
        answer = said(sim)
        assert "2 boot" in answer and "watchdog" in answer, answer
    finally:
        sim.close()

"""The rooms of one run: scenarios with the command line's wishes on top, each made when it is asked for.

In: wishes (of `pulseweave sim`, by the names of its options). Out: (Simulation, Measures); the last room again, as bytecode.
"""

from pulseweave.problem import Problem
from pulseweave.sim import scenario as scenarios
from pulseweave.sim.engine import Simulation
from pulseweave.sim.measures import Measures
from pulseweave.sim.recording import Recorder


def prepare(name: str, wishes: dict) -> scenarios.Scenario:
    """The scenario with `wishes` on top. Raises Problem."""
    s = scenarios.load(name)
    if wishes["nodes"] is not None:
        s.nodes = wishes["nodes"]
    if wishes["loss"] is not None:
        if not 0 <= wishes["loss"] <= 1:
            raise Problem(f"--loss {wishes['loss']}: a share of frames from 0 to 1")
        s.radio = {**s.radio, "loss": wishes["loss"]}
    if wishes["visitors"]:
        s.visitors = wishes["visitors"]
    if wishes["board"]:
        s.board = wishes["board"]
    if wishes["damping"]:
        s.damping = wishes["damping"] == "on"
    return s


class Rooms:
    """Makes rooms by a scenario's name, for Live; `recorder` is for the first of them alone, because a page may choose
    the same scenario again."""

    def __init__(self, wishes: dict, seed: int, workers: int, native: bool, recorder: Recorder | None):
        self.scenario: scenarios.Scenario  # of the room that was made last
        self.wishes, self.seed, self.workers, self.native = wishes, seed, workers, native
        self.recorder = recorder
        self.room: Simulation | None = None

    def __call__(self, name: str) -> tuple[Simulation, Measures]:
        self.scenario = prepare(name, self.wishes)
        recorder, self.recorder = self.recorder, None
        room = Simulation(self.scenario, self.seed, self.workers, recorder, self.native)
        self.room = room
        if self.wishes["air"]:
            from pulseweave.air import named
            from pulseweave.sim.air import SharedAir

            room.air = SharedAir(named(self.wishes["air"]), room.members[0], room.n)
        return room, Measures(room)

    def again(self) -> Simulation:
        """The last room anew, as bytecode: that keeps tracebacks."""
        return Simulation(self.scenario, self.seed, self.workers)

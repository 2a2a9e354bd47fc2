"""Orders from a page: each becomes an action in the room's script, so that a steered run can be taken again."""

from pulseweave.problem import Problem
from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action


def steer(sim: Simulation, order: dict) -> None:
    """Carry out one order to the room. Raises Problem."""
    do = order.get("do")
    if do == "damping":
        action = Action(0, do, on=bool(order.get("on")))
    elif do == "upset":
        action = Action(0, do, fraction=fraction(order.get("fraction", 0.5)))
    elif do in ("lift", "touch"):
        action = Action(0, do, node=number(order.get("node", 0)))
    elif do == "scene":
        action = Action(0, do, node=0, name=str(order.get("name")))
    else:
        raise Problem(f"the room knows no order {do!r}")
    sim.steer(action)


def speed(value) -> float | None:
    """A pace, None for as fast as it goes. Raises Problem."""
    if value == "fast":
        return None
    if isinstance(value, int | float) and 0.1 <= value <= 64:
        return float(value)
    raise Problem(f"speed {value!r}: use 0.1 to 64, or fast")


def number(value) -> int:
    """A node. Raises Problem."""
    if not isinstance(value, int):
        raise Problem(f"node {value!r} is no number")
    return value


def fraction(value) -> float:
    """A share of the crowd. Raises Problem."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Problem(f"fraction {value!r}: use a number from 0 to 1")
    return float(value)

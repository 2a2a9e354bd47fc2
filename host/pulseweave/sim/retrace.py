"""The traceback that machine code does not keep: the same run is taken again as bytecode, up to the same failure.

In: the failure, how to make the room again, what it was told by a page. Out: the failure with its traceback; the first one
where the run cannot be repeated (a process that was killed) or is not let run to its end.
"""

from collections.abc import Callable, Iterable

from pulseweave.sim.engine import Simulation
from pulseweave.sim.scenario import Action
from pulseweave.sim.workers import WorkerFailure


def retraced(
    failure: WorkerFailure,
    again: Callable[[], Simulation],
    steered: Iterable[tuple[int, Action]] = (),
    ended: Callable[[], object] = bool,
) -> WorkerFailure:
    """`again()` makes the room as bytecode; `steered` is what it was told, by tick; `ended()` true breaks off."""
    if failure.node < 0:
        return failure  # the process died: nothing in the run says that it would again
    orders, room = list(steered), None
    try:
        room = again()
        while room.t_s <= failure.t_s and not ended():
            while orders and orders[0][0] == room.tick:
                room.steer(orders.pop(0)[1])
            room.step()
    except WorkerFailure as e:
        return e
    finally:
        if room:
            room.close()
    return failure

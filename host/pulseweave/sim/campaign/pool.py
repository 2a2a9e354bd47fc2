"""Many seeds over several processes; each outcome depends on its seed alone.

In: a `Job`, seeds, workers. Out: outcomes as they come; failing ones shrunk.
"""

import gc
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path

import msgspec

from pulseweave.paths import DEVICE
from pulseweave.sim.campaign.faults import CLASSES, Plan, draw, keep
from pulseweave.sim.campaign.run import Outcome, run
from pulseweave.sim.campaign.shrink import shrink
from pulseweave.sim.pool import processes, stay


class Job(msgspec.Struct):
    """What all seeds share: seconds, number of nodes (None: drawn), classes of faults, the firmware's folder."""

    seconds: float
    nodes: int | None = None
    kinds: tuple[str, ...] = tuple(CLASSES)
    firmware: str = str(DEVICE)
    processes: int = 1  # interpreters for one room

    def plan(self, seed: int) -> Plan:
        return draw(seed, self.seconds, self.nodes, self.kinds)


class Small(msgspec.Struct):
    """A failing seed's shortest form: numbers of its faults, their outcome, and how many runs it took to find it."""

    numbers: list[int]
    outcome: Outcome
    runs: int


def one(job: Job, seed: int, beat: Callable[[float], None] | None = None) -> Outcome:
    """The outcome of a seed; `beat` as in `run`."""
    stay()
    outcome = run(job.plan(seed), Path(job.firmware), workers=job.processes, beat=beat)
    gc.collect()  # a room is a web of references, mostly numpy's: the collector does not see how much waits for it
    return outcome


def smallest(job: Job, seed: int, broken: Outcome) -> Small:
    """The shortest form of a failing seed."""
    outcomes: dict[tuple[int, ...], Outcome] = {}
    assert broken.failure
    until = broken.failure.t_s + 60 if broken.failure.t_s < job.seconds - 1 else None

    def breaks(plan: Plan) -> str | None:
        stay()
        o = outcomes[tuple(plan.numbers)] = run(plan, Path(job.firmware), until)
        return o.failure.invariant if o.failure else None

    plan = job.plan(seed)
    small, runs = shrink(plan, broken.failure.invariant, breaks)
    outcome = outcomes.get(tuple(small.numbers), broken)
    if outcome.failure is None or outcome.failure.invariant != broken.failure.invariant:
        small, outcome = keep(plan, plan.numbers), broken
    return Small(list(small.numbers), outcome, runs)


def every(job: Job, seeds: list[int], workers: int, each: Callable[[Outcome], None]) -> None:
    """`each` is called with every outcome, as they come."""
    with processes(workers) as pool:
        pending = {pool.submit(one, job, seed) for seed in seeds}
        while pending:
            ready, pending = wait(pending, return_when=FIRST_COMPLETED)
            for f in ready:
                each(f.result())


def shrunk(job: Job, broken: list[Outcome], workers: int) -> list[Small]:
    """The shortest forms of failing seeds."""
    if not broken:
        return []
    with processes(min(workers, len(broken))) as pool:
        return list(pool.map(smallest, [job] * len(broken), [o.seed for o in broken], broken))

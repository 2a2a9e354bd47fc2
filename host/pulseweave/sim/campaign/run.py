"""One seed: its room from start to end, or to the first thing that must not be.

In: a `Plan`. Out: an `Outcome`, plain numbers and text, which the campaign gathers from its processes.
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from pulseweave.paths import DEVICE
from pulseweave.processes import cpu_s
from pulseweave.sim.campaign.checks import Checks, Failure
from pulseweave.sim.campaign.faults import Plan
from pulseweave.sim.campaign.patience import Patience
from pulseweave.sim.campaign.room import CampaignRoom
from pulseweave.sim.engine import BLOCK, TICK_S
from pulseweave.sim.workers import WorkerFailure

MINUTE = 3000  # ticks


class Fate(msgspec.Struct):
    """What became of one fault: `recovery_s` runs from its end to a healthy room, None where other faults overlap."""

    kind: str
    survived: bool
    recovery_s: float | None


class Outcome(msgspec.Struct):
    """A run: `failure` (invariant, node, t_s, text) or None; `resets` over all nodes, first starts not counted; `floors`:
    bytes in use after every virtual hour."""

    seed: int
    nodes: int
    seconds: float
    digest: str
    cpu_s: float
    failure: Failure | None
    fates: list[Fate]
    resets: int
    grew_bytes: int
    floors: list[int] = []


def run(
    plan: Plan,
    firmware: Path = DEVICE,
    until_s: float | None = None,
    native: bool = True,
    workers: int = 1,
    beat: Callable[[float], None] | None = None,
) -> Outcome:
    """Run the room of `plan` in `workers` interpreters, at most to `until_s`. `beat(t_s)` is called once a virtual minute;
    with it, Ctrl-C ends the run and what it has brought so far is the outcome."""
    began = time.process_time()
    end = plan.seconds if until_s is None else min(plan.seconds, until_s)
    with Patience() as patience:
        room = CampaignRoom(plan, firmware, workers, native)
        pids = room.nodes.pids
        cpu = 0.0
        checks = Checks(room, plan.seconds)
        try:
            while room.tick * TICK_S < end and checks.failure is None:
                checks.tick(room.step(ahead=BLOCK))
                patience.steps = room.tick
                if beat and room.tick % MINUTE == 0:
                    beat(room.t_s)
            cpu = sum(map(cpu_s, pids))
        except WorkerFailure as e:
            checks.fail("worker", e.node, room.tick, e.text[-600:])
        except KeyboardInterrupt:
            if not beat:
                raise
            cpu = sum(map(cpu_s, pids))
        finally:
            room.close()
    return Outcome(
        plan.seed, plan.nodes, round(room.tick * 0.02, 2), room.digest.hexdigest(),
        round(time.process_time() - began + cpu, 3), checks.failure, fates(plan, checks),
        int(checks.boots.sum()) - plan.nodes, min(checks.late[:-1]) - max(checks.early) if len(checks.late) > 1 else 0,
        checks.floors,
    )  # fmt: skip


def fates(plan: Plan, checks: Checks) -> list[Fate]:
    """For every fault that began: did the room live through it, and how long did it take to be well again?"""
    seconds = len(checks.healthy)
    healthy = np.array(checks.healthy).reshape(seconds, plan.nodes)
    broke = checks.failure.t_s if checks.failure else np.inf
    spans = []
    for f in plan.faults:
        nodes = slice(None) if f.node < 0 else slice(f.node, f.node + 1)
        well = np.all(healthy[:, nodes], axis=1)
        first = round(f.end_s / TICK_S) // 50  # the first look after its end
        after = np.flatnonzero(well[first:])
        spans.append((f.at_s, first + after[0] + 1 if after.size else np.inf))
    out = []
    for k, (f, (a, b)) in enumerate(zip(plan.faults, spans)):
        if a > min(broke, seconds):
            continue
        alone = all(d < a or c > b for i, (c, d) in enumerate(spans) if i != k)
        lived = broke > b
        late = round(max(0.0, float(b) - f.end_s), 2) if lived and np.isfinite(b) and alone else None
        out.append(Fate(f.kind, bool(lived), late))
    return out

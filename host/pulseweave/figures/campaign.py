"""The fault campaign: its speed, that of the soak's room, and for each class of faults how many were lived through and
the longest recovery.

The limit of speed is what a thousand rooms of ten virtual minutes need to fit into an hour of two cores; of recovery, the
quiet end that every room has.
"""

import os
import time

from pulseweave.figures.figure import Figure
from pulseweave.problem import Problem
from pulseweave.sim.campaign.faults import TAIL_S
from pulseweave.sim.campaign.pool import Job, every
from pulseweave.sim.campaign.report import report
from pulseweave.sim.campaign.run import Outcome, run
from pulseweave.sim.cores import settled

SEEDS, SECONDS = 60, 600.0
HOUR_CPU_S = 7200.0
ROOMS = 1000
SOAK_NODES = 12


def soak(quick: bool) -> Figure:
    """How far the room of the seven days comes in an hour: spread over two cores, and on one."""
    plan = Job(180.0 if quick else SECONDS, SOAK_NODES, ()).plan(1)
    began = time.monotonic()
    with settled(0):
        alone = run(plan)
    between = time.monotonic()
    spread = run(plan, workers=2)
    over = time.monotonic()
    if alone.failure or spread.failure or alone.digest != spread.digest:
        raise Problem("the soak's room differs on two cores from what it is on one")
    one, two = plan.seconds / (between - began), plan.seconds / (over - between)
    return Figure("soak_hours_per_hour", two, "virtual h per h", "on one core", one, more=True)


def measure(quick: bool) -> list[Figure]:
    job = Job(200.0 if quick else SECONDS)
    seeds = list(range(1, 7 if quick else SEEDS + 1))
    outcomes: list[Outcome] = []
    every(job, seeds, min(2, os.cpu_count() or 1), outcomes.append)
    outcomes.sort(key=lambda o: o.seed)
    r = report(job, outcomes, [], 0.0)
    # a room that breaks ends early: what a whole one costs is taken from CPU time per virtual second
    cpu = r["cpu_s"] / sum(o.seconds for o in outcomes) * SECONDS * ROOMS
    out = [
        Figure("campaign_broken", float(r["failed"]), "rooms", limit=0.0),
        Figure(
            "campaign_1000_rooms_cpu_s", cpu, "CPU s", "an hour of two cores", HOUR_CPU_S, limit=HOUR_CPU_S
        ),
        Figure("campaign_node_s_per_cpu_s", r["node_seconds_per_cpu_s"], "node-s per CPU-s"),
        soak(quick),
    ]
    for kind, c in r["classes"].items():
        if not c["injected"]:
            continue
        share = c["survived"] / c["injected"]
        out.append(Figure(f"campaign_{kind}_survived", share, f"of {c['injected']}", limit=1.0, more=True))
        if c["recovery_s_max"] is not None:
            out.append(Figure(f"campaign_{kind}_recovery_s_max", c["recovery_s_max"], "s", limit=TAIL_S))
    return out

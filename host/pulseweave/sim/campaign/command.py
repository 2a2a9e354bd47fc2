"""`pulseweave campaign`: rooms of real firmware with everything that goes wrong, and what came of it."""

import contextlib
import os
import time
from pathlib import Path

import rich_click as click
from rich.console import Console

from pulseweave.paths import DEVICE
from pulseweave.problem import Problem
from pulseweave.results import writable, write_json
from pulseweave.sim.campaign import progress
from pulseweave.sim.campaign.checks import INVARIANTS
from pulseweave.sim.campaign.faults import CLASSES, keep, lines
from pulseweave.sim.campaign.pool import Job, Small, every, one, shrunk
from pulseweave.sim.campaign.report import report, table
from pulseweave.sim.campaign.run import Outcome, run
from pulseweave.sim.cores import settled

MOST_SHRUNK = 10
LONGEST_H = 24 * 366


@click.command()
@click.option(
    "--seeds", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="How many rooms."
)
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="The first seed.")
@click.option(
    "--hours",
    type=float,
    default=1 / 6,
    show_default="1/6",
    help="Virtual hours of every room, at least 0.05.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes, for many rooms or for a single calm one; the result does not depend on it.",
)
@click.option(
    "--nodes", type=click.IntRange(1, 64), help="Nodes in every room, instead of 1 to 5 drawn by the seed."
)
@click.option("--kinds", metavar="A,B,...", help="Only these classes of faults (--list names them).")
@click.option("--calm", is_flag=True, help="No faults: everyday life, any reset is a failure.")
@click.option(
    "--seed", type=click.IntRange(0), help="One seed alone, as bytecode, so that tracebacks tell lines."
)
@click.option(
    "--faults", metavar="0,2,...", help="With --seed: only these faults of its script; none for none."
)
@click.option("--until", type=float, help="With --seed: end after so many virtual seconds.")
@click.option("--show", is_flag=True, help="With --seed: print its script and end.")
@click.option(
    "--list", "listing", is_flag=True, help="Name the classes of faults and the invariants, and end."
)
@click.option(
    "--firmware", type=click.Path(path_type=Path), help="Folder of the firmware, instead of device/."
)
@click.option("--no-shrink", is_flag=True, help="Leave the scripts of failing seeds as they are.")
@click.option("--json", "json_file", metavar="FILE", help="Write the result as one JSON object; - is stdout.")
def campaign(
    seeds,
    first,
    hours,
    workers,
    nodes,
    kinds,
    calm,
    seed,
    faults,
    until,
    show,
    listing,
    firmware,
    no_shrink,
    json_file,
):
    """Break simulated rooms in every way that is known, and check that the light goes on.

    The checks run after every step.

    Example: pulseweave campaign --seeds 100 --hours 0.1667 --workers 2
    """
    if listing:
        list_all()
        return
    if not 0 < hours <= LONGEST_H:  # not a number is refused as well
        raise Problem(f"--hours {hours:g}: virtual hours up to {LONGEST_H}")
    if until is not None and not until > 0:
        raise Problem(f"--until {until:g}: virtual seconds above 0")
    writable(json_file)
    place = firmware or DEVICE
    if not (place / "weave" / "node.py").is_file():
        raise Problem(
            f"--firmware {place}: no firmware there (weave/node.py is missing): name a copy of device/"
        )
    # in whole seconds, because the checks look once a second, and the last ones at the very end
    job = Job(float(round(hours * 3600)), nodes, () if calm else chosen(kinds), str(place.resolve()))
    if seed is None and (faults is not None or until is not None or show):
        raise Problem("--faults, --until and --show are about one script: name its --seed")
    if seed is not None:
        replay(job, seed, faults, until, show, json_file, str(firmware or ""))
        return
    job.plan(first)  # refuses what cannot be before processes start
    if calm and seeds == 1 and workers:
        job.processes = workers
    began = time.monotonic()
    outcomes = gathered(job, list(range(first, first + seeds)), workers or os.cpu_count() or 1)
    stopped = len(outcomes) < seeds or any(o.seconds < job.seconds and not o.failure for o in outcomes)
    if calm:
        outcomes = [quiet(o) for o in outcomes]
    broken = [o for o in outcomes if o.failure]
    small: list[Small] = []
    if not (no_shrink or calm or stopped):
        try:
            small = shrunk(job, broken[:MOST_SHRUNK], workers or os.cpu_count() or 1)
        except KeyboardInterrupt:
            stopped = True
    result = report(job, outcomes, small, time.monotonic() - began, str(firmware or ""))
    result["stopped"] = stopped
    say(result, json_file == "-")
    write_json(json_file, result, None)
    if broken:
        raise Problem(f"{len(broken)} of {seeds} rooms broke an invariant", code=1)
    if stopped:
        raise KeyboardInterrupt


def chosen(kinds: str | None) -> tuple[str, ...]:
    """The classes that --kinds names. Raises Problem."""
    if kinds is None:
        return tuple(CLASSES)
    words = [w.strip() for w in kinds.split(",") if w.strip()]
    for w in words:
        if w not in CLASSES:
            raise Problem(f"--kinds {w}: no such class of faults: use {', '.join(CLASSES)}")
    if not words:
        raise Problem("--kinds: name at least one class, or use --calm")
    return tuple(words)


def list_all() -> None:
    """Classes and invariants, one a line."""
    for kind, (short, long, _, _, word) in CLASSES.items():
        click.echo(f"{kind:20} {short:g} to {long:g} s{', ' + word if word else ''}")
    click.echo()
    for name, words in INVARIANTS.items():
        click.echo(f"{name:20} {words}")


def quiet(o: Outcome) -> Outcome:
    """In a calm room a reset is a failure."""
    from pulseweave.sim.campaign.checks import Failure

    if o.failure is None and o.resets:
        o.failure = Failure("dark", -1, o.seconds, f"{o.resets} resets that nobody asked for")
    return o


def gathered(job: Job, seeds: list[int], workers: int) -> list[Outcome]:
    """All outcomes in the order of seeds; progress by rooms, or by the minutes of a single one. After Ctrl-C, those that
    there are."""
    if len(seeds) == 1:
        alone = settled(os.getpid()) if job.processes == 1 else contextlib.nullcontext()
        with progress.shown("virtual minutes", int(job.seconds / 60)) as tell, alone:
            return [one(job, seeds[0], lambda t_s: tell(int(t_s / 60), 0))]
    outcomes: list[Outcome] = []
    with progress.shown("rooms", len(seeds)) as tell:

        def each(o: Outcome) -> None:
            outcomes.append(o)
            tell(len(outcomes), sum(o.failure is not None for o in outcomes))

        try:
            every(job, seeds, min(workers, len(seeds)), each)
        except KeyboardInterrupt:
            pass  # what was whole by then is told
    return sorted(outcomes, key=lambda o: o.seed)


def replay(job: Job, seed: int, faults, until, show, json_file, device: str) -> None:
    """One seed, with all of its script or a part."""
    plan = job.plan(seed)
    if faults is not None:
        try:
            numbers = [] if faults == "none" else [int(w) for w in faults.split(",")]
        except ValueError:
            raise Problem(f"--faults {faults}: numbers with commas between them, or none") from None
        plan = keep(plan, numbers)
    if json_file != "-":
        click.echo("\n".join(lines(plan)))
    if show:
        return
    began = time.monotonic()
    outcome = run(plan, Path(job.firmware), until, native=False)
    if not job.kinds:
        outcome = quiet(outcome)
    result = report(job, [outcome], [], time.monotonic() - began, device)
    write_json(json_file, result, None)
    if outcome.failure:
        f = outcome.failure
        where = f"node {f.node}" if f.node >= 0 else "the room"
        text = f"{f.invariant} ({INVARIANTS[f.invariant]}) broke at {f.t_s:g} s, {where}:\n{f.text}"
        click.echo(text, err=json_file == "-")
        raise Problem("an invariant broke", code=1)
    if json_file != "-":
        click.echo(f"{outcome.seconds:g} s, every invariant held; digest {outcome.digest[:16]}")


def say(r: dict, to_stderr: bool) -> None:
    """The result for a person."""
    console = Console(stderr=to_stderr, soft_wrap=True, highlight=False)
    if any(c["injected"] for c in r["classes"].values()):
        console.print(table(r))
    rooms = "1 room" if r["seeds"] == 1 else f"{r['seeds']} rooms"
    hours, word = (r["hours"], "hours") if r["hours"] > 2 else (r["hours"] * 60, "minutes")
    console.print(
        f"{rooms} of {hours:.4g} virtual {word}, {r['failed']} broken; "
        f"{r['node_seconds_per_cpu_s'] or 0:g} node-seconds per CPU-second, {r['wall_s']:.0f} s"
    )
    if r["stopped"]:
        console.print(f"stopped after {r['hours_run']:.4g} virtual hours")
    for f in r["failures"]:
        of = f" by {len(f['faults'])} of {f['faults_drawn']} faults" if f["faults"] is not None else ""
        last = f["text"].strip().splitlines()[-1]
        console.print(f"seed {f['seed']}: {f['invariant']} at {f['t_s']:g} s{of}: {last}", markup=False)
        console.print(f"  {f['command']}", markup=False)

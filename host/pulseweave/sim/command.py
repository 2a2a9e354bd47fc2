"""`pulseweave sim`: options in, a run, a JSON object out."""

import contextlib
import os
import resource
import sys
import threading
import time

import rich_click as click

from pulseweave.problem import Problem
from pulseweave.results import writable, write_json
from pulseweave.sim import scenario as scenarios
from pulseweave.sim import terminal

DEFAULT = "gathering"


@click.command()
@click.argument("name", metavar="[SCENARIO]", required=False)
@click.option("--list", "show", is_flag=True, help="Name the built-in scenarios and end.")
@click.option("--nodes", type=int, help="How many nodes (the scenario's own number otherwise).")
@click.option("--seconds", type=float, help="Virtual seconds to run; live runs go on until Ctrl-C.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Everything drawn by chance follows from it."
)
@click.option("--workers", type=int, help="MicroPython processes; the result does not depend on it.")
@click.option(
    "--loss", type=float, help="Radio loss 0..1 for everything in range, instead of the radio model's own."
)
@click.option(
    "--visitors", metavar="SPEC", help="synthetic, ou, bosse_treur, sisa, recordings:DIR or MODULE:CLASS."
)
@click.option("--board", metavar="NAME", help="A board of boards/, or a TOML file.")
@click.option(
    "--damping", type=click.Choice(["on", "off"]), help="The damping loop (the scenario says otherwise)."
)
@click.option("--fast", is_flag=True, help="As fast as this machine can, instead of real time.")
@click.option(
    "--web",
    metavar="HOST:PORT|off",
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the page is served.",
)
@click.option(
    "--db", metavar="URL", help="Keep what the room lived through: sqlite:///FILE or postgresql://..."
)
@click.option("--air", metavar="DIR|on", help="Share the air with virtual boards (`on`: those of this user).")
@click.option(
    "--record", metavar="FILE", help="Record every node's input and output, for `pulseweave replay`."
)
@click.option("--render", metavar="FILE", help="Draw the room into FILE.mp4, .gif or .png (extra: film).")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write measurements as one JSON object; - is stdout."
)
def sim(
    name,
    show,
    nodes,
    seconds,
    seed,
    workers,
    loss,
    visitors,
    board,
    damping,
    fast,
    web,
    db,
    air,
    record,
    render,
    json_file,
):
    """Run a room of real nodes on this machine, live on a page or as fast as it can.

    Example: pulseweave sim contagion --fast --web off --json -
    """
    if show:
        for n in scenarios.names():
            click.echo(f"{n:12} {scenarios.load(n).title}")
        return
    wishes = {
        "nodes": nodes,
        "loss": loss,
        "visitors": visitors,
        "board": board,
        "damping": damping,
        "db": db,
        "air": air,
    }
    run(name or DEFAULT, wishes, seconds, seed, workers, fast, web, record, render, json_file)


def run(name, wishes, seconds, seed, workers, fast, web, record, render, json_file):
    """Everything between the options and the exit code."""
    from pulseweave.gather.web.address import address
    from pulseweave.sim.ending import Ending
    from pulseweave.sim.live import Live
    from pulseweave.sim.making import Rooms, prepare

    where = address(web)
    first = prepare(name, wishes)
    if workers is None:
        workers = 2 if first.nodes > 8 and (os.cpu_count() or 1) > 1 else 1
    if seconds is not None and not 0 < seconds <= scenarios.LONGEST_S:
        raise Problem(f"--seconds {seconds:g}: a number of seconds from above 0 to 1e9 is needed")
    if not 0 <= seed < 2**63:
        raise Problem(f"--seed {seed}: 0 or more, and less than 2**63, is needed")
    writable(json_file)
    if seconds is None and (fast or where is None):
        seconds = first.seconds
    # bytecode keeps tracebacks at hand; what must be quick is compiled further
    native = (fast or first.nodes > 64) and os.environ.get("PULSEWEAVE_EMIT") != "bytecode"

    cpu0 = cpu_seconds()
    with contextlib.ExitStack() as parts:
        film = filmed(render, parts) if render else None
        recorder = recorded(record, parts) if record else None
        rooms = Rooms(wishes, seed, workers, native, recorder)
        with Ending() as ending, explained(ending, rooms, record):
            live = Live(rooms, name, seconds)
            parts.callback(lambda: live.sim.close())  # the one that there is by then
            live.speed = None if fast else 1.0
            if wishes["db"]:
                live.after.append(kept(wishes["db"], live, parts))
            if film:
                live.after.append(film.step)
            if where:
                serve(live, where, parts)
            began = time.monotonic()
            drive(live, ending.asked)
            ending.stopped()
            result = live.measures.report(time.monotonic() - began, workers)
    # the workers' CPU time is known once they have ended
    cpu = cpu_seconds() - cpu0
    result["cpu_s"] = round(cpu, 3)
    result["node_seconds_per_cpu_s"] = round(result["nodes"] * result["seconds"] / cpu, 1)
    write_json(json_file, result, None)
    if not json_file:
        click.echo(terminal.summary(result))


# --- what a run may have beside its room: each is ended with the run, the last first -------------------------------------


def filmed(path: str, parts: contextlib.ExitStack):
    """The film that the room is drawn into."""
    from pulseweave.light.film import Film

    return parts.enter_context(contextlib.closing(Film(path)))


def recorded(path: str, parts: contextlib.ExitStack):
    """The recording of the first room."""
    from pulseweave.sim.recording import Recorder

    return parts.enter_context(contextlib.closing(Recorder(path)))


def kept(url: str, live, parts: contextlib.ExitStack):
    """What brings each tick's news into the store at `url`; in the end it says how many."""
    from pulseweave.sim.keeper import Keeper

    keeper = Keeper(url, live)

    def over():
        counts = keeper.close()
        with contextlib.suppress(OSError):  # the terminal may be gone
            said = f"{counts['packets']} packets kept in {url}, {counts['missed']} missed by number"
            click.echo(said, err=True)

    parts.callback(over)
    return keeper.step


def serve(live, where, parts: contextlib.ExitStack) -> None:
    """The page at (host, port)."""
    from pulseweave.gather.web import server

    page = server.serve(live, *where)
    parts.callback(page.stop)
    page.start()
    click.echo(f"the room shines at {page.url}   (Ctrl-C ends it)", err=True)


@contextlib.contextmanager
def explained(ending, rooms, record: str | None):
    """Around a run: a node's interpreter that fails becomes a Problem, with the traceback that machine code loses."""
    from pulseweave.sim.ending import PATIENCE_S
    from pulseweave.sim.retrace import retraced
    from pulseweave.sim.workers import WorkerFailure

    try:
        yield
    except WorkerFailure as e:
        if ending.killed:
            raise Problem(
                f"the nodes did not stop within {PATIENCE_S:g} s and were killed: one of them is in an endless loop",
                code=1,
            ) from None
        if rooms.native:
            e = retraced(e, rooms.again, rooms.room.steered if rooms.room else (), lambda: ending.asked)
        click.echo(f"\n{e}", err=True)
        kept = f"; the recording up to there is in {record}" if record else ""
        raise Problem(f"the run stopped because a node's interpreter failed (above){kept}", code=1) from None


def drive(live, ended: list) -> None:
    """Run in a thread of its own, so that signals reach this one; raises what the room's thread raised."""
    caught: list[BaseException] = []
    seen = sys.stderr.isatty()

    def body():
        try:
            live.run(terminal.show if seen else None)
        except BaseException as e:
            caught.append(e)

    thread = threading.Thread(target=body, name="room")
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
        live.stopping = live.stopping or bool(ended)
    if seen:
        terminal.leave()
    if caught:
        raise caught[0]


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        u = resource.getrusage(who)
        total += u.ru_utime + u.ru_stime
    return total

"""The commands for what was kept: `export`, `report`, `prune`, `forget`."""

import contextlib
import os
import re
import sys
from pathlib import Path

import rich_click as click

from pulseweave.gather.span import moment
from pulseweave.gather.store import Store, open_store
from pulseweave.gather.store.db import Unavailable
from pulseweave.problem import Problem
from pulseweave.results import write_json

NODES = 65_535


def apart(out: str, json_file: str | None) -> None:
    """Raises Problem where both would be written to stdout."""
    if out == json_file == "-":
        raise Problem("--json -: --out is stdout already: give one of the two a file")


@contextlib.contextmanager
def opened(url: str):
    """A store that exists already."""
    try:
        store = open_store(url, create=False)
        try:
            yield store
        finally:
            store.close()
    except Unavailable as e:
        raise Problem(f"{e}: try again", 1) from None


def span(store: Store, since: str | None, until: str | None, table: str = "states") -> tuple[int, int]:
    """From and to in ms; all of `table` where nothing is said. Raises Problem where nothing is there."""
    first, last = store.ends(table)
    if first is None:  # nothing of this kind: of what there is
        first, last = store.ends("states")
    if first is None or last is None:
        raise Problem(
            f"{store.db.where}: nothing has been gathered into it yet: `pulseweave gather --db {store.db.where}`"
        )
    from_ms = first if since is None else moment(since, "--from")
    to_ms = last + 1 if until is None else moment(until, "--to")
    if from_ms >= to_ms:
        raise Problem("--from is not before --to: exchange them")
    return from_ms, to_ms


DB = click.option("--db", required=True, metavar="URL", help="sqlite:///FILE, a file, or postgresql://...")
FROM = click.option(
    "--from", "since", metavar="T", help="2026-11-22T20:30, -2h, -7d ... (default: the beginning)"
)
JSON = click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
TO = click.option("--to", "until", metavar="T", help="The same (default: the end)")


@click.command()
@DB
@FROM
@TO
@click.option(
    "--format", "form", type=click.Choice(["csv", "parquet", "json"]), default="csv", show_default=True
)
@click.option(
    "--table",
    type=click.Choice(["states", "events", "room", "firmware"]),
    default="states",
    show_default=True,
    help="Every version of every node, events, the room's curve by the second, or what nodes run.",
)
@click.option(
    "--out", default="-", show_default=True, metavar="FILE", help="Where it is written; - is stdout."
)
@JSON
def export(db, since, until, form, table, out, json_file):
    """Write what was gathered as CSV, Parquet or JSON, with units in the headers.

    Example: pulseweave export --db evening.db --from -2h --format parquet --out evening.parquet
    """  # fmt: skip
    from pulseweave.gather import export as e

    if form == "parquet" and out == "-":
        raise Problem("--format parquet: a file is needed: add --out FILE")
    apart(out, json_file)
    with opened(db) as store:
        limits = span(store, since, until, "states" if table == "room" else table)
        try:
            if form == "parquet":
                n = e.write_parquet(Path(out), store, table, *limits)
            else:
                write = e.write_csv if form == "csv" else e.write_json
                with contextlib.nullcontext(sys.stdout) if out == "-" else open(out, "w") as file:
                    n = write(file, store, table, *limits)
        except BrokenPipeError:  # whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            raise Problem(f"--out {out}: {error.strerror or error}: choose another file") from None
    if out != "-":
        click.echo(f"{n} rows in {out}", err=True)
    said = {"file": out, "format": form, "table": table, "rows": n}
    write_json(json_file, {**said, "from_ms": limits[0], "to_ms": limits[1]})


@click.command()
@DB
@FROM
@TO
@click.option("--title", default="A gathering", show_default=True)
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="Where it is written; - is stdout.",
)
@JSON
def report(db, since, until, title, out, json_file):
    """Make one HTML file with plots of a gathering.

    Example: pulseweave report --db evening.db --title "Opening night" --out opening.html
    """
    from pulseweave.gather.report import report as made

    apart(out, json_file)
    with opened(db) as store:
        limits = span(store, since, until)
        text = made(store, *limits, title)
    if out == "-":
        click.echo(text)
    else:
        try:
            Path(out).write_text(text)
        except OSError as e:
            raise Problem(f"--out {out}: {e.strerror}: choose another file") from None
        click.echo(out, err=True)
    write_json(json_file, {"file": out, "title": title, "from_ms": limits[0], "to_ms": limits[1]})


def is_store(name: str) -> bool:
    """Whether `pulseweave replay NAME` means a store: a URL, or a file of SQLite's."""
    if "://" in name:
        return True
    with contextlib.suppress(OSError), open(name, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"
    return False


def show(url: str, web: str, since: str | None, until: str | None) -> None:
    """Play a gathering on its page until Ctrl-C."""
    import signal
    import threading

    from pulseweave.gather.replay import Replay
    from pulseweave.gather.web.address import address
    from pulseweave.gather.web.server import serve

    where = address(web)
    if where is None:
        raise Problem("--web off: a gathering is replayed on its page: name HOST:PORT")
    with opened(url) as store:
        room = Replay(store, *span(store, since, until), store.db.where.rpartition("/")[2])
        end = threading.Event()
        for s in (signal.SIGINT, signal.SIGTERM):
            signal.signal(s, lambda *_: end.set())
        with serve(room, *where) as server:
            click.echo(f"the gathering is at {server.url}   (Ctrl-C ends it)", err=True)
            thread = threading.Thread(target=room.run, name="draw", daemon=True)
            thread.start()
            end.wait()
        room.running = False
        thread.join(5)
        room.close()


@click.command()
@DB
@click.option("--before", required=True, metavar="T", help="Everything older goes: 2026-11-22, -30d ...")
@JSON
def prune(db, before, json_file):
    """Erase everything older than a time, for good.

    Example: pulseweave prune --db evening.db --before -30d
    """
    from pulseweave.gather.erase import prune as erase

    with opened(db) as store:
        before_ms = moment(before, "--before")
        n = erase(store, before_ms)
    click.echo(f"{n} packets erased from {store.db.where}", err=True)
    write_json(json_file, {"before_ms": before_ms, "packets": n})


@click.command()
@DB
@click.argument("who", metavar="NODE|VISITOR")
@JSON
def forget(db, who, json_file):
    """Erase all that one node has told, or one visitor's touch, for good. Visitors' numbers are above 65535.

    Example: pulseweave forget --db evening.db 12
    """
    from pulseweave.gather.erase import forget_node, forget_visitor

    if not re.fullmatch("[0-9]{1,18}", who) or int(who) == 0:
        raise Problem(
            f"forget {who}: give a node's number (1 to 65534) or a visitor's, as `pulseweave export` shows them"
        )
    number = int(who)
    with opened(db) as store:
        n = forget_node(store, number) if number < NODES else forget_visitor(store, number)
        if n < 0:
            kind = "node" if number < NODES else "visitor"
            raise Problem(f"forget {who}: {store.db.where} knows no such {kind}: nothing was erased", 1)
    click.echo(f"{n} packets erased from {store.db.where}", err=True)
    write_json(json_file, {"node" if number < NODES else "visitor": number, "packets": n})

"""`pulseweave ledger`, `pulseweave images`: what the bench remembers, for people and as JSON."""

import os
import sys

import rich_click as click

from pulseweave import boards
from pulseweave.bench import images as known_images
from pulseweave.bench.batch import MARKS
from pulseweave.bench.ledger import Ledger, normal, warn
from pulseweave.problem import Problem
from pulseweave.results import tell, write_json


@click.command()
@click.argument("file", required=False)
@click.option("--mac", metavar="MAC", help="Every event of one board.")
@click.option("--node", type=int, metavar="ID", help="Only the boards that had or have this node id.")
@click.option("--json", "json_file", metavar="FILE", help="Write boards and events as JSON (`-` = stdout).")
def ledger(file, mac, node, json_file):
    """What was done to which board: one line per MAC, or every event of one board.

    Example: pulseweave ledger --mac 24:0a:c4:00:01:02
    """
    book = Ledger(file)
    warn(book)
    if file and not os.path.exists(file):
        raise Problem(f"{file}: no such ledger: `flash`, `deploy` and `provision` write one with --ledger")
    states = list(book.boards().values())
    events = book.events
    if mac:
        events = [e for e in events if e["mac"] == normal(mac)]
        states = [s for s in states if s["mac"] == normal(mac)]
    if node is not None:
        macs = {e["mac"] for e in events if e.get("node") == node}
        events = [e for e in events if e["mac"] in macs]
        states = [s for s in states if s["mac"] in macs]
    if not states and (mac or node is not None):
        which = " and ".join([mac] * bool(mac) + [f"node {node}"] * (node is not None))
        raise Problem(f"{book.path}: no board there with {which}: `pulseweave ledger` lists all of them")
    write_json(json_file, {"file": str(book.path), "boards": states, "events": events, "damage": book.damage})
    if json_file == "-":
        return
    from rich.console import Console

    screen = Console(width=None if sys.stdout.isatty() else 160)
    if not states:
        click.echo(f"{book.path}: nothing yet")
    else:
        screen.print(story(events) if mac else overview(states))


def overview(states: list[dict]):
    """One line per board."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("", "mac", "node", "name", "network", "board", "flash", "release", "self-test", "last"):
        table.add_column(head, justify="right" if head == "node" else "left")
    for s in states:
        mark, colour = MARKS[s["verdict"]]
        done = s["done"]
        tested = "PASS" if "selftest" in done else ""
        table.add_row(
            Text(mark, style=colour),
            s["mac"],
            str(s["node"]) if "node" in s else Text("retired" if "retire" in done else "", style="dim"),
            Text(s.get("name", "")),
            Text(s.get("network", "")),
            Text(s.get("board", "")),
            s.get("firmware", "")[:8],
            s.get("release", "")[:8],
            Text(tested, style="green"),
            s["last"].replace("T", " ").rstrip("Z"),
        )
    return table


def story(events: list[dict]):
    """Every event of one board, oldest first."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("", "when (UTC)", "what", "port", "what it was", "why"):
        table.add_column(head)
    for e in events:
        mark, colour = MARKS[e["verdict"]]
        said = [f"node {e['node']}" if "node" in e else "", e.get("name", ""), e.get("image", "")]
        said += [f"release {e['release'][:8]}" if "release" in e else ""]
        table.add_row(
            Text(mark, style=colour),
            e["t"].replace("T", " ").rstrip("Z"),
            e["what"],
            Text(e.get("port", "")),
            Text(" ".join(w for w in said if w) or e.get("board", "")),
            Text(e.get("why", "")),
        )
    return table


@click.group(invoke_without_command=True)
@click.option("--json", "json_file", metavar="FILE", help="Write the images as JSON (`-` = stdout).")
@click.pass_context
def images(ctx, json_file):
    """The firmware images that boards/firmware.lock knows.

    Example: pulseweave images
    """
    if ctx.invoked_subcommand:
        return
    lock = known_images.known()
    write_json(json_file, {"images": lock})
    if json_file == "-":
        return
    if not lock:
        click.echo(
            "boards/firmware.lock knows no image yet: `pulseweave images pin FILE --board B --version V`"
        )
    for name, e in lock.items():
        click.echo(f"{name}  {e['chip']}  {e['version']}  {e['sha256'][:12]}")


@images.command()
@click.argument("file")
@click.option("--board", "name", required=True, metavar="B", help="A board with the image's chip.")
@click.option("--version", required=True, metavar="V", help="MicroPython's version, for people.")
@click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
def pin(file, name, version, json_file):
    """Remember FILE by its SHA-256 under its file name.

    Example: pulseweave images pin ESP32_GENERIC-v1.29.0.bin --board esp32-devkit --version 1.29.0
    """
    from pulseweave.problem import Problem

    image = known_images.load(file, boards.load(name))
    if image.known or image.path.name in known_images.known():
        raise Problem(f"{file}: boards/firmware.lock knows it already")
    known_images.pin(image, version)
    said = {"file": image.path.name, "chip": image.chip, "version": version, "sha256": image.sha256}
    tell(json_file, said, f"{image.path.name}: {image.chip}, SHA-256 {image.sha256}")

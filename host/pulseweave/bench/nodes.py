"""`pulseweave identify`, `status`, `crash`: asking a node that runs, by its port or by its id in the mesh."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import rich_click as click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pulseweave import ports
from pulseweave.bench import provision, talk
from pulseweave.bench.batch import short
from pulseweave.bench.repl import Repl
from pulseweave.firmware import brief
from pulseweave.problem import Problem
from pulseweave.results import tell, write_json

CAUSES = {1: "power-on", 2: "crash or reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}
ASKED, LOOKS, LOOK_S = 3, 4, 1.0  # over the mesh: questions, looks for each answer, pause before a look


def asked(port: str | None, question: str) -> Iterator[tuple[str, Any]]:
    """(port, answer) of `port`, or of every one, which consoles lend. Raises Problem where a named one cannot be asked."""
    for device in [port] if port else [p.device for p in ports.listed()]:
        try:
            with ports.Claim(device, question):
                said = talk.ask(device, question)
        except Problem:
            if port:
                raise
            continue
        yield device, said


def where(port: str | None, node: int | None) -> tuple[str, Any]:
    """(port, status) of the node that is meant; by id every port is asked. Raises Problem."""
    if node is None:
        return ports.only(port), None
    if not port and not ports.listed():
        raise Problem("no board is plugged in: plug one in, or name it with --port")
    for device, said in asked(port, "status"):
        if isinstance(said, dict) and said.get("node") == node:
            return device, said
    return "", None


def through(port: str | None, node: int) -> tuple[str, list]:
    """(port, its mesh table) of a plugged-in node that hears node `node`. Raises Problem."""
    for device, table in asked(port, "mesh"):
        if isinstance(table, list) and any(r.get("node") == node for r in table):
            return device, table
    raise Problem(
        f"node {node} is on no port here and no node here hears it: plug it in, or a node of its cluster"
    )


@click.command()
@click.option("--port", metavar="P", help="The node's port, or the one to reach --node through.")
@click.option(
    "--node", type=int, metavar="ID", help="A node's id: found on any port, or reached over the mesh."
)
@click.option("--json", "json_file", metavar="FILE", help="Write who blinks as JSON (`-` = stdout).")
def identify(port, node, json_file):
    """Make a node blink for ten seconds.

    Example: pulseweave identify --node 12
    """
    device, _ = where(port, node)
    if device:
        with ports.Claim(device, "identify"):
            talk.must(device, "identify")
        said = {"node": node, "port": device, "mesh": False, "seconds": 10}
        tell(json_file, said, f"{device}: it blinks for ten seconds")
        return
    device, _ = through(port, node)
    with ports.Claim(device, "identify"):
        talk.must(device, f"identify {node}")
    said = {"node": node, "port": device, "mesh": True, "seconds": 10}
    tell(json_file, said, f"node {node}: it blinks for ten seconds (asked through {device})")


@click.command()
@click.option("--port", metavar="P", help="The node's port. Default: the only one plugged in.")
@click.option(
    "--node", type=int, metavar="ID", help="A node's id: found on any port, or what the mesh knows of it."
)
@click.option("--json", "json_file", metavar="FILE", help="Write the answer as JSON (`-` = stdout).")
def status(port, node, json_file):
    """How a node is.

    Example: pulseweave status --port /dev/ttyUSB0
    """
    device, said = where(port, node)
    if device:
        with ports.Claim(device, "status"):
            said = said or talk.must(device, "status")
    else:
        device, table = through(port, node)
        said = next(r for r in table if r["node"] == node)
    write_json(json_file, said)
    if json_file != "-":
        Console(width=None if sys.stdout.isatty() else 100).print(page(said, device))


GROUPS = (
    ("who", "node name board release role cluster"),
    ("visitor", "contact bpm rmssd_ms skin_us quality arousal confidence valence opted_out"),
    ("light", "scene level g ratio contagion ma limited"),
    ("mesh", "neighbours synced sent received rejected age"),
    ("health", "up_s boots bad_boots cause safe sensor_faults radio_restarts faults free dropped garbage"),
)


def page(said: dict, title: str) -> Panel:
    """A status, by group; what asks for attention in red."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column()
    shown = set()
    for group, words in GROUPS:
        line = Text()
        for key in words.split():
            if key not in said or said[key] in (None, "", {}):
                continue
            shown.add(key)
            bad = key in ("bad_boots", "safe", "sensor_faults", "faults", "limited") and said[key]
            value = CAUSES.get(said[key], said[key]) if key == "cause" else said[key]
            line.append(f"{key} ", style="dim")
            line.append(f"{value}  ", style="bold red" if bad else "")
        if line:
            table.add_row(group, line)
    return Panel(table, title=f"[bold]node {said.get('node', '?')}[/] on {short(title)}", title_align="left")


@click.command()
@click.option("--port", metavar="P", help="The node's port, or the one to reach --node through.")
@click.option(
    "--node", type=int, metavar="ID", help="A node's id: found on any port, or reached over the mesh."
)
@click.option("--clear", is_flag=True, help="Forget the notes afterwards.")
@click.option("--json", "json_file", metavar="FILE", help="Write the notes as JSON (`-` = stdout).")
def crash(port, node, clear, json_file):
    """The crash notes of a node; also of one in safe mode or one that has stopped. Over the mesh: the newest two, in short.

    Example: pulseweave crash --port /dev/ttyUSB0
    """
    device, _ = where(port, node)
    far = not device
    if far:
        if clear:
            raise Problem(
                f"--clear: node {node} is on no port here: its notes are cleared over its own cable"
            )
        device, _ = through(port, node)
    with ports.Claim(device, "crash"):
        notes = over_mesh(device, node) if far else over_cable(device, clear)
    write_json(json_file, {"port": device, "node": node, "mesh": far, "notes": notes})
    if json_file != "-":
        screen = Console(width=None if sys.stdout.isatty() else 100)
        for note in notes:
            screen.print(card(note))
        if not notes:
            screen.print("no crash notes: nothing went wrong")


def over_cable(device: str, clear: bool) -> list[dict]:
    """All notes of the node on `device`, which are forgotten afterwards where `clear`."""
    notes = talk.ask(device, "crash", seconds=3)
    if isinstance(notes, list):
        if clear:
            talk.must(device, "crash clear")
        return notes
    with Repl(device) as repl:  # nobody at the console: safe mode, or stopped at the prompt
        try:
            notes = provision.read(repl)["notes"]
            if clear:
                repl.run("Notes(Disk).clear()")
        finally:
            repl.restart()
    return notes


def over_mesh(device: str, node: int) -> list[dict]:
    """The two newest notes of `node`, in short, asked through the node on `device`. Raises Problem.

    A node keeps the last answer that came over the air, without its sender. So it is fetched by a question to the asked
    node itself, which nobody answers: no second answer is left on its way for whoever asks next.
    """
    fetch = f"crash {talk.must(device, 'status')['node']}"
    with suppress(Problem):  # the links that `mesh` asked for are no text
        talk.must(device, fetch)
    for _ in range(ASKED):
        talk.must(device, f"crash {node}")
        for _ in range(LOOKS):
            time.sleep(LOOK_S)
            if said := talk.must(device, fetch)["notes"]:
                return brief(said)
    raise Problem(
        f"{device}: node {node} does not answer over the mesh: its firmware is older than this one's, or it has stopped: "
        "deploy it, or plug it in",
        1,
    )


def card(note: dict) -> Panel:
    """One crash note."""
    facts = f"boot {note.get('boot')}"
    if "up_s" in note:  # not over the mesh
        cause = CAUSES.get(note.get("cause", 0), note.get("cause"))
        facts += f", {note['up_s']} s after its start by {cause}, {note.get('free', 0):,} bytes free"
    marks = f"\nevents {note['marks']}" if note.get("marks") else ""
    return Panel(
        Text(note["text"].strip()), title=Text(str(note["part"]), style="bold red"), title_align="left",
        subtitle=Text(f"{facts}{marks}", style="dim"), subtitle_align="left", border_style="red",
    )  # fmt: skip

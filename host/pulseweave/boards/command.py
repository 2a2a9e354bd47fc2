"""`pulseweave boards`: the boards that are described here, as a table; `boards check` says what is wrong with one."""

import sys
from pathlib import Path

import rich_click as click

from pulseweave.boards import description, pins
from pulseweave.boards.model import Board, Max30102
from pulseweave.problem import Problem
from pulseweave.results import tell, write_json


def sensors(board: Board) -> str:
    """The sensors in a few words."""
    kind = "MAX30102" if isinstance(board.pulse, Max30102) else "analog pulse"
    return f"{kind}, Grove GSR"


def summary(board: Board, path: Path) -> dict:
    """One board as a flat record, for --json."""
    return {
        "name": board.name,
        "title": board.title,
        "chip": board.chip,
        "arch": board.arch,
        "file": str(path),
        "pins": {key: pin for key, pin, _ in pins.used(board)},
        "strand": {
            "pixels": board.strand.pixels,
            "order": board.strand.order,
            "budget_ma": board.strand.budget_ma,
        },
        "console": board.console.kind,
    }


@click.group(invoke_without_command=True)
@click.option("--json", "json_file", metavar="FILE", help="Also write the list as JSON (`-` = stdout).")
@click.pass_context
def boards(ctx, json_file):
    """List the boards that are described in boards/*.toml.

    Example: pulseweave boards
    """
    if ctx.invoked_subcommand:
        return
    found = [(description.load(n), description.find(n)) for n in description.names()]
    if json_file:
        write_json(json_file, {"boards": [summary(b, p) for b, p in found]})
        if json_file == "-":
            return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("board", "chip", "sensors", "strand", "console", "what it is"):
        table.add_column(head)
    for b, _ in found:
        s = b.strand
        table.add_row(
            b.name, b.chip, sensors(b), f"{s.pixels} {s.order}, {s.budget_ma} mA", b.console.kind, b.title
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@boards.command()
@click.argument("file", required=False)
@click.option("--json", "json_file", metavar="FILE", help="Write the verdicts as JSON (`-` = stdout).")
def check(file, json_file):
    """Check FILE (a .toml file or a board's name), or every board here.

    Example: pulseweave boards check boards/esp32-devkit.toml
    """
    verdicts, faults = {}, []
    for name in [file] if file else description.names():
        try:
            board = description.load(name)
            verdicts[name] = "ok"
            if json_file != "-":
                print(f"{board.name}: ok ({board.chip}, {len(pins.used(board))} pins)")
        except Problem as e:
            verdicts[name] = str(e)
            faults.append(e)
    write_json(json_file, {"boards": verdicts})
    if faults:
        for e in faults[:-1]:
            print(f"pulseweave: {e}", file=sys.stderr)
        raise faults[-1]


@boards.command()
@click.argument("name")
@click.option("--json", "json_file", metavar="FILE", help="Write the wiring as JSON (`-` = stdout).")
def wiring(name, json_file):
    """Say in words how a board is wired, with its pin table.

    Example: pulseweave boards wiring esp32-devkit
    """
    b = description.load(name)
    words, rows = b.wiring.words.strip(), dict(b.wiring.pins)
    width = max(len(k) for k in rows)
    lines = [f"  {k:<{width}}  {v}" for k, v in rows.items()]
    said = {"name": b.name, "title": b.title, "words": words, "pins": rows}
    tell(json_file, said, "\n".join((b.title, "", words, "", *lines)))

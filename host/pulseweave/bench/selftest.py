"""`pulseweave selftest`: does everything on this board work? PASS or FAIL, on the strand and on the screen.

In: the REPL of a stopped board that has the firmware. Out: one verdict per part. board/selftest.py does the trying,
with the firmware's own drivers.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import rich_click as click
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pulseweave import ports
from pulseweave.bench import batch
from pulseweave.bench.batch import Report, Result, on_boards
from pulseweave.bench.ledger import Ledger, normal, warn
from pulseweave.bench.repl import BoardError, Repl
from pulseweave.problem import Problem

SCRIPT = Path(__file__).parent / "board" / "selftest.py"
PARTS = ("strand", "pulse", "skin", "radio", "flash")


@dataclass(frozen=True)
class Verdict:
    """One part: ok or not, and what was seen."""

    part: str
    ok: bool
    said: str


def body(path: Path) -> str:
    """A board script without its docstring and its lint comments: they need not go over the line."""
    text = path.read_text()
    return text[text.index("import gc") :]


def run(repl: Repl, report: Report = lambda *_: None) -> list[Verdict]:
    """Try every part; the strand shows the verdict. Raises Problem where the firmware is not on the board."""
    try:
        repl.run(body(SCRIPT), 30)
    except BoardError as e:
        if "ImportError" in e.traceback or "ENOENT" in e.traceback or "OSError: 2" in e.traceback:
            raise Problem(
                f"{repl.device_name}: no firmware on this board to test it with: `pulseweave deploy` it first"
            ) from None
        raise
    found = []
    for i, part in enumerate(PARTS):
        report(i / len(PARTS), part)
        try:
            lines = [x for x in repl.run(f"{part}()", 20).splitlines() if x.startswith("{")]
            found.append(Verdict(**json.loads(lines[-1])))
        except BoardError as e:
            last = e.traceback.strip().splitlines()[-1]
            found.append(Verdict(part, False, f"raises {last}"))
    repl.run(f"finish({all(v.ok for v in found)})")
    return found


def sheet(found: list[Verdict], title: str) -> Panel:
    """The verdicts for a screen across the room."""
    passed = all(v.ok for v in found)
    table = Table(box=None, pad_edge=False, show_header=False)
    for v in found:
        table.add_row(
            Text("✓" if v.ok else "✗", style="green" if v.ok else "bold red"), Text(v.part), Text(v.said)
        )
    verdict = Text(
        " PASS " if passed else " FAIL ", style="bold white on green" if passed else "bold white on red"
    )
    return Panel(
        table,
        title=Text.assemble(verdict, f"  {title}"),
        title_align="left",
        border_style="green" if passed else "red",
    )


@click.command()
@on_boards
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--json", "json_file", metavar="FILE", help="Write the verdicts as JSON (`-` = stdout).")
def selftest(port, everything, ledger, json_file):
    """Try strand, sensors, radio and flash of boards; the strand ends green or red.

    The node then runs again.

    Example: pulseweave selftest --port /dev/ttyUSB0
    """
    from rich.console import Console

    book = Ledger(ledger)
    warn(book)
    sheets = []

    def job(device: str, report: Report) -> Result:
        with ports.Claim(device, "selftest"), Repl(device) as repl:
            try:
                mac = repl.run("import machine; print(machine.unique_id().hex())").strip()
                found = run(repl, report)
                repl.run("from time import sleep_ms; sleep_ms(1500)")
            finally:
                repl.restart()
        wrong = [f"{v.part} {v.said}" for v in found if not v.ok]
        verdict = "failed" if wrong else "ok"
        book.add("selftest", mac, verdict, why="; ".join(wrong), port=device)
        sheets.append(sheet(found, batch.short(device)))
        parts = {v.part: {"ok": v.ok, "said": v.said} for v in found}
        return Result(
            device, verdict, "; ".join(wrong), normal(mac), code=1 if wrong else 0, facts={"parts": parts}
        )

    results = batch.run(ports.chosen(port, everything), job, 1 if len(port) == 1 else None)
    if json_file != "-":
        for s in sheets:
            Console().print(s)
    batch.show(results, (), json_file)

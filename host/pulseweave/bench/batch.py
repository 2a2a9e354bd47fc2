"""The same work on many ports at once: one thread and one progress line each, results in the order of the ports.

In: ports and `job(port, report) -> Result`. Out: results; a job's Problem becomes a failed result, so that one board
in trouble does not hold up the others. `report(fraction 0..1, words)` may be called from the job. Progress goes to
stderr, and only to a terminal.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import rich_click as click

from pulseweave.problem import Problem

JOBS_MAX = 32
MARKS = {
    "ok": ("✓", "green"),
    "skipped": ("=", "cyan"),
    "begun": ("…", "yellow"),
    "failed": ("✗", "bold red"),
    "refused": ("✗", "bold red"),
}


@dataclass
class Result:
    """What became of one board: verdict ok, skipped, failed or refused; `why` one line; `facts` for the table and JSON."""

    port: str
    verdict: str
    why: str = ""
    mac: str = ""
    seconds: float = 0.0
    code: int = 0  # what the command exits with because of this board
    facts: dict = field(default_factory=dict)

    def entry(self) -> dict:
        """The object in --json."""
        return {
            "port": self.port,
            "mac": self.mac,
            "verdict": self.verdict,
            "why": self.why,
            "seconds": round(self.seconds, 2),
            **self.facts,
        }


Report = Callable[[float, str], None]


def on_boards(command: Callable) -> Callable:
    """The options of a command that works on several boards: --port (`port`, any number) and --all (`everything`)."""
    command = click.option("--all", "everything", is_flag=True, help="Every board that is plugged in.")(
        command
    )
    return click.option(
        "--port",
        "port",
        multiple=True,
        metavar="P",
        help="A port; may be repeated. Default: the only one plugged in.",
    )(command)


class NoBars:
    """Where nobody looks: what `bars.Bars` does, without a screen."""

    def __enter__(self) -> "NoBars":
        return self

    def __exit__(self, *_) -> None: ...

    def begin(self, name: str) -> int:
        return 0

    def show(self, task, fraction: float, words: str) -> None: ...

    def end(self, task, verdict: str, good: bool) -> None: ...


def bars(ports: list[str]):
    """Progress on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return NoBars()
    from pulseweave.bench.bars import Bars

    return Bars([short(p) for p in ports])


def run(ports: list[str], job: Callable[[str, Report], Result], jobs: int | None) -> list[Result]:
    """Do `job` on every port, `jobs` at a time (all of them by default, at most 32)."""
    if jobs is not None and not 1 <= jobs <= JOBS_MAX:
        raise Problem(f"--jobs {jobs}: use 1 to {JOBS_MAX}")

    def one(port: str) -> Result:
        began = time.monotonic()
        task = screen.begin(short(port))
        try:
            result = job(port, lambda fraction, words: screen.show(task, fraction, words))
        except Problem as e:
            result = Result(port, "failed", str(e).removeprefix(f"{port}: "), code=e.code)
        result.seconds = time.monotonic() - began
        screen.end(task, result.verdict, result.verdict in ("ok", "skipped"))
        return result

    with bars(ports) as screen, ThreadPoolExecutor(min(jobs or JOBS_MAX, len(ports))) as pool:
        return list(pool.map(one, ports))


def short(port: str) -> str:
    """A port's name without what all of them have in common."""
    return port.removeprefix("/dev/").removeprefix("socket://")


def draw(results: list[Result], columns: tuple[str, ...]) -> None:
    """The table: fitted and coloured on a terminal; plain in a pipe, where rich would cost more than it gives."""
    heads = ("", "port", "mac", *columns, "s", "verdict")
    rows = [
        (MARKS[r.verdict][0], short(r.port), r.mac, *(str(r.facts.get(c, "")) for c in columns),
         f"{r.seconds:.1f}", r.verdict)
        for r in results
    ]  # fmt: skip
    if not sys.stdout.isatty():
        widths = [max(map(len, cells)) for cells in zip(heads, *rows)]
        for row in (heads, *rows):
            cells = [c.rjust(w) if h == "s" else c.ljust(w) for c, w, h in zip(row, widths, heads)]
            print("  ".join(cells).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold", justify="right" if head == "s" else "left")
    for r, (mark, *cells, verdict) in zip(results, rows):
        colour = MARKS[r.verdict][1]
        table.add_row(Text(mark, style=colour), *map(Text, cells), Text(verdict, style=colour))
    Console().print(table)


def show(results: list[Result], columns: tuple[str, ...], json_file: str | None) -> None:
    """The table on stdout, failures on stderr, JSON where it is asked for; raises SystemExit where a board failed."""
    from pulseweave.results import write_json

    if json_file != "-":
        draw(results, columns)
    write_json(json_file, {"boards": [r.entry() for r in results]})
    code = 0
    for r in results:
        if r.why and r.verdict in ("failed", "refused"):
            print(f"pulseweave: {r.port}: {r.why}", file=sys.stderr)
            code = max(code, r.code or 1)
        elif r.code:
            code = max(code, r.code)
    if code:
        sys.exit(code)


def line(results: list[Result]) -> str:
    """The results as one line of JSON, for logs."""
    return json.dumps([r.entry() for r in results])

"""`make bench`: measure every figure beside its peer, print one table, write bench.json. See README.md of this folder.

python -m pulseweave.figures [--only fast,scale] [--quick] [--json bench.json]
"""

import importlib
import json
import platform
import sys
import time
from pathlib import Path

import rich_click as click
from rich.console import Console

from pulseweave import micropython
from pulseweave.figures.figure import Figure, table
from pulseweave.problem import Problem

GROUPS = {
    "fast": "node-seconds per CPU-second in fast mode",
    "scale": "cost and memory at 10, 100 and 1000 nodes",
    "realtime": "200 nodes in real time with the page open",
    "tick": "what a tick costs by part, here and on the ESP32",
    "light": "a frame of light, here and on the ESP32, beside neopixel and floats",
    "size": "flash and heap",
    "mesh": "events, state, clocks and airtime of 200 nodes beside a plain flood",
    "campaign": "rooms with everything going wrong",
    "bench": "deploying, flashing and watching beside mpremote, esptool and miniterm",
    "beats": "beat detection beside NeuroKit2 and HeartPy",
    "stress": "stress beside a causal logistic model",
    "damping": "runaways and honest stress: damped, undamped, fixed, by level alone",
    "crowds": "whole rooms of 24: runaways, calm, honest stress, a jump of the gain",
    "gather": "packets into SQLite and PostgreSQL, the page, charts",
}


def machine() -> dict:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {
        "cpu": model,
        "python": platform.python_version(),
        "micropython": Path(micropython.executable()).name,
    }


@click.command()
@click.option("--only", metavar="NAMES", help=f"Some of {', '.join(GROUPS)}, with commas.")
@click.option("--quick", is_flag=True, help="Shorter runs: for a look, not for quoting.")
@click.option("--json", "to", default="bench.json", show_default=True, help="Where the figures are written.")
def main(only: str | None, quick: bool, to: str) -> None:
    """Measure the figures. Example: make bench ARGS="--only fast,scale --quick" """
    chosen = only.split(",") if only else list(GROUPS)
    unknown = [c for c in chosen if c not in GROUPS]
    if unknown:
        raise click.UsageError(f"--only {unknown[0]}: choose from {', '.join(GROUPS)}")
    console = Console(width=None if sys.stdout.isatty() else 160)
    figures: list[Figure] = []
    for name in chosen:
        began = time.monotonic()
        module = importlib.import_module(f"pulseweave.figures.{name}")
        if sys.stderr.isatty():
            print(f"measuring {name}: {GROUPS[name]} ...", file=sys.stderr)
        try:
            found = module.measure(quick)
        except Problem as e:
            found = [Figure(name, None, "", said=str(e))]
        figures += found
        console.print(table(found, f"{name}: {GROUPS[name]} ({time.monotonic() - began:.0f} s)"))
        note = getattr(module, "NOTE", "")
        if note:
            console.print(note, markup=False, highlight=False)
        write(figures, to)
    broken = [f.name for f in figures if f.kept is False]
    console.print(
        f"{len(figures)} figures in {to}" + (f"; beyond their limit: {', '.join(broken)}" if broken else "")
    )


def write(figures: list[Figure], to: str) -> None:
    """bench.json; figures measured earlier and not now are kept."""
    path = Path(to)
    try:
        before = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError):
        before = {}
    before["machine"] = machine()
    before.update({f.name: f.entry() for f in figures})
    path.write_text(json.dumps(before, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except Problem as e:
        sys.exit(f"bench: {e}")

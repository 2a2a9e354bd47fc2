"""`pulseweave mesh`: who hears whom, how well, how old, and how the clocks stand; asked of one node's console."""

import contextlib
import sys
import threading
import time

import rich_click as click
from rich.console import Console
from rich.live import Live

from pulseweave import ports
from pulseweave.mesh.asking import PACE_S, Asker, opened
from pulseweave.mesh.chart import Chart
from pulseweave.mesh.page import MapPage
from pulseweave.mesh.table import screen
from pulseweave.problem import Problem
from pulseweave.results import writable, write_json

ENOUGH_S = 60.0  # without an end given, a single look gives up waiting for the last ones after this


@click.command()
@click.option(
    "--port", "-p", help="Serial port of one node, or sim://HOST:PORT/NODE. Default: the only board."
)
@click.option(
    "--sim", metavar="HOST:PORT", help="A running `pulseweave sim`, by its page; asks its first node."
)
@click.option("--baud", default=ports.BAUD, show_default=True)
@click.option("--once", is_flag=True, help="One look: until everybody in reach has told.")
@click.option("--seconds", type=click.FloatRange(1), help="End after so long.")
@click.option("--web", metavar="HOST:PORT", help="Show the map on a page as well, e.g. 127.0.0.1:8090.")
@click.option(
    "--json", "to", metavar="FILE", help="Write the map as JSON at the end; - is stdout. Implies --once."
)
def mesh(port, sim, baud, once, seconds, web, to):
    """Who hears whom: RSSI, ages, versions and clocks of a mesh, through one of its nodes.

    Live, or once; in a pipe always once.

    Example: pulseweave mesh --port /dev/ttyUSB0 --web 127.0.0.1:8090

    Example: pulseweave mesh --sim 127.0.0.1:8080 --json -
    """
    if port and sim:
        raise Problem("--port and --sim exclude each other: leave one out")
    name = f"sim://{sim}/1" if sim else port or ports.only(None)
    seen = bool(web) or sys.stderr.isatty()  # in a pipe nobody would see it live
    once = once or (seconds is None and (to is not None or not seen))
    writable(to)
    chart, lock = Chart(), threading.Lock()

    def document() -> dict:
        with lock:
            return chart.document()

    with contextlib.ExitStack() as stack:
        page = stack.enter_context(MapPage(web, document)) if web else None
        asker = Asker(stack.enter_context(opened(name, baud)), chart, PACE_S)
        asker.step()
        if page:
            print(f"the map is at {page.url}", file=sys.stderr)
        watch(asker, lock, name, once, seconds)
    if to:
        write_json(to, {"port": name, **chart.document()})
    elif not sys.stdout.isatty():
        console = Console(width=160)
        console.print(screen(chart, console.width, name))


def watch(asker: Asker, lock, name: str, once: bool, seconds: float | None) -> None:
    """Ask until the end, the terminal showing what is known; Ctrl-C ends it as well."""
    began = time.monotonic()
    limit = seconds or (ENOUGH_S + 2 * PACE_S * len(asker.chart.stations) if once else None)
    console = Console(stderr=True)
    live = Live(console=console, auto_refresh=False, screen=False) if console.is_terminal else None
    with live or contextlib.nullcontext(), contextlib.suppress(KeyboardInterrupt):
        while (limit is None or time.monotonic() - began < limit) and not (once and asker.whole()):
            with lock:
                asker.step()
            if live:
                live.update(screen(asker.chart, console.width, name, asker.asked), refresh=True)

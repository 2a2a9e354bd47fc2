"""The chart on a terminal: one line a node, and who hears whom as a matrix where there is room for it.

In: a Chart, columns of the terminal. Out: renderables for `rich`. Strength is told by number and colour.
"""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pulseweave.mesh.chart import Chart, Station

GOOD, FAIR = -70, -85  # dBm: better than this is safe, worse than this loses frames
CELL = 5  # columns of a matrix's cell


def colour(dbm: int) -> str:
    """How good a link is."""
    return "green" if dbm >= GOOD else "yellow" if dbm >= FAIR else "red"


def row(s: Station, own: int, now: float, odd: bool = False) -> list[Text | str]:
    """One node: number, age and version of its values, its clock, when it told, what it runs (`odd`: others run another)."""
    name = Text(str(s.node), style="bold" if s.node == own else "")
    told = [f"{s.root}", f"{s.hops}" if s.hops < 255 else "-", f"{s.offset_ms:+.2f}", f"{s.rate_ppm:+d}"]
    age = Text(f"{s.age_s:.1f}", style="red" if s.age_s >= 10 else "")
    late = f"{now - s.told:.0f}" if s.told is not None else "-"
    runs = Text(f"{s.release or '-'} !" if odd else s.release or "-", style="yellow" if odd else "")
    clock = told if s.told is not None else ["-"] * 4
    return [name, age, str(s.version), *clock, late, str(len(s.hears)), runs]


def nodes(chart: Chart, listing: bool) -> Table:
    """All nodes; `listing` adds whom each hears best."""
    out = Table(header_style="bold", pad_edge=False, box=None)
    for name in ("node", "age s", "version", "root", "hops", "clock ms", "ppm", "told s", "hears", "runs"):
        out.add_column(name, justify="right", no_wrap=True)
    if listing:
        out.add_column("best heard, dBm", no_wrap=True, overflow="ellipsis")
    odd = chart.odd()
    for s in sorted(chart.stations.values(), key=lambda s: s.node):
        cells = row(s, chart.own, chart.clock(), s.node in odd)
        if listing:
            best = sorted(s.hears.items(), key=lambda k: -k[1])
            cells.append(Text("  ").join(Text(f"{n} {dbm}", style=colour(dbm)) for n, dbm in best))
        out.add_row(*cells)
    return out


def matrix(chart: Chart) -> Table:
    """Listeners down, speakers across: dBm."""
    ids = sorted(chart.stations)
    out = Table(header_style="bold", pad_edge=False, box=None)
    out.add_column("", justify="right", no_wrap=True)
    for n in ids:
        out.add_column(str(n), justify="right", no_wrap=True, min_width=CELL - 2)
    for a in ids:
        hears = chart.stations[a].hears
        cells = [
            Text("·", style="dim")
            if b == a
            else Text(str(hears[b]), style=colour(hears[b]))
            if b in hears
            else ""
            for b in ids
        ]
        out.add_row(str(a), *cells)
    return out


def screen(chart: Chart, columns: int, title: str, heard: int = 0) -> Group:
    """The whole picture; `heard`: the node being asked now, 0 for none."""
    fits = (len(chart.stations) + 1) * CELL <= columns
    waiting = len(chart.untold())
    said = f"{title}: {len(chart.stations)} nodes, {len(chart.heard())} links"
    if waiting:
        said += f", {waiting} yet to tell"
    if heard:
        said += f"; asking {heard}"
    parts = [Text(said, style="bold"), nodes(chart, not fits)]
    if fits and chart.stations:
        parts += [Text("\ndBm: row hears column"), matrix(chart)]
    return Group(*parts)

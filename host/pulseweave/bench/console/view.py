"""The console's screen: a `Model` as rich renderables, for a terminal of any width from 60 columns.

Bars and sparklines are block characters; colour follows meaning: warm for arousal, green for what is well, red for
what is not.
"""

import re
import time

from rich.columns import Columns
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pulseweave.bench.batch import short
from pulseweave.bench.console import link
from pulseweave.bench.console.model import Model, last_line

BLOCKS = " ▁▂▃▄▅▆▇█"
DOTS = {link.LIVE: "bold green", link.QUIET: "yellow", link.GONE: "bold red", link.LENT: "magenta"}
SLIM = 49  # a panel narrower than this says less
KEYS = "1-9 scene   i identify   c crash notes   m mesh   : command   q quit"


def spark(values, low: float | None = None, high: float | None = None, width: int = 60) -> str:
    """A sparkline; None is a gap. The span is that of the values where it is not given, and never narrower than a little."""
    row = list(values)[-width:]
    there = [v for v in row if v is not None]
    if not there:
        return " " * width
    low = min(there) if low is None else low
    high = max(there) if high is None else high
    if high - low < 1e-9:
        high = low + 1
    cells = [
        " " if v is None else BLOCKS[1 + min(7, max(0, int((v - low) / (high - low) * 7.999)))] for v in row
    ]
    return "".join(cells).rjust(width)


def bar(fraction: float, width: int = 20) -> str:
    """A bar of eighths."""
    fraction = min(1.0, max(0.0, fraction))
    full, rest = divmod(round(fraction * width * 8), 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)


def warmth(x: float) -> str:
    """The colour of an arousal of 0..1."""
    return ("#5f87af", "#5faf87", "#d7af5f", "#d7875f", "#d75f5f")[min(4, int(x * 5))]


def header(m: Model, state: str, why: str) -> Panel:
    s = m.status
    who = Text(no_wrap=True, overflow="ellipsis")
    who.append(f"node {s.get('node', '?')} ", "bold").append(f"{s.get('name') or ''}  ", "bold cyan")
    if "up_s" in s:
        up = int(s["up_s"] + time.monotonic() - m.status_at)
        who.append(f"up {up // 3600}:{up // 60 % 60:02d}:{up % 60:02d}  ", "dim")
    for key in ("board", "role", "release"):
        if s.get(key):
            who.append(f"{key} ", "dim")
            who.append(f"{str(s[key])[:16]}  ")
    line = Text.assemble(("● ", DOTS[state]), (f"{state}  ", DOTS[state]), (short(m.device), "dim"))
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(who, line)
    if why and state != link.LIVE:
        reason = Text(why, style="yellow", no_wrap=True, overflow="ellipsis")
        return Panel(Group(grid, reason), border_style=DOTS[state].split()[-1])
    return Panel(grid, border_style=DOTS[state].split()[-1])


def visitor(m: Model, width: int, tall: int) -> Panel:
    """Who touches it: heart, arousal, skin."""
    s = m.state
    n = max(10, width - 26)
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", width=8)
    table.add_column(width=8, justify="right")
    table.add_column()
    here = s.get("contact")
    heart = "♥" if time.monotonic() - m.beat_at < 0.35 else "♡"
    rmssd = s.get("rmssd_ms")
    span = ""
    if here and m.intervals and rmssd is not None:
        span = f"ibi {m.intervals[-1]:.0f} ms" + (f"  rmssd {rmssd:.0f} ms" if width >= SLIM else "")
    table.add_row(
        Text(f"{heart} heart", style="red" if here else "dim"),
        f"{s.get('bpm', 0):.0f} bpm" if here else "-",
        Text(span, style="dim"),
    )
    table.add_row("beats", "", Text(spark(m.intervals, width=n), style="red"))
    arousal = s.get("arousal", 0)
    table.add_row(
        "arousal",
        f"{arousal:.2f}" if here else "-",
        Text(spark(m.series["arousal"], 0, 1, n), style=warmth(arousal)),
    )
    skin = s.get("skin_us", 0)
    table.add_row(
        "skin",
        f"{skin:.1f} µS" if here and s.get("skin_ok") else "-",
        Text(spark(m.series["skin_us"], width=n), style="#87afd7"),
    )
    sure = s.get("confidence", 0)
    table.add_row("sure", f"{sure:.2f}", Text(bar(sure, min(n, 30)), style="dim"))
    title = "[bold]visitor[/]" if here else "[bold]visitor[/] [dim]nobody is touching"
    if s.get("opted_out"):
        title += " [yellow]opted out"
    return Panel(table, title=title, title_align="left", width=width, height=tall)


def light(m: Model, width: int, tall: int) -> Panel:
    """What it shows, and how much of it is held back; three rows high, only the level."""
    s = m.state
    n = max(10, width - 26)
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", width=8)
    table.add_column(width=8, justify="right")
    table.add_column()
    level = s.get("level", 0)
    table.add_row("level", f"{level:.2f}", Text(spark(m.series["level"], 0, 1, n), style=warmth(level)))
    table.add_row("damping", f"{s.get('g', 0):.2f}", Text(bar(s.get("g", 0), min(n, 30)), style="cyan"))
    contagion = Text("  contagion", style="bold red") if s.get("contagion") else Text("")
    table.add_row("ratio R", f"{s.get('ratio', 0):.2f}", contagion)
    dims = "power budget dims it" if width >= SLIM else "budget dims it"
    limited = Text(dims if s.get("limited") else "", style="yellow")
    table.add_row("current", f"{s.get('ma', 0)} mA", limited)
    scenes = Text()
    for i, name in enumerate(m.scenes[:9]):
        on = name == m.scene()
        scenes.append(f"{i + 1}\u00a0", "dim")
        scenes.append(name, "bold reverse" if on else "")
        scenes.append(" ")
    grid = Table.grid()
    grid.add_row(table)
    grid.add_row(scenes or Text(m.scene()))
    return Panel(grid, title=f"[bold]light[/] [dim]{m.scene()}", title_align="left", width=width, height=tall)


def mesh(m: Model, width: int, rows: int) -> Panel:
    table = Table.grid(padding=(0, 1))
    for _ in range(5):
        table.add_column()
    order = sorted(m.mesh, key=lambda r: (r.get("node") != m.status.get("node"), r.get("age", 0)))
    for r in order[:rows]:
        own = r.get("node") == m.status.get("node")
        a = r.get("arousal", 0)
        age = "this" if own else f"{r.get('age', 0) / 1000:.1f} s"
        table.add_row(
            Text(f"{r.get('node')}", style="bold" if own else ""),
            Text(age, style="dim"),
            Text(bar(a, 16), style=warmth(a)),
            f"{a:.2f}",
            Text(f"g {r.get('g', 0):.2f}", style="cyan"),
        )
    if len(order) > rows:
        table.add_row(Text(f"+{len(order) - rows}", style="dim"))
    s = m.state
    clock = "set" if s.get("synced") else "not set"
    said = f"[dim]{s.get('neighbours', 0)} heard, clock {clock}, {s.get('rejected', 0)} rejected"
    return Panel(
        table if order else Text("nobody yet", style="dim"),
        title=f"[bold]mesh[/] {said}",
        title_align="left",
        width=width,
    )


STYLES = {"log": "", "text": "dim", "note": "cyan", "answer": "green", "crash": "red"}


def legible(text: str) -> str:
    """Text as it is; of what is none (bytes that do not decode) only ASCII, or chance letters tear the frame."""
    return re.sub(r"[^ -~]", "·", text) if "\ufffd" in text else text


def log(m: Model, rows: int) -> Panel:
    lines = Text(no_wrap=True, overflow="ellipsis")
    for kind, text in list(m.log)[-rows:]:
        lines.append(f"{legible(text)}\n", STYLES[kind])
    faults = m.status.get("faults") or {}
    title = "[bold]log[/]"
    if m.notes:
        title += f" [red]{len(m.notes)} crash notes"
    if faults:
        title += f" [red]faults {faults}"
    lines.rstrip()
    return Panel(lines, title=title, title_align="left", height=rows + 2)


def notes(m: Model) -> Panel:
    lines = Text()
    for n in m.notes[-6:]:
        lines.append(f"{n.get('part')} ", "bold red")
        lines.append(f"boot {n.get('boot')}, {n.get('up_s')} s after start\n", "dim")
        lines.append(f"{n['text'].strip()}\n\n" if len(m.notes) < 4 else f"{last_line(n['text'])}\n")
    return Panel(
        lines or Text("nothing went wrong", style="green"),
        title="[bold]crash notes[/] [dim]c closes",
        title_align="left",
    )


def screen(
    m: Model, state: str, why: str, width: int, height: int, pane: str = "", typed: str | None = None
) -> Group:
    """The whole screen. `pane` "crash" shows notes instead of the mesh; `typed` is a command being typed."""
    two = width >= 76
    if two:
        half, tall = (width - 1) // 2, 7 if width >= 100 else 8  # the scenes' names take two lines
        upper = Columns([visitor(m, half, tall), light(m, half, tall)], padding=(0, 1))
    else:
        tall = 10 if height < 30 else 14 + (width < 52)
        upper = Group(visitor(m, width, 7), light(m, width, tall - 7))
    used = 3 + tall + 1 + (1 if why and state != link.LIVE else 0)
    rows = max(2, min(12, (height - used) // 2 - 2))
    below = notes(m) if pane == "crash" else mesh(m, width, rows)
    taken = min(len(m.mesh) + (len(m.mesh) > rows), rows + 1) + 2 if pane != "crash" else rows + 2
    foot = Text(f": {typed}█", style="bold") if typed is not None else Text(KEYS, style="dim")
    return Group(header(m, state, why), upper, below, log(m, max(2, height - used - max(3, taken) - 3)), foot)

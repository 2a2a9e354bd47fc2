"""`pulseweave sweep`: K x D x tau x loss x model x seeds over all cores, and a picture of where rooms stay calm.

In:  lists of values. Out: FILE.jsonl, one run a line (a sweep that was stopped goes on where it ended), and FILE.svg:
one panel per model and law, loop gain across, delay upwards, colour = the worst peak of mean arousal after a shock,
beside the theory's boundaries: K*c = 1 undamped (K = 1) and at the unmediated share (K = 1/rho = 4).
`--whole` runs whole nodes through their pixels; without it the device's Damp alone (closed_loop.py), 100 times faster.
"""

import hashlib
import itertools
import json
import os
import sys
from concurrent.futures import as_completed
from pathlib import Path

import click as plain
import rich_click as click

from pulseweave.problem import Problem
from pulseweave.results import tell, writable
from pulseweave.sim.closed_loop import SHOCK, after, run
from pulseweave.sim.pool import processes, stay

AXES = ("model", "law", "gain", "delay", "tau", "loss", "seed")
UNTIL_S = 240.0
CELL = 26
LIMITS = {"gain": (0, 10), "delay": (0, 30), "tau": (0.1, 600), "loss": (0, 1)}


def numbers(ctx, param, text: str) -> list[float]:
    """`0.6,1,2.5` as numbers inside the axis' limits."""
    lo, hi = LIMITS[param.name]
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        raise Problem(f"--{param.name} {text}: numbers with commas between them, e.g. 0.6,1,2") from None
    if not all(lo <= v <= hi for v in values):
        raise Problem(f"--{param.name} {text}: each from {lo} to {hi}")
    return values


@click.command()
@click.option("--gain", default="0.6,1,1.25,1.5,1.75,2,2.25,2.5,2.75,3", show_default=True, callback=numbers)
@click.option(
    "--delay", default="2,3,4", show_default=True, callback=numbers, help="s from light to feeling."
)
@click.option("--tau", default="8", show_default=True, callback=numbers, help="s, the visitors' own inertia.")
@click.option("--loss", default="0.3", show_default=True, callback=numbers, help="Radio loss 0..1.")
@click.option("--model", default="ou,bosse_treur,sisa", show_default=True)
@click.option(
    "--law", default="off,level,on", show_default=True, help="on, off, level, or a fixed damping 0..1."
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 1000))
@click.option("--nodes", default=24, show_default=True, type=click.IntRange(1, 200))
@click.option("--whole", is_flag=True, help="Whole nodes, through sensors and pixels (laws on and off only).")
@click.option("--jobs", default=os.cpu_count(), show_default=True, type=click.IntRange(1, 256))
@click.option("--out", "out", default="sweep", show_default=True, metavar="FILE", help="Without its ending.")
@click.option("--json", "json_file", metavar="FILE", help="Write every room as JSON (`-` = stdout).")
def sweep(gain, delay, tau, loss, model, law, seeds, nodes, whole, jobs, out, json_file):
    """Shock a room over a grid of gains, delays, losses and crowds; draw where it stays calm.

    Example: pulseweave sweep --gain 1,2,3 --delay 2,4 --seeds 2 --out map
    """
    laws = law.split(",")
    for one in laws:
        if one not in ("on", "off") and (whole or (one != "level" and not is_share(one))):
            raise Problem(f"--law {one}: on or off, and without --whole also level or a number from 0 to 1")
    path = Path(out + ".jsonl")
    if not path.parent.is_dir():
        raise Problem(f"--out {out}: {path.parent} is no folder")
    points = [
        {**dict(zip(AXES, p, strict=True)), "nodes": nodes, "whole": whole}
        for p in itertools.product(model.split(","), laws, gain, delay, tau, loss, range(1, seeds + 1))
    ]
    done = {r["key"]: r for r in read(path)}
    left = [p for p in points if key(p) not in done]
    writable(path, "--out")
    writable(out + ".svg", "--out")
    with (
        processes(jobs) as pool,
        path.open("a") as f,
        plain.progressbar(length=len(left), label=f"{len(left)} rooms", file=sys.stderr) as bar,
    ):
        if broken_off(path):
            f.write("\n")
        futures = [pool.submit(measure, p) for p in left]
        for ready in as_completed(futures):
            r = ready.result()
            done[r["key"]] = r
            f.write(json.dumps(r) + "\n")
            f.flush()
            bar.update(1)
    wanted = [done[key(p)] for p in points]
    Path(out + ".svg").write_text(draw(wanted))
    said = {
        "rooms": len(points),
        "new": len(left),
        "file": str(path),
        "picture": out + ".svg",
        "runs": wanted,
    }
    tell(json_file, said, f"{len(points)} rooms, {len(left)} of them new: {out}.jsonl, {out}.svg")


def is_share(text: str) -> bool:
    """Whether text is a number from 0 to 1."""
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def key(point: dict) -> str:
    """Names a run by everything that decides it."""
    return hashlib.sha256(json.dumps(point, sort_keys=True).encode()).hexdigest()[:16]


def read(path: Path) -> list[dict]:
    """The runs already there; a half-written last line does not count. Raises Problem where the file is no text."""
    rows = []
    try:
        text = path.read_text() if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        raise Problem(f"--out {path}: holds something else than a sweep: give another name") from None
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("key"), str) and "peak" in row:
            rows.append(row)
    return rows


def broken_off(path: Path) -> bool:
    """Whether the last line has no end: what is appended needs a line of its own."""
    return path.read_text()[-1:] not in ("", "\n")


def measure(p: dict) -> dict:
    """One room: the shock of the contagion scenario, its peak, when it settled, and the damping at the end."""
    stay()
    crowd = {"gain": p["gain"], "delay": p["delay"], "tau": p["tau"], "shock": SHOCK}
    if p["whole"]:
        arousal, g = whole_nodes(p, crowd)
    else:
        law = p["law"] if p["law"] in ("on", "off", "level") else float(p["law"])
        s = run(p["model"], p["seed"], p["nodes"], UNTIL_S, law, p["loss"], **crowd)
        arousal, g = s.arousal, s.g
    end = SHOCK["at_s"] + SHOCK["seconds"]
    peak, settle = after(arousal, SHOCK["at_s"], end)
    return {**p, "key": key(p), "peak": round(peak, 3), "settle_s": settle, "g": round(float(g[-1]), 3)}


def whole_nodes(p: dict, crowd: dict):
    """(arousal at 10 Hz, mean g each second) of a room of whole nodes."""
    from pulseweave.sim import lived
    from pulseweave.sim.making import prepare

    wishes = {
        "nodes": p["nodes"],
        "loss": p["loss"],
        "visitors": p["model"],
        "board": None,
        "damping": p["law"],
    }
    s = prepare("contagion", wishes)
    s.crowd = crowd
    room = lived.live(s, p["seed"], UNTIL_S)
    return room.arousal, room.g.mean(axis=1)


def shade(peak: float) -> str:
    """Calm is dark blue, the bound 0.45 is where it turns, a room that ran away is bright."""
    stops = (
        (0.0, (16, 24, 48)),
        (0.30, (38, 84, 124)),
        (0.45, (96, 150, 140)),
        (0.50, (226, 178, 92)),
        (1.0, (214, 64, 48)),
    )
    for (a, low), (b, high) in itertools.pairwise(stops):
        if peak <= b:
            t = (peak - a) / (b - a)
            return "#" + "".join(f"{round(x + t * (y - x)):02x}" for x, y in zip(low, high, strict=True))
    return "#d64030"


def draw(rows: list[dict]) -> str:
    """The stability map as SVG: one panel per (model, law, tau, loss)."""
    panels = sorted({(r["model"], r["tau"], r["loss"]) for r in rows})
    laws = list(dict.fromkeys(r["law"] for r in rows))
    gains, delays = sorted({r["gain"] for r in rows}), sorted({r["delay"] for r in rows})
    wide, high = max(len(gains) * CELL + 60, 270), len(delays) * CELL + 62
    head = 60
    size = f'width="{wide * len(laws) + 30}" height="{head + high * len(panels) + 20}"'
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10" fill="#333">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="20" y="18" font-size="14">Where a shocked room stays calm</text>',
        '<text x="20" y="34">number: worst peak of the mean arousal x 100; blue is below 0.45, the bound</text>',
        '<text x="20" y="48">dashed: K*c = 1 undamped (K = 1) and with the unmediated share alone (K = 4)</text>',
    ]
    for row, (model, tau, loss) in enumerate(panels):
        for column, law in enumerate(laws):
            x0, y0 = 46 + column * wide, head + 22 + row * high
            svg.append(
                f'<text x="{x0}" y="{y0 - 6}">{model}, damping {law}, tau {tau:g} s, loss {loss:g}</text>'
            )
            for i, k in enumerate(gains):
                for j, d in enumerate(delays):
                    point = {"model": model, "tau": tau, "loss": loss, "law": law, "gain": k, "delay": d}
                    peaks = [r["peak"] for r in rows if point.items() <= r.items()]
                    if peaks:
                        x, y = x0 + i * CELL, y0 + (len(delays) - 1 - j) * CELL
                        svg.append(
                            f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{shade(max(peaks))}"/>'
                        )
                        svg.append(
                            f'<text x="{x + 7}" y="{y + 17}" fill="#fff">{max(peaks) * 100:.0f}</text>'
                        )
                svg.append(f'<text x="{x0 + i * CELL + 3}" y="{y0 + len(delays) * CELL + 12}">{k:g}</text>')
            for j, d in enumerate(delays):
                svg.append(f'<text x="{x0 - 26}" y="{y0 + (len(delays) - 1 - j) * CELL + 17}">{d:g} s</text>')
            svg.append(f'<text x="{x0}" y="{y0 + len(delays) * CELL + 25}">K</text>')
            for edge in (1.0, 4.0):
                if gains[0] < edge <= gains[-1]:
                    i = next(i for i, k in enumerate(gains) if k >= edge)
                    t = i if gains[i] == edge else i - 1 + (edge - gains[i - 1]) / (gains[i] - gains[i - 1])
                    x = x0 + (t + 0.5) * CELL
                    svg.append(
                        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y0 - 3}" y2="{y0 + len(delays) * CELL + 3}"'
                        ' stroke="#fff" stroke-width="2" stroke-opacity="0.5" stroke-dasharray="4 3"/>'
                    )
    return "\n".join([*svg, "</svg>\n"])

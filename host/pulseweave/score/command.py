"""`pulseweave score`: the device's own code over recordings, held against their references."""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import rich_click as click

from pulseweave.problem import Problem
from pulseweave.results import writable, write_json
from pulseweave.score import beats, recordings, run, stress, weights

MEANING = {"beats": "reference beats (ref_beats_s or rr_ms)", "stress": "labelled segments (bvp, eda, seg_*)"}

UNIT = {"beats": "reference beat", "stress": "whole minute of a labelled segment"}


def covered(r: run.Run) -> np.ndarray:
    """Seconds (1 Hz, within the reference) in which the node trusts its beats."""
    trusted = r.series["quality"] >= beats.GATE
    ref = r.recording.ref
    assert ref is not None, "only recordings with reference beats come here"
    if not r.recording.floating and len(ref):
        trusted = trusted[r.t_s <= ref[-1] + 1]
    return trusted


def score_beats(r: run.Run) -> tuple[beats.Tally, beats.Tally]:
    """All beats of the recording, and those of the seconds in which quality passes the gate."""
    q = r.recording
    assert q.ref is not None, "only recordings with reference beats come here"
    every = beats.tally(q.ref, r.beats[:, 0], q.excluded, q.seconds, q.floating)
    low = r.t_s[r.series["quality"] < beats.GATE] - every.lag
    excluded = np.concatenate([q.excluded, np.column_stack([low - 1, low])])
    gated = beats.tally(q.ref, r.beats[:, 0], excluded, q.seconds, q.floating, every.lag)
    return every, gated


def row_beats(every: list[beats.Tally], gated: list[beats.Tally], trusted: list[np.ndarray]) -> dict:
    """Contract keys, plus the figures at the gate and the FN and FP counts."""
    f = beats.figures(every)
    at_gate = beats.figures(gated)
    f["coverage"] = float(np.concatenate(trusted).mean()) if sum(map(len, trusted)) else 0.0
    f |= {"f1_gate": at_gate["f1"], "ibi_mae_gate_ms": at_gate["ibi_mae_ms"]}
    f |= {"missed": sum(t.refs - t.tp for t in every), "false": sum(t.dets - t.tp for t in every)}
    return f


def dump(r: run.Run, kind: str, folder: Path) -> None:
    """One CSV: beats t_s,ibi_ms,quality; stress t_s,arousal,valence,confidence (0..1, valence -1..1) at 1 Hz.

    Raises Problem where it cannot be written."""
    path = folder / f"{r.recording.name}.csv"
    try:
        f = path.open("w", newline="")
    except OSError as e:
        raise Problem(f"{path}: cannot be written ({e.strerror}): name another --dump folder") from None
    with f:
        out = csv.writer(f, lineterminator="\n")
        if kind == "beats":
            out.writerow(["t_s", "ibi_ms", "quality"])
            for t, ibi, quality, *_ in r.beats:
                out.writerow([f"{t:.4f}", f"{ibi:.4f}", int(quality)])
        else:
            out.writerow(["t_s", "arousal", "valence", "confidence"])
            s = r.series
            for t, a, v, c in zip(r.t_s, s["arousal"], s["valence"], s["confidence"], strict=True):
                out.writerow([f"{t:.0f}", f"{a / 4096:.4f}", f"{v / 4096:.4f}", f"{c / 255:.4f}"])


def table(rows: dict[str, dict], pooled: dict) -> str:
    """Plain columns, one recording a line, the pooled figures last."""
    keys = list(pooled)
    lines = ["".join([f"{'':24}", *(f"{k:>{max(len(k), 6) + 2}}" for k in keys)])]
    for name, row in [*rows.items(), ("pooled", pooled)]:
        cells = []
        for k in keys:
            v = row.get(k)
            text = (
                "-"
                if v is None
                else f"{v:.4f}"
                if isinstance(v, float) and v <= 1
                else f"{v:.2f}"
                if isinstance(v, float)
                else str(v)
            )
            cells.append(f"{text:>{max(len(k), 6) + 2}}")
        lines.append(f"{name:24}" + "".join(cells))
    return "\n".join(lines)


def gather(folder: Path, kind: str | None) -> tuple[str, list[recordings.Recording]]:
    """The recordings of one kind below a folder. Raises Problem where there is none, or two kinds and none is named."""
    found: list[recordings.Recording] = []
    for path in recordings.folder(folder):
        found.append(recordings.load(path))
    clash = Counter(r.name for r in found)
    for r, path in zip(found, recordings.folder(folder), strict=True):
        if clash[r.name] > 1:
            r.name = "_".join(path.relative_to(folder).with_suffix("").parts)
    kinds = {r.kind for r in found} - {"none"}
    if kind is None:
        if len(kinds) > 1:
            raise Problem(f"{folder}: holds recordings of both kinds: add --kind beats or --kind stress")
        if not kinds:
            raise Problem(
                f"{folder}: no recording has a reference to score against ({' or '.join(MEANING.values())})"
            )
        kind = kinds.pop()
    chosen = [r for r in found if r.kind == kind]
    if not chosen:
        raise Problem(f"{folder}: no recording with {MEANING[kind]}: choose another --kind or folder")
    return kind, chosen


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--kind", type=click.Choice(["beats", "stress"]), help="What to score; needed where DIR holds both."
)
@click.option(
    "--dump", "dump_to", type=click.Path(path_type=Path), help="Write one CSV per recording into this folder."
)
@click.option("--json", "json_to", help="Write the figures as one JSON object (- = stdout).")
@click.option(
    "--plot", "plot_to", type=click.Path(path_type=Path), help="Draw recordings into this folder as PNG."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="MicroPython processes at once.",
)
def score(folder, kind, dump_to, json_to, plot_to, workers):
    """Score the device's own estimates, run under MicroPython, on recordings.

    Example: pulseweave score ../shared/data/ppg_ecg_50hz --kind beats --json -
    """
    kind, chosen = gather(folder, kind)
    writable(json_to)
    if plot_to:
        from pulseweave.score import plot  # matplotlib is an extra: complain before the work
    for place in (dump_to, plot_to):
        if place:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as e:
                raise Problem(f"{place}: cannot be made a folder ({e.strerror}): name another") from None
    rows, parts = {}, []
    for r in run.many(chosen, workers):
        name = r.recording.name
        if kind == "beats":
            every, gated = score_beats(r)
            part = every, gated, covered(r)
            rows[name] = row_beats([every], [gated], [part[2]])
        else:
            part = stress.windows(r)
            rows[name] = stress.figures(part, weights.threshold())
        parts.append(part)
        if dump_to:
            dump(r, kind, dump_to)
        if plot_to:
            plot.draw(r, plot_to / f"{name}.png")
    pooled = (
        row_beats(*map(list, zip(*parts))) if kind == "beats" else stress.pooled(parts, weights.threshold())
    )
    if not pooled["n"]:
        raise Problem(f"{folder}: no {UNIT[kind]} lies within a recording: check the labels' times (s)")
    result = {"kind": kind, "recordings": rows, "pooled": pooled}
    if json_to == "-":
        click.echo(json.dumps(result, indent=1))
        return
    write_json(json_to, result)
    if kind == "stress" and len(parts) > 1:
        print(f"control, labels turned in time: AUC {stress.control(parts)}", file=sys.stderr)
    click.echo(table(rows, pooled))

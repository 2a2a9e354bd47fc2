"""`pulseweave report`: a gathering as one HTML file with plots, that needs nothing else, not even a network.

In: a store and a span. Out: HTML with inline SVG. It says what was felt by the room, how much was damped, who of the
nodes was heard how well; and what these numbers are not.
"""

from html import escape

from pulseweave import __version__
from pulseweave.gather.record import KINDS
from pulseweave.gather.span import utc
from pulseweave.gather.store import Store

WIDE, HIGH, LEFT, FOOT = 960, 220, 44, 26
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2030;background:#fbfaf7}
h1{font-weight:300}h2{font-weight:400;margin-top:2.2rem}svg{width:100%;height:auto;display:block}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.15rem .8rem .15rem 0;text-align:right}
th{font-weight:500;border-bottom:1px solid #ccc}td:first-child,th:first-child{text-align:left}.quiet{color:#667}
text{font:11px system-ui,sans-serif;fill:#556}
@media(prefers-color-scheme:dark){body{color:#dfe2ee;background:#10121a}text{fill:#99a}.quiet{color:#99a}th{border-color:#444}}
"""


def report(store: Store, from_ms: int, to_ms: int, title: str) -> str:
    """The whole document."""
    curve = store.curve(from_ms, to_ms, 900)
    span = (from_ms, to_ms)
    packets = sum(r[1] for r in curve)
    visits = store.db.one("select count(distinct visitor) from states where at_ms >= ? and at_ms < ?", span)
    counts = store.counts()
    gaps = store.missed()
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{utc(from_ms)[:16].replace('T', ' ')} to {utc(to_ms)[:16].replace('T', ' ')} UTC, {_long(to_ms - from_ms)}. "
        f"{packets:,} versions kept of {visits:,} touches. Since this store began "
        f"{counts['missed']:,} were missed by number, {counts['lost']:,} lost before a host asked for them.</p>",
        "<h2>What the room felt, and what was damped</h2>",
        plot(curve, [(3, "arousal", "#d2691e", ""), (5, "damping", "#3566a8", "6 4")], from_ms, to_ms),
        "<h2>Who was there, and how sure we are</h2>",
        plot(
            curve,
            [(2, "share of strands touched", "#3a8a5f", ""), (4, "confidence", "#888", "2 3")],
            from_ms,
            to_ms,
        ),
        "<h2>Strand by strand</h2>",
        "<p class=quiet>Each row is a strand, each column a moment: the darker, the more aroused; empty = nobody there.</p>",
        strip(store, from_ms, to_ms),
        _nodes(store, span, gaps),
        _events(store, span),
        "<h2>What this is not</h2><p>Arousal is read from pulse and skin against each visitor's own rest, in 256 steps, "
        "with a confidence. It is no diagnosis, no lie detector, no measure of a person. Visitors have random numbers that "
        "end with the touch; raw signals have never left a node and are not in the store this was made from.</p>",
        f"<p class=quiet>Pulseweave {escape(__version__)}</p>",
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'


def _long(ms: int) -> str:
    s = ms // 1000
    return f"{s // 3600} h {s % 3600 // 60} min" if s >= 3600 else f"{s // 60} min {s % 60} s"


def _x(t: float, from_ms: int, to_ms: int) -> float:
    return LEFT + (t - from_ms) / max(1, to_ms - from_ms) * (WIDE - LEFT - 8)


def _time_axis(from_ms: int, to_ms: int, high: int) -> str:
    out = []
    for k in range(7):
        t = from_ms + (to_ms - from_ms) * k // 6
        anchor = "start" if k == 0 else "end" if k == 6 else "middle"
        out.append(
            f'<text x="{_x(t, from_ms, to_ms):.0f}" y="{high - 6}" text-anchor="{anchor}">{utc(t)[11:19]}</text>'
        )
    return "".join(out)


def plot(curve: list[tuple], lines: list[tuple[int, str, str, str]], from_ms: int, to_ms: int) -> str:
    """Columns of the curve over time, 0..1, as SVG; a line breaks where nothing was known."""
    known = [v for row in curve for v in (row[k] for k, *_ in lines) if v is not None]
    top = 1.0 if not known or max(known) > 0.5 else 0.5
    y = lambda v: HIGH - FOOT - v / top * (HIGH - FOOT - 16)  # noqa: E731
    gap = 4 * max(1000, (to_ms - from_ms) // 900)
    words = " and ".join(name for _, name, *_ in lines)
    svg = [f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{words} over time">']
    for v in (0, top / 2, top):
        svg.append(
            f'<path d="M{LEFT} {y(v):.1f}H{WIDE - 8}" stroke="#8884" /><text x="4" y="{y(v) + 4:.0f}">{v:.0%}</text>'
        )
    for at, (k, name, colour, dashes) in enumerate(lines):
        path, last = [], None
        for row in curve:
            if row[k] is None:
                last = None
                continue
            move = "M" if last is None or row[0] - last > gap else "L"
            path.append(f"{move}{_x(row[0], from_ms, to_ms):.1f} {y(row[k]):.1f}")
            last = row[0]
        svg.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}"/>'
        )
        svg.append(f'<text x="{LEFT + 12 + 190 * at}" y="12" style="fill:{colour}">{escape(name)}</text>')
    return "".join(svg) + _time_axis(from_ms, to_ms, HIGH) + "</svg>"


def strip(store: Store, from_ms: int, to_ms: int, columns: int = 160) -> str:
    """A raster: strands by moments, arousal where somebody was there."""
    step = max(1, (to_ms - from_ms) // columns + 1)
    cells = store.db.all(
        f"select node, (at_ms - ?) / {step}, avg(arousal) from states where at_ms >= ? and at_ms < ? "
        "and visitor is not null group by 1, 2",
        (from_ms, from_ms, to_ms),
    )  # fmt: skip
    nodes = [n for (n,) in store.db.all("select distinct node from lives where event = 0 order by node")]
    high = max(4, min(14, 600 // max(1, len(nodes))))
    whole = high * len(nodes) + FOOT
    place = {n: i for i, n in enumerate(nodes)}
    wide = (WIDE - LEFT - 8) / columns
    svg = [f'<svg viewBox="0 0 {WIDE} {whole}" role="img" aria-label="arousal of every strand over time">']
    for n in nodes[:: max(1, len(nodes) // 30)]:
        svg.append(f'<text x="4" y="{place[n] * high + 9}">{n}</text>')
    for n, column, arousal in cells:
        if n in place:
            svg.append(
                f'<rect x="{LEFT + int(column) * wide:.1f}" y="{place[n] * high}" width="{wide + 0.3:.1f}" '
                f'height="{high - 1}" fill="#d2691e" opacity="{0.12 + 0.88 * float(arousal) / 255:.2f}"/>'
            )
    return "".join(svg) + _time_axis(from_ms, to_ms, whole) + "</svg>"


def _nodes(store: Store, span: tuple[int, int], gaps: dict[int, int]) -> str:
    rows = store.db.all(
        "select s.node, count(*), count(distinct visitor), avg(case when visitor is not null then arousal end), "
        "avg(case when visitor is not null then confidence end), avg(g) from states s where at_ms >= ? and at_ms < ? "
        "group by s.node order by s.node",
        span,
    )
    share = lambda v: "–" if v is None else f"{float(v) / 255:.2f}"  # noqa: E731
    body = "".join(
        f"<tr><td>{n}<td>{k:,}<td>{gaps.get(n, 0):,}<td>{v}<td>{share(a)}<td>{share(c)}<td>{share(g)}"
        for n, k, v, a, c, g in rows
    )
    return (
        "<h2>Nodes</h2><table><tr><th>node<th>versions<th>missed, ever<th>touches<th>mean arousal<th>confidence<th>damping"
        f"{body}</table>"
    )


def _events(store: Store, span: tuple[int, int]) -> str:
    rows = store.db.all(
        "select at_ms, node, kind, data from events where at_ms >= ? and at_ms < ? and kind <> 6 order by at_ms limit 500",
        span,
    )
    said = [(t, f"{KINDS.get(k, k)} {d & 0xFFFF or ''} (node {n})") for t, n, k, d in rows]
    said += [
        (t, w) for t, w in store.db.all("select at_ms, words from notes where at_ms >= ? and at_ms < ?", span)
    ]
    if not said:
        return ""
    items = "".join(f"<li>{utc(t)[11:19]} {escape(str(w))}</li>" for t, w in sorted(said)[:500])
    return f"<h2>What happened</h2><ol>{items}</ol>"

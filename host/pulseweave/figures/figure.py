"""One measured figure beside what it is held against, and the table and JSON made of many.

In: figures. Out: rows for `rich`, and bench.json `{name: {value, unit, peer, peer_value, peer_version, ratio, limit}}`.
"""

from dataclasses import dataclass, field

from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ratio` is value / peer_value, or value / limit where there is no peer; None where nothing was measured.

    `more` says which way is better: True where a larger value is. `limit` is a floor then, a ceiling otherwise.
    """

    name: str
    value: float | None
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    peer_version: str | None = None
    limit: float | None = None
    more: bool = False
    said: str = field(default="", compare=False)  # why there is no value

    @property
    def ratio(self) -> float | None:
        against = self.peer_value if self.peer_value is not None else self.limit
        if self.value is None or not against:
            return None
        return self.value / against

    @property
    def kept(self) -> bool | None:
        """Whether the limit is kept; None where there is none, or no value."""
        if self.value is None or self.limit is None:
            return None
        return bool(self.value >= self.limit if self.more else self.value <= self.limit)

    def entry(self) -> dict:
        """The object in bench.json."""
        return {
            "value": rounded(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": rounded(self.peer_value),
            "peer_version": self.peer_version,
            "ratio": rounded(self.ratio),
            "limit": self.limit,
            **({"note": self.said} if self.said else {}),
        }


def rounded(v: float | None) -> float | int | None:
    """Four significant digits: more would be noise."""
    if v is None or isinstance(v, int):
        return v
    return float(f"{v:.4g}")


def shown(v: float | None) -> str:
    """A number for the table."""
    if v is None:
        return "-"
    return f"{v:,}" if isinstance(v, int) else f"{float(f'{v:.4g}'):,g}"


def table(figures: list[Figure], title: str) -> Table:
    """One line a figure; a broken limit in red."""
    out = Table(title=title, title_justify="left", header_style="bold")
    out.add_column("figure")
    for name in ("value", "peer", "ratio", "limit"):
        out.add_column(name, justify="right")
    out.add_column("unit")
    out.add_column("beside")
    for f in figures:
        colour = {True: "green", False: "red", None: ""}[f.kept]
        value = f"[{colour}]{shown(f.value)}[/]" if colour else shown(f.value)
        limit = "-" if f.limit is None else ("≥ " if f.more else "≤ ") + shown(f.limit)
        beside = " ".join(w for w in (f.peer, f.peer_version) if w) or f.said
        out.add_row(f.name, value, shown(f.peer_value), shown(f.ratio), limit, f.unit, beside)
    return out

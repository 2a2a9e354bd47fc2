"""The chart of a mesh, put together from what one node answers on its console.

In: answers to `mesh` (this node's table) and to `mesh NODE` (LINKS in hex: device/weave/mesh/README.md). Out: `Chart`,
as dataclasses and as a dictionary for JSON. A link is (listener, speaker, RSSI in dBm): who hears whom, each way apart.
"""

import struct
import time
from dataclasses import dataclass, field

from pulseweave.firmware import odd

HEAD = struct.Struct(">HHBhi")  # node, root, hops, rate in ppm, last deviation in 1/256 ms
LINK = struct.Struct(">HB")
GONE_MS = 60_000  # as in weave/mesh/roster.py


@dataclass
class Station:
    """One node: from the table `age_s` of its values and their `version`; the rest as it said at `told` (None: not yet).

    `offset_ms`: its clock against the last neighbour it compared itself with; `rate_ppm`: how it corrects its crystal.
    """

    node: int
    age_s: float = 0.0
    version: int = 0
    told: float | None = None
    root: int = 0
    hops: int = 255
    rate_ppm: int = 0
    offset_ms: float = 0.0
    hears: dict[int, int] = field(default_factory=dict)
    release: str | None = None  # first digits of what it runs, "" where it does not know, None: not told yet
    board: str = ""
    asked: int = 0  # how often it was asked what it runs


class Chart:
    """Everything known so far; `own` is the node whose console answers."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.own = 0
        self.stations: dict[int, Station] = {}

    def table(self, rows: list[dict]) -> None:
        """The node's own table: its first row is the node itself. Who has left it leaves the chart."""
        self.own = rows[0]["node"]
        here = {r["node"] for r in rows}
        self.stations = {n: s for n, s in self.stations.items() if n in here}
        for r in rows:
            s = self.stations.setdefault(r["node"], Station(r["node"]))
            s.age_s, s.version = r["age"] / 1000, r["version"]
        me = self.stations[self.own]
        me.age_s = 0.0
        me.hears = {r["node"]: r["rssi"] for r in rows if r["rssi"]}

    def links(self, data: bytes) -> int:
        """A LINKS answer; returns its node, 0 where it is none."""
        if len(data) < HEAD.size or (len(data) - HEAD.size) % LINK.size:
            return 0
        node, root, hops, rate, error = HEAD.unpack_from(data)
        s = self.stations.get(node)
        if not s:
            return 0
        s.told, s.root, s.hops, s.rate_ppm, s.offset_ms = (
            self.clock(),
            root,
            hops,
            rate,
            round(error / 256, 2),
        )
        s.hears = {n: -dbm for n, dbm in LINK.iter_unpack(data[HEAD.size :])}
        return node

    def runs(self, node: int, board: str, release: str) -> None:
        """What a node said it is."""
        if s := self.stations.get(node):
            s.board, s.release = board, release

    def unknown(self) -> list[int]:
        """Nodes that have not said what they run; older firmware never does, so each is asked twice."""
        return [
            s.node
            for s in self.stations.values()
            if s.release is None and s.asked < 2 and s.told is not None and s.age_s * 1000 < GONE_MS
        ]

    def odd(self) -> dict[int, str]:
        """Nodes that run another release than most others of the same kind of board, and what those run."""
        return odd({s.node: (s.board, s.release) for s in self.stations.values() if s.release})

    def next(self, last: int) -> int:
        """Whom to ask after `last`: who has not told for longest, those out of reach for a minute left out."""
        there = [s for s in self.stations.values() if s.age_s * 1000 < GONE_MS and s.node != last]
        there = there or [self.stations[last]]
        return min(there, key=lambda s: (-1.0 if s.told is None else s.told, s.node != self.own, s.node)).node

    def untold(self) -> list[int]:
        """Nodes that have not told yet."""
        return [s.node for s in self.stations.values() if s.told is None and s.age_s * 1000 < GONE_MS]

    def heard(self) -> list[tuple[int, int, int]]:
        """(listener, speaker, dBm) of every link known, sorted."""
        return sorted((s.node, n, dbm) for s in self.stations.values() for n, dbm in s.hears.items())

    def document(self) -> dict:
        """For `--json` and the page."""
        now, other = self.clock(), self.odd()
        return {
            "node": self.own,
            "nodes": [
                {
                    "node": s.node,
                    "age_s": round(s.age_s, 2),
                    "version": s.version,
                    "release": s.release,
                    "board": s.board or None,
                    "odd": s.node in other,
                    "root": s.root if s.told is not None else None,
                    "hops": s.hops if s.told is not None else None,
                    "rate_ppm": s.rate_ppm if s.told is not None else None,
                    "offset_ms": s.offset_ms if s.told is not None else None,
                    "told_s_ago": round(now - s.told, 1) if s.told is not None else None,
                    "hears": [
                        {"node": n, "rssi": dbm} for n, dbm in sorted(s.hears.items(), key=lambda k: -k[1])
                    ],
                }
                for s in sorted(self.stations.values(), key=lambda s: s.node)
            ],
        }

"""What was kept, as CSV, Parquet or JSON; units stand in the headers.

In: a store, a span, a table (`states`, `events`, `room`, `firmware`). Out: a file or a stream, row by row, however long
the span is.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pulseweave.gather.record import KINDS, TOUCHED
from pulseweave.gather.span import utc
from pulseweave.gather.store import Store
from pulseweave.problem import Problem

# name with unit: (type, meaning)
STATES = {
    "time_utc": (str, "when the values were right, ISO 8601"),
    "node": (int, "id of the node"),
    "life": (int, "starts of this node so far"),
    "n": (int, "consecutive number of the version in this life"),
    "touched": (bool, "somebody is there"),
    "visitor": (int, "random number of this touch; empty = nobody"),
    "arousal_0_1": (float, "arousal, in steps of 1/255"),
    "fast_arousal_0_1": (float, "a quicker, less certain estimate of it"),
    "confidence_0_1": (float, "how far arousal is to be trusted"),
    "damping_g_0_1": (float, "how much this node damps the room's share"),
    "flags": (int, "1 touched, 2 safe mode, 4 power limited, 8 sensor fault"),
    "rssi_dBm": (int, "at the gateway that brought it; empty = out of earshot"),
}
EVENTS = {
    "time_utc": (str, "when the gateway heard it, ISO 8601"),
    "node": (int, "id of the node that told it"),
    "life": (int, "starts of this node so far"),
    "n": (int, "number of the frame in this life"),
    "kind": (str, "scene, policy, config, identify, alarm, ping, visitor"),
    "data": (int, "its first two bytes; 0 for what would tell of a visitor"),
}
ROOM = {
    "time_utc": (str, "begin of the second, ISO 8601"),
    "packets": (int, "versions kept in this step"),
    "touched_0_1": (float, "share of them with a visitor"),
    "arousal_0_1": (float, "mean over visitors; empty = nobody"),
    "confidence_0_1": (float, "mean over visitors"),
    "damping_g_0_1": (float, "mean over nodes"),
}
FIRMWARE = {
    "time_utc": (str, "when the node was asked and said something new, ISO 8601"),
    "node": (int, "id of the node"),
    "board": (str, "kind of its board"),
    "release": (str, "first digits of the release it runs; empty = it does not know"),
    "crash_notes": (int, "how many of its newest two crash notes there were"),
}
TABLES = {"states": STATES, "events": EVENTS, "room": ROOM, "firmware": FIRMWARE}
SOME = 5000


def share(v: int) -> float:
    """0..255 as 0..1 with as many digits as there are."""
    return round(v / 255, 3)


def rows(store: Store, table: str, from_ms: int, to_ms: int) -> Iterator[list[tuple]]:
    """Rows in the order of the table's columns, some at a time."""
    span = (from_ms, to_ms)
    if table == "states":
        sql = (
            "select at_ms, node, life, n, flags, visitor, arousal, fast, confidence, g, rssi from states "
            "where at_ms >= ? and at_ms < ? order by at_ms, node"
        )
        for some in store.db.rows(sql, span, SOME):
            yield [
                (utc(t), node, life, n, bool(flags & TOUCHED), visitor,
                 share(a), share(f), share(c), share(g), flags, rssi or None)
                for t, node, life, n, flags, visitor, a, f, c, g, rssi in some
            ]  # fmt: skip
    elif table == "events":
        sql = "select at_ms, node, life, n, kind, data from events where at_ms >= ? and at_ms < ? order by at_ms, node"
        for some in store.db.rows(sql, span, SOME):
            yield [
                (utc(t), node, life, n, KINDS.get(kind, str(kind)), data & 0xFFFF)
                for t, node, life, n, kind, data in some
            ]
    elif table == "firmware":
        sql = "select at_ms, node, board, release, crashes from firmware where at_ms >= ? and at_ms < ? order by at_ms, node"
        for some in store.db.rows(sql, span, SOME):
            yield [(utc(t), *rest) for t, *rest in some]
    else:
        curve = store.curve(from_ms, to_ms, 10**9)
        yield [
            (utc(t), n, round(k, 4), *(None if v is None else round(v, 4) for v in (a, c)), round(g, 4))
            for t, n, k, a, c, g in curve
        ]


def write_csv(out: TextIO, store: Store, table: str, from_ms: int, to_ms: int) -> int:
    """A header with units, then rows; empty where nothing is known."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TABLES[table])
    count = 0
    for some in rows(store, table, from_ms, to_ms):
        writer.writerows([int(v) if isinstance(v, bool) else v for v in row] for row in some)
        count += len(some)
    return count


def write_json(out: TextIO, store: Store, table: str, from_ms: int, to_ms: int) -> int:
    """One object: `columns` (name with unit: meaning), `from_utc`, `to_utc`, `rows` (lists in the order of the columns)."""
    head = {
        "table": table,
        "from_utc": utc(from_ms),
        "to_utc": utc(to_ms),
        "columns": {name: meaning for name, (_, meaning) in TABLES[table].items()},
    }
    out.write(json.dumps(head)[:-1] + ', "rows": [')
    count = 0
    for some in rows(store, table, from_ms, to_ms):
        for row in some:
            out.write((",\n" if count else "\n") + json.dumps(row))
            count += 1
    out.write("\n]}\n")
    return count


def write_parquet(path: Path, store: Store, table: str, from_ms: int, to_ms: int) -> int:
    """A Parquet file; the meaning of each column is in its field's metadata. Raises Problem without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise Problem(
            "Parquet needs pyarrow: pip install 'pulseweave[gather]', or use --format csv"
        ) from None
    kinds = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}
    columns = TABLES[table]
    schema = pa.schema([pa.field(k, kinds[t], metadata={"meaning": m}) for k, (t, m) in columns.items()])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for some in rows(store, table, from_ms, to_ms):
            if not some:
                continue
            arrays = [
                pa.array(column, kinds[t])
                for column, (t, _) in zip(zip(*some, strict=True), columns.values(), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(some)
    return count

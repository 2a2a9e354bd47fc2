"""Forgetting: whole spans (`prune`), a node, or one visitor. What is erased is erased from the file as well.

What was erased does not count as missed: lives remember how many of their packets were pruned.
"""

import json
import time

from pulseweave.gather.store import Store
from pulseweave.gather.store.ledger import SILENCE
from pulseweave.gather.store.sqlite import Sqlite
from pulseweave.problem import Problem

WAIT_S = 30.0


def prune(store: Store, before_ms: int) -> int:
    """Erase everything older than a time; returns how many packets that were."""
    db = store.db
    with db.transaction():
        gone = db.all(
            "select node, life, count(*) from states where at_ms < ? group by node, life", (before_ms,)
        )
        for node, life, n in gone:
            db.run(
                "update lives set pruned = pruned + ? where node = ? and event = 0 and life = ?",
                (n, node, life),
            )
        db.run("delete from states where at_ms < ?", (before_ms,))
        db.run("delete from events where at_ms < ?", (before_ms,))
        db.run("delete from notes where at_ms < ?", (before_ms,))
        edge = before_ms // 1000
        db.run("delete from seconds where at_s <= ?", (edge,))
        store.sum_up(edge * 1000, edge * 1000 + 1000)
        db.run(  # an empty visit stays only where it may go on
            "delete from visits where not exists (select 1 from states s where s.node = visits.node and "
            "s.life = visits.life and s.n >= visits.from_n and s.n <= visits.last_n and s.visitor = visits.visitor) "
            "and (to_n is not null or exists (select 1 from lives l where l.node = visits.node and l.event = 0 and "
            "(l.life > visits.life or (l.life = visits.life and l.last_n > visits.last_n + ?))))",
            (SILENCE,),
        )
        _letters(store, lambda node, epoch, serial, at_ms, *_: at_ms >= before_ms)
        _turn(store)
    _wipe(store)
    return sum(n for _, _, n in gone)


def forget_visitor(store: Store, visitor: int) -> int:
    """Erase one touch of one strand; returns how many packets that were."""
    db = store.db
    with db.transaction():
        gone = db.all(
            "select node, life, count(*), min(at_ms) from states where visitor = ? group by node, life",
            (visitor,),
        )
        for node, life, n, _ in gone:
            db.run(
                "update lives set pruned = pruned + ? where node = ? and event = 0 and life = ?",
                (n, node, life),
            )
        spans = db.all(
            "select node, min(at_ms), max(at_ms) from states where visitor = ? group by node", (visitor,)
        )
        db.run("delete from states where visitor = ?", (visitor,))
        known = db.run("delete from visits where visitor = ?", (visitor,))
        if gone:
            db.run("delete from seconds where at_s >= ?", (min(g[3] for g in gone) // 1000,))
        _letters(
            store,
            lambda node, epoch, serial, at_ms, *_: (
                not any(node == n and a <= at_ms <= b for n, a, b in spans)
            ),
        )
        _turn(store)
    if not known:
        return -1
    _wipe(store)
    return sum(n for _, _, n, _ in gone)


def forget_node(store: Store, node: int) -> int:
    """Erase all that one node has told; returns how many packets that were, -1 where it is unknown."""
    db = store.db
    with db.transaction():
        first = db.one("select min(at_ms) from states where node = ?", (node,))
        known = db.one("select count(*) from lives where node = ?", (node,))
        gone = db.run("delete from states where node = ?", (node,))
        gone += db.run("delete from events where node = ?", (node,))
        for table in ("visits", "lives", "strands", "firmware"):
            db.run(f"delete from {table} where node = ?", (node,))
        if first is not None:
            db.run("delete from seconds where at_s >= ?", (first // 1000,))
        _letters(store, lambda of, *packet: of != node)
        _turn(store)
    if not known:
        return -1
    _wipe(store)
    return gone


def _turn(store: Store) -> None:
    """Whoever gathers into this database meanwhile must look again."""
    store.ledger.news = True
    store.ledger.lives.clear()
    store.ledger.visits.clear()
    store.ledger.save()


def _letters(store: Store, keep) -> None:
    """Packets that wait for the broker are packets as well."""
    for host, number, payload in store.db.all("select host, number, payload from outbox"):
        body = json.loads(payload)
        packets = [p for p in body.get("packets", []) if keep(*p)]
        if len(packets) != len(body.get("packets", [])):
            store.db.run(
                "update outbox set payload = ? where host = ? and number = ?",
                (json.dumps({**body, "packets": packets}), host, number),
            )


def _wipe(store: Store) -> None:
    """Deleted rows leave their bytes in the file until it is written anew."""
    if isinstance(store.db, Sqlite):
        store.db.run("vacuum")
        end = time.monotonic() + WAIT_S
        while store.db.all("pragma wal_checkpoint(truncate)")[0][0]:  # somebody reads what was there before
            if time.monotonic() > end:
                raise Problem(
                    f"{store.db.where}: erased, but the old file is still being read: "
                    "end that (an export?) and do it again", 1,
                )  # fmt: skip
    else:
        store.db.run("vacuum")
    store.settle()

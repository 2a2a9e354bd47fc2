"""Writing packets, once each, and what is asked about all of them: how many, how many missed, the room's curve.

A packet is (node, life, n): whoever hears it again changes nothing. Missed = numbers between the first and the last of
a life that are neither kept nor pruned, so it needs no bookkeeping and a packet that comes late heals its gap.
"""

import time
from collections.abc import Iterable, Sequence

from pulseweave.gather.record import TOUCHED, Event
from pulseweave.gather.store.db import Database
from pulseweave.gather.store.ledger import Ledger, Packet
from pulseweave.gather.store.schema import migrate

STATES = ("node", "life", "n", "at_ms", "arousal", "fast", "confidence", "g", "flags", "rssi", "visitor")
EVENTS = ("node", "life", "n", "at_ms", "kind", "data")
SETTLE_S = 120  # seconds younger than this are summed when asked for, older ones are kept summed


class Store:
    """Over a database whose schema is brought up to date first. One thread."""

    def __init__(self, db: Database):
        self.db = db
        migrate(db)
        self.ledger = Ledger(db)
        self._strands: list[tuple] = []

    def again(self) -> None:
        """Look anew at what is there: where a damaged file was moved away a new one is begun. Raises Problem."""
        self.db.reopen()
        migrate(self.db)
        self.ledger = Ledger(self.db)
        if self._strands and not self.db.one("select count(*) from strands"):
            self.hang(self._strands)

    # --- writing

    def write(
        self,
        packets: Sequence[Packet],
        gateways: Iterable[tuple[int, int, int, int, int]] = (),
        notes: Iterable[tuple[int, str, str]] = (),
        outbox: Iterable[tuple[str, int, str]] = (),
        firmware: Iterable[tuple[int, int, str, str, int]] = (),
    ) -> int:
        """Keep packets, and with them how far each gateway has come (node, epoch, next, lost, at_ms): all or nothing.

        `firmware`: (node, at_ms, board, release, crash notes) of nodes that have told something new of themselves.

        Returns how many packets were new. Raises Unavailable, and then nothing was kept.
        """
        db, ledger = self.db, self.ledger
        try:
            with db.transaction():
                ledger.begin()
                states, events = self._placed(packets)
                new = db.insert("states", STATES, states) if states else 0
                new += db.insert("events", EVENTS, events) if events else 0
                ledger.save()
                for node, epoch, number, lost, at_ms in gateways:
                    self._gateway(node, epoch, number, lost, at_ms)
                for note in notes:
                    db.run("insert into notes (at_ms, kind, words) values (?, ?, ?)", note)
                for letter in outbox:
                    db.run("insert into outbox (host, number, payload) values (?, ?, ?)", letter)
                for told in firmware:
                    self._firmware(*told)
                if states:
                    first = min(s[3] for s in states) // 1000
                    db.run("delete from seconds where at_s >= ?", (first,))
                return new
        except BaseException:
            ledger.forget()
            raise

    def _placed(self, packets: Sequence[Packet]) -> tuple[list, list]:
        place, visit = self.ledger.place, self.ledger.visit
        states, events = [], []
        for at_ms, p in packets:
            if isinstance(p, Event):
                life, n = place(1, p.node, p.serial, p.epoch, at_ms)
                data = int.from_bytes(p.data, signed=len(p.data) > 1)  # a smallint; read with & 0xFFFF
                events.append((p.node, life.life, n, at_ms, p.kind, data))
            else:
                life, n = place(0, p.node, p.serial, p.epoch, at_ms)
                visitor = visit(p.node, life.life, n, p.flags & TOUCHED)
                states.append((p.node, life.life, n, at_ms, *p[4:], visitor))
        same = self.ledger.same
        if same:
            for old in list(same):  # who turned out to be another, who turned out to be another
                while same[old] in same:
                    same[old] = same[same[old]]
            states = [(*row[:-1], same.get(row[-1], row[-1])) for row in states]
        return states, events

    def _firmware(self, node: int, at_ms: int, board: str, release: str, crashes: int) -> None:
        """A row only where something has changed; another process may have asked the same node.

        What is told later is later, also within the same millisecond and where a clock went back.
        """
        last = self.db.all(
            "select at_ms, board, release, crashes from firmware where node = ? order by at_ms desc limit 1",
            (node,),
        )
        if not last or tuple(last[0][1:]) != (board, release, crashes):
            if last:
                at_ms = max(at_ms, last[0][0] + 1)
            self.db.insert(
                "firmware",
                ("node", "at_ms", "board", "release", "crashes"),
                [(node, at_ms, board, release, crashes)],
            )

    def firmware(self, until_ms: int = 1 << 62) -> dict[int, tuple[str, str, int]]:
        """(board, release, crash notes) of every node as it was told last before `until_ms`."""
        rows = self.db.all(
            "select node, board, release, crashes from firmware where at_ms <= ? order by at_ms", (until_ms,)
        )
        return {node: (board, release, crashes) for node, board, release, crashes in rows}

    def _gateway(self, node: int, epoch: int, number: int, lost: int, at_ms: int) -> None:
        touched = self.db.run(
            "update gateways set next = case when next > ? then next else ? end, lost = lost + ?, last_ms = ? "
            "where node = ? and epoch = ?",
            (number, number, lost, at_ms, node, epoch),
        )
        if not touched:
            self.db.run(
                "insert into gateways (node, epoch, next, lost, last_ms) values (?, ?, ?, ?, ?)",
                (node, epoch, number, lost, at_ms),
            )

    def note(self, kind: str, words: str) -> None:
        """Something a person should find later."""
        self.write((), notes=[(int(time.time() * 1000), kind, words)])

    def hang(self, strands: Iterable[tuple[int, str, float, float, float, int]]) -> None:
        """Where strands are: (node, name, x, y, z in metres, pixels)."""
        self._strands = list(strands)
        with self.db.transaction():
            for s in self._strands:
                self.db.run("delete from strands where node = ?", (s[0],))
                self.db.run("insert into strands (node, name, x, y, z, pixels) values (?, ?, ?, ?, ?, ?)", s)

    # --- asking

    def resume(self, node: int, epoch: int) -> int:
        """The number of the first record of this gateway that is not yet kept."""
        return self.db.one("select next from gateways where node = ? and epoch = ?", (node, epoch)) or 0

    def ends(self, table: str) -> tuple[int | None, int | None]:
        """UTC ms of the oldest and of the newest row of `states`, `events` or `firmware`; None where there is none."""
        first, last = self.db.all(f"select min(at_ms), max(at_ms) from {table}")[0]
        return first, last

    def counts(self) -> dict:
        """packets, events, missed (by number), lost (by gateways), visitors, first_ms, last_ms."""
        db = self.db
        packets = db.one("select count(*) from states")
        first, last = self.ends("states")
        held = db.one("select sum(last_n - first_n + 1 - pruned) from lives where event = 0") or 0
        return {
            "packets": packets,
            "events": db.one("select count(*) from events"),
            "missed": int(held) - packets,
            "lost": int(db.one("select sum(lost) from gateways") or 0),
            "visitors": db.one("select count(*) from visits"),
            "first_ms": first,
            "last_ms": last,
        }

    def missed(self) -> dict[int, int]:
        """By node: versions between the first and the last of its lives that nobody brought."""
        rows = self.db.all(
            "select l.node, sum(l.last_n - l.first_n + 1 - l.pruned) - "
            "(select count(*) from states s where s.node = l.node) from lives l where event = 0 group by l.node"
        )
        return {node: int(n) for node, n in rows}

    def curve(self, from_ms: int, to_ms: int, points: int = 1000) -> list[tuple]:
        """The room's curve: (t_ms, packets, touched share, arousal, confidence, g) of `points` steps at most; 0..1."""
        self.settle(to_ms)
        step = max(1, -(-(to_ms - from_ms) // 1000 // points))
        rows = self.db.all(
            "select min(at_s), sum(packets), sum(touched), sum(arousal), sum(confidence), sum(g) from seconds "
            f"where at_s >= ? and at_s <= ? group by at_s / {step} order by 1",
            (from_ms // 1000, to_ms // 1000),
        )
        return [
            (
                t * 1000,
                int(n),
                float(k) / n,
                float(a) / k / 255 if k else None,
                float(c) / k / 255 if k else None,
                float(g) / n / 255,
            )
            for t, n, k, a, c, g in rows
        ]

    def settle(self, to_ms: int | None = None) -> None:
        """Sum up seconds that are not summed yet; those of the last two minutes are summed again each time."""
        db = self.db
        with db.transaction():
            have = db.one("select max(at_s) from seconds")
            start = 0 if have is None else have - SETTLE_S
            db.run("delete from seconds where at_s >= ?", (start,))
            self.sum_up(start * 1000, 1 << 62)

    def sum_up(self, from_ms: int, to_ms: int) -> None:
        """Sums of whole seconds, inside a transaction; none of them may be there yet."""
        self.db.run(
            "insert into seconds (at_s, packets, touched, arousal, confidence, g) "
            "select at_ms / 1000, count(*), sum(flags & 1), sum(arousal), sum(confidence), sum(g) "
            "from states where at_ms >= ? and at_ms < ? group by at_ms / 1000",
            (from_ms, to_ms),
        )

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()

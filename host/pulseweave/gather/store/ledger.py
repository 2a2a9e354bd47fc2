"""Who a packet belongs to: which life of a node, which number in it, which visit. Kept in the database, so that
processes that gather into the same one agree; here between one transaction and the next.

Numbers travel as 16 bits; they are made whole beside the last one known. A new life begins with another epoch, or, where
no epoch is known, with a number that no time explains. A visit begins with the first touched packet after an untouched
one or after a silence, gets a random number, and ends with the touch.
"""

import secrets
from dataclasses import dataclass

from pulseweave.gather.record import Event, State
from pulseweave.gather.store.db import Database

Packet = tuple[int, State | Event]  # UTC in ms, what was heard
PERIOD_MS = 300  # versions follow each other no faster (device/weave/mesh: 450 ms less an eighth)
SLACK = 600  # versions that a delay or a jump of the clock may seem to add
BACK = 64  # versions a life may seem to go back
UPDATE = (  # another process may have gone further meanwhile
    "update visits set from_n = case when from_n < ? then from_n else ? end, "
    "last_n = case when last_n > ? then last_n else ? end, to_n = ? where visitor = ?"
)
SILENCE = 8  # versions missing after which a touch is another visit


@dataclass
class Life:
    """From one start of a node to the next."""

    node: int
    event: int
    life: int
    epoch: int
    first: int
    last: int
    last_ms: int
    known: bool  # there is a row
    changed: bool = True


@dataclass
class Visit:
    """One touch of one strand."""

    visitor: int
    node: int
    life: int
    first: int
    last: int
    to: int | None  # the first untouched version after it, None = it may go on
    known: bool
    changed: bool = True

    def row(self) -> tuple:
        """Parameters of UPDATE."""
        return self.first, self.first, self.last, self.last, self.to, self.visitor

    def goes_on(self, n: int) -> bool:
        """Whether a touch at `n`, after the last one known, is still this one."""
        return 0 < n - self.last <= SILENCE and (self.to is None or n < self.to)


class Ledger:
    """Answers for packets inside a transaction of `db`; `save()` before its end, `forget()` where it failed."""

    def __init__(self, db: Database):
        self.db = db
        self.turn = ""
        self.news = False  # something others must know
        self.lives: dict[tuple[int, int], list[Life]] = {}
        self.visits: dict[tuple[int, int], Visit | None] = {}
        self.same: dict[int, int] = {}  # visitors of this transaction that turned out to be others

    def begin(self) -> None:
        """A transaction has begun: has somebody else written meanwhile?"""
        turn = self.db.one("select value from settings where name = 'turn'") or ""
        if turn != self.turn:
            self.forget()
        self.turn, self.news = turn, False
        self.same.clear()

    def forget(self) -> None:
        """What is remembered may be wrong."""
        self.turn = ""
        self.lives.clear()
        self.visits.clear()

    # --- lives

    def life(self, event: int, node: int, serial: int, epoch: int, at_ms: int) -> tuple[Life, int]:
        """(life, whole number) of a packet."""
        lives = self.lives.get((node, event))
        if lives is None:
            rows = self.db.all(
                "select life, epoch, first_n, last_n, last_ms from lives where node = ? and event = ? order by life",
                (node, event),
            )
            lives = [Life(node, event, *row, known=True, changed=False) for row in rows]
            self.lives[node, event] = lives
        for life in reversed(lives[-8:]):
            d = ((serial - life.last) & 0xFFFF ^ 0x8000) - 0x8000
            if epoch and life.epoch:
                if epoch != life.epoch:
                    continue
                if d < 0 and at_ms - life.last_ms > (d + 65536) * PERIOD_MS:
                    d += 65536  # nobody has listened for hours: the numbers have gone round since
            elif life is not lives[-1]:
                continue
            elif d > max(0, at_ms - life.last_ms) / PERIOD_MS + SLACK or (d < -BACK and at_ms > life.last_ms):
                break  # no time explains this number: the node has started again
            return life, life.last + d
        number = lives[-1].life + 1 if lives else 0
        life = Life(node, event, number, epoch, serial, serial, at_ms, known=False)
        lives.append(life)
        self.news = True
        return life, serial

    def place(self, event: int, node: int, serial: int, epoch: int, at_ms: int) -> tuple[Life, int]:
        """The same, and the life now reaches that far."""
        life, n = self.life(event, node, serial, epoch, at_ms)
        if n > life.last:
            life.last, life.last_ms, life.changed = n, max(life.last_ms, at_ms), True
        elif n < life.first:
            life.first = n
            life.changed = True
        if epoch and not life.epoch:
            life.epoch, life.changed, self.news = epoch, True, True
        return life, n

    # --- visits

    def visit(self, node: int, life: int, n: int, touched: int) -> int | None:
        """The visitor of a packet, None where nobody touches."""
        key = node, life
        if key not in self.visits:
            self.visits[key] = self._latest(node, life, 1 << 60)
        v = self.visits[key]
        if not touched:
            if v and n > v.last and (v.to is None or n < v.to):
                v.to, v.changed, self.news = n, True, True
            return None
        if v and n > v.last and not v.goes_on(n):  # another touch, if no other process has heard more of this
            if v.changed:
                self._write(v)
            self.visits[key] = v = self._latest(node, life, 1 << 60)
        if v and v.first <= n <= v.last:
            return v.visitor
        if v and n < v.first:
            return self._late(key, v, n)
        if v and v.goes_on(n):
            v.last, v.changed = n, True
            return v.visitor
        self.visits[key] = v = self._new(node, life, n)
        return v.visitor

    def _late(self, key: tuple[int, int], v: Visit, n: int) -> int:
        """The visitor of a touched packet from before the newest visit: another host was quicker with what came after."""
        if v.changed:
            self._write(v)
        e = self._latest(*key, n)
        if e and n <= e.last:
            return e.visitor
        f = self._first(*key, n) or v
        near = f.first - n <= SILENCE
        if not (e and e.goes_on(n)):
            if not near:
                return self._new(*key, n).visitor
            f.first = n
            self._write(f)
            e = f
        else:
            e.last = n
            if near and e.to is None:  # it was one touch all the time
                self.db.run(
                    "update states set visitor = ? where node = ? and life = ? and n >= ? and n <= ? and visitor = ?",
                    (e.visitor, *key, f.first, f.last, f.visitor),
                )
                self.db.run("delete from visits where visitor = ?", (f.visitor,))
                self.same[f.visitor] = e.visitor
                e.last, e.to = f.last, f.to
                if f.visitor == v.visitor:
                    self.visits[key] = e
            self._write(e)
        if f.visitor == v.visitor and e is f:
            self.visits[key] = f
        self.news = True
        return e.visitor

    def _latest(self, node: int, life: int, n: int) -> Visit | None:
        return self._visit("from_n <= ? order by from_n desc", node, life, n)

    def _first(self, node: int, life: int, n: int) -> Visit | None:
        return self._visit("from_n > ? order by from_n", node, life, n)

    def _visit(self, which: str, node: int, life: int, n: int) -> Visit | None:
        """The first visit of a life for which `which` holds of `n`."""
        row = self.db.all(
            f"select visitor, node, life, from_n, last_n, to_n from visits where node = ? and life = ? and {which} limit 1",
            (node, life, n),
        )
        return Visit(*row[0], known=True, changed=False) if row else None

    def _new(self, node: int, life: int, n: int) -> Visit:
        v = Visit((1 << 20) + secrets.randbelow(1 << 52), node, life, n, n, None, False)
        self.news = True
        self._write(v)
        return v

    def _write(self, v: Visit) -> None:
        if v.known:
            self.db.run(UPDATE, v.row())
        else:
            self.db.run(
                "insert into visits (visitor, node, life, from_n, last_n, to_n) values (?, ?, ?, ?, ?, ?)",
                (v.visitor, v.node, v.life, v.first, v.last, v.to),
            )
        v.known, v.changed = True, False

    # --- the end of a transaction

    def save(self) -> None:
        """Write what has changed."""
        fresh, changed = [], []
        for lives in self.lives.values():
            for x in lives:
                if not x.known:
                    fresh.append((x.node, x.event, x.life, x.epoch, x.first, x.last, x.last_ms))
                elif x.changed:
                    changed.append(
                        (
                            x.epoch,
                            x.epoch,
                            x.first,
                            x.first,
                            x.last,
                            x.last,
                            x.last_ms,
                            x.last_ms,
                            x.node,
                            x.event,
                            x.life,
                        )
                    )
                x.known, x.changed = True, False
        if fresh:
            self.db.many(
                "insert into lives (node, event, life, epoch, first_n, last_n, last_ms, pruned) "
                "values (?, ?, ?, ?, ?, ?, ?, 0)",
                fresh,
            )
        if changed:  # another process may have gone further meanwhile
            self.db.many(
                "update lives set epoch = case when ? > 0 then ? else epoch end, "
                "first_n = case when first_n < ? then first_n else ? end, "
                "last_n = case when last_n > ? then last_n else ? end, "
                "last_ms = case when last_ms > ? then last_ms else ? end where node = ? and event = ? and life = ?",
                changed,
            )
        visits = [
            v for v in self.visits.values() if v and v.changed
        ]  # all have a row: they got it when they began
        if visits:
            self.db.many(UPDATE, [v.row() for v in visits])
            for v in visits:
                v.changed = False
        if self.news:
            self.turn = secrets.token_hex(8)
            self.db.run("delete from settings where name = 'turn'")
            self.db.run("insert into settings (name, value) values ('turn', ?)", (self.turn,))
            self.news = False

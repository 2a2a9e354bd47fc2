"""What the store asks of a database, so that nothing above knows which one it is.

SQL is written with `?` for parameters, in the words both understand. `transaction()` also keeps other writers out: two
processes that gather into one database take turns. An error of the database becomes `Unavailable` (try again: it is
restarting, full, locked) or Problem (a person must act: damaged, not permitted).
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class Unavailable(Exception):
    """The database cannot take anything just now; nothing of the transaction was kept. Try again later."""


class Database:
    """One connection, one thread. `where` names it for people, without any password."""

    where = ""
    url = ""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and alone among writers. Raises Unavailable."""
        raise NotImplementedError
        yield

    def all(self, sql: str, parameters: Sequence = ()) -> list[tuple]:
        """Rows of a query."""
        raise NotImplementedError

    def rows(self, sql: str, parameters: Sequence = (), many: int = 10_000) -> Iterator[list[tuple]]:
        """Rows of a query that may be long, `many` at a time."""
        raise NotImplementedError

    def run(self, sql: str, parameters: Sequence = ()) -> int:
        """A statement; returns how many rows it touched."""
        raise NotImplementedError

    def many(self, sql: str, rows: Iterable[Sequence]) -> None:
        """The same statement for many rows."""
        raise NotImplementedError

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence]) -> int:
        """Insert rows that are not there yet (by primary key); returns how many were new."""
        raise NotImplementedError

    def reopen(self) -> None:
        """A new connection, after a failure that would not go away by itself. Raises Unavailable or Problem."""

    def one(self, sql: str, parameters: Sequence = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.all(sql, parameters)
        return found[0][0] if found else None

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        raise NotImplementedError

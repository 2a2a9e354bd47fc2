"""SQLite behind the store: WAL, every commit on the disk before it is reported."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pulseweave.gather.store.db import Database, Unavailable
from pulseweave.problem import Problem

BUSY_S = 10.0


class Sqlite(Database):
    """A file. Raises Problem where it cannot be one of ours."""

    connection: sqlite3.Connection = None  # type: ignore[assignment]

    def __init__(self, path: Path, create: bool = True):
        self.where, self.path = str(path), path
        self.url = f"sqlite:///{path}"
        if not create and not path.exists():
            raise Problem(f"{path}: no such store: name the file that `pulseweave gather --db` wrote")
        if not path.parent.is_dir():
            raise Problem(f"{path.parent}: no such folder: make it, or put the store elsewhere with --db")
        self.reopen()

    def reopen(self) -> None:
        """The file that is there now, which may not be the one that was opened first. Raises Problem, Unavailable."""
        if self.connection:
            with contextlib.suppress(sqlite3.Error):
                self.connection.close()
        try:
            self.connection = sqlite3.connect(
                self.path, isolation_level=None, timeout=BUSY_S, check_same_thread=False
            )
            self.connection.execute("pragma journal_mode = wal")
            self.connection.execute("pragma synchronous = full")
            self.connection.execute("pragma temp_store = memory")
            self.connection.execute("pragma wal_autocheckpoint = 4000")
            self.connection.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.Error as e:
            raise self.problem(e) from None

    def problem(self, e: sqlite3.Error) -> Exception:
        """What an error means: Unavailable, or Problem for what does not go away by itself."""
        code = getattr(e, "sqlite_errorname", "") or ""
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return Problem(
                f"{self.where}: damaged ({e}): move it away and start anew; "
                f"`sqlite3 {self.where} .recover | sqlite3 saved.db` saves what can be read"
            )
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
            return Problem(
                f"{self.where}: cannot be written ({e}): check its folder and owner, or choose another --db"
            )
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_NOMEM")):
            return Unavailable(f"{self.where}: {e}")
        return e

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self.connection.execute("begin immediate")
            yield
            self.connection.execute("commit")
        except BaseException as e:
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("rollback")
            if isinstance(e, sqlite3.Error):
                raise self.problem(e) from e
            raise

    def _execute(self, sql, parameters):
        try:
            return self.connection.execute(sql, parameters)
        except sqlite3.Error as e:
            raise self.problem(e) from e

    def all(self, sql, parameters=()):
        try:
            return self._execute(sql, parameters).fetchall()
        except sqlite3.Error as e:
            raise self.problem(e) from e

    def rows(self, sql, parameters=(), many=10_000):
        cursor = self._execute(sql, parameters)
        while some := cursor.fetchmany(many):
            yield some

    def run(self, sql, parameters=()):
        return self._execute(sql, parameters).rowcount

    def many(self, sql, rows):
        try:
            self.connection.executemany(sql, rows)
        except sqlite3.Error as e:
            raise self.problem(e) from e

    def insert(self, table, columns, rows):
        sql = f"insert or ignore into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
        before = self.connection.total_changes
        self.many(sql, rows)
        return self.connection.total_changes - before

    def close(self):
        self.connection.close()

"""PostgreSQL behind the store, through psycopg 3: rows arrive by COPY; a connection that broke is opened again."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from pulseweave.gather.store.db import Database, Unavailable
from pulseweave.problem import Problem

try:
    import psycopg
    from psycopg import errors
except ImportError:
    raise Problem("PostgreSQL needs psycopg: pip install 'pulseweave[gather]'") from None

WRITERS = 0x50574C44  # the advisory lock under which writers take turns
CONNECT_S = 5
SILENT: dict[str, Any] = {  # a server that has gone without a word is given up after this
    "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
}  # fmt: skip
AGAIN = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.DiskFull,
    errors.OutOfMemory,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.AdminShutdown,
)


class Postgres(Database):
    """A database by its URL. Raises Problem where it cannot be reached or entered at the start."""

    def __init__(self, url: str):
        self.url = url
        try:
            parts = urlsplit(url)
        except ValueError:
            raise Problem(
                "--db postgresql://...: not a URL: write [ and ] in a password as %5B and %5D"
            ) from None
        self.where = f"{parts.scheme}://{parts.hostname or 'local'}{parts.path}"
        self.connection = None
        try:
            self._open()
        except Unavailable as e:
            raise Problem(f"{self.where}: {e}: is the server running, are user and password right?") from None
        except psycopg.Error as e:
            raise Problem(
                f"{self.where}: {first_line(e)}: check the URL, e.g. postgresql://USER@HOST/NAME"
            ) from None

    def _open(self):
        if self.connection is None or self.connection.closed or self.connection.broken:
            try:
                self.connection = psycopg.connect(
                    self.url, autocommit=True, connect_timeout=CONNECT_S, **SILENT
                )
                self.connection.execute("set client_min_messages = warning")
            except psycopg.OperationalError as e:
                self.connection = None
                raise Unavailable(first_line(e)) from e
        return self.connection

    def problem(self, e: psycopg.Error) -> Exception:
        if isinstance(e, AGAIN):
            return Unavailable(f"{self.where}: {first_line(e)}")
        if isinstance(e, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
            return Problem(
                f"{self.where}: {first_line(e)}: the user needs the right to create and write tables"
            )
        if isinstance(e, errors.DataCorrupted | errors.IndexCorrupted):
            return Problem(f"{self.where}: damaged ({first_line(e)}): restore it from a backup")
        return e

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        connection = self._open()
        try:
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", (WRITERS,))
                yield
        except psycopg.Error as e:
            raise self.problem(e) from e

    def _execute(self, sql, parameters):
        try:
            return self._open().execute(words(sql, parameters), parameters or None)
        except psycopg.Error as e:
            raise self.problem(e) from e

    def all(self, sql, parameters=()):
        return self._execute(sql, parameters).fetchall()

    def rows(self, sql, parameters=(), many=10_000):
        try:
            with self._open().transaction(), self._open().cursor("rows") as cursor:
                cursor.execute(words(sql, parameters), parameters or None)
                while some := cursor.fetchmany(many):
                    yield some
        except psycopg.Error as e:
            raise self.problem(e) from e

    def run(self, sql, parameters=()):
        return self._execute(sql, parameters).rowcount

    def many(self, sql, rows):
        try:
            self._open().cursor().executemany(words(sql, "?"), rows)
        except psycopg.Error as e:
            raise self.problem(e) from e

    def insert(self, table, columns, rows):
        names, coming = ", ".join(columns), f"coming_{table}"
        try:
            with self._open().cursor() as cursor:
                cursor.execute(
                    f"create temp table if not exists {coming} (like {table}) on commit delete rows".encode()
                )
                with cursor.copy(f"copy {coming} ({names}) from stdin".encode()) as copy:
                    for row in rows:
                        copy.write_row(row)
                cursor.execute(
                    f"insert into {table} ({names}) select {names} from {coming} on conflict do nothing".encode()
                )
                return cursor.rowcount
        except psycopg.Error as e:
            raise self.problem(e) from e

    def close(self):
        if self.connection:
            self.connection.close()


def words(sql: str, parameters: Sequence) -> bytes:
    """`?` as psycopg writes it."""
    return (sql.replace("?", "%s") if parameters else sql).encode()


def first_line(e: Exception) -> str:
    """What the server says, without its detail."""
    return (str(e).strip().splitlines() or [type(e).__name__])[0]

"""The store: what a room lived through, in SQLite or PostgreSQL with one schema.

`open_store(url)`: `sqlite:///FILE` (or just a file) and `postgresql://...`. Raises Problem, in one line, for what cannot be
opened. All SQL is written once, with `?` for parameters (db.py); the schema and its migrations are in schema.py.
"""

from pathlib import Path

from pulseweave.gather.store.db import Database
from pulseweave.gather.store.ledger import Packet
from pulseweave.gather.store.store import Store
from pulseweave.problem import Problem

__all__ = ["Packet", "Store", "database", "open_store"]


def database(url: str, create: bool = True) -> Database:
    """The database behind `url`; `create` False: it must be there already. Raises Problem."""
    if url.startswith(("postgresql://", "postgres://")):
        from pulseweave.gather.store.postgres import Postgres

        return Postgres(url)
    if url.startswith("sqlite://"):
        if not url.startswith("sqlite:///"):
            raise Problem(f"{url}: write sqlite:///FILE (sqlite:////var/lib/room.db for a full path)")
        path = Path(url.removeprefix("sqlite:///"))
    elif "://" in url:
        raise Problem(f"{url}: no such kind of store: use sqlite:///FILE or postgresql://USER@HOST/NAME")
    else:
        path = Path(url)
    from pulseweave.gather.store.sqlite import Sqlite

    return Sqlite(path, create)


def open_store(url: str, create: bool = True) -> Store:
    """A store ready for use, its schema brought up to date. Raises Problem."""
    return Store(database(url, create))

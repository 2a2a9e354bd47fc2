"""Older and newer schemas, bad addresses, damaged, full and locked databases."""

import random
import sqlite3

import psycopg
import pytest
from pulseweave.gather.store import open_store
from pulseweave.gather.store.db import Unavailable
from pulseweave.gather.store.schema import MIGRATIONS
from pulseweave.problem import Problem
from rows import T, state


def test_an_old_schema_is_brought_up_to_date_and_a_newer_one_refused(url, monkeypatch):
    with monkeypatch.context() as m:
        m.setattr("pulseweave.gather.store.schema.MIGRATIONS", MIGRATIONS[:1])
        old = open_store(url)
        old.write([state(1, 1)])
        old.close()
    new = open_store(url)
    new.write([state(1, 2)], outbox=[("a", 1, "x")])
    assert new.counts()["packets"] == 2 and new.db.one("select count(*) from outbox") == 1
    new.db.run("insert into pulseweave (version) values (99)")
    new.close()
    with pytest.raises(Problem, match="newer version"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "no such kind of store"),
        ("sqlite://room.db", "write sqlite:///FILE"),
        ("sqlite:////no/such/folder/room.db", "no such folder"),
        ("postgresql://nobody@127.0.0.1:9/x", "is the server running"),
    ],
)
def test_bad_urls_are_one_line(url, words):
    with pytest.raises(Problem, match=words) as e:
        open_store(url)
    assert "\n" not in str(e.value)


def test_a_password_is_never_said():
    with pytest.raises(Problem) as e:
        open_store("postgresql://me:secret@127.0.0.1:9/x")
    assert "secret" not in str(e.value)


def test_a_damaged_database_is_said_in_one_line(tmp_path):
    path = tmp_path / "room.db"
    path.write_bytes(b"this is no database " * 1000)
    with pytest.raises(Problem, match=r"damaged.*recover"):
        open_store(str(path))
    path.unlink()
    s = open_store(str(path))
    s.write([state(node, n) for node in range(1, 9) for n in range(2000)])
    s.db.run("pragma wal_checkpoint(truncate)")
    s.close()
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 4096):
        data[at : at + 64] = random.Random(at).randbytes(64)
    path.write_bytes(data)
    with pytest.raises(Problem, match=r"damaged.*recover"):
        s = open_store(str(path))
        s.write([state(9, n) for n in range(2000)])
        s.counts()


def test_a_full_disk_keeps_all_or_nothing_and_goes_on_when_there_is_room(tmp_path):
    s = open_store(str(tmp_path / "room.db"))
    s.write([state(1, n) for n in range(100)])
    pages = s.db.one("pragma page_count")
    s.db.run(f"pragma max_page_count = {pages + 4}")  # SQLITE_FULL, as a full disk gives it
    with pytest.raises(Unavailable):
        s.write([state(1, n) for n in range(100, 5000)], [(1, 1, 4900, 0, T)])
    assert s.counts()["packets"] == 100 and s.resume(1, 1) == 0
    s.db.run("pragma max_page_count = 1000000")
    assert s.write([state(1, n) for n in range(100, 5000)]) == 4900
    s.close()


def test_a_locked_database_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("pulseweave.gather.store.sqlite.BUSY_S", 0.2)
    s = open_store(str(tmp_path / "room.db"))
    other = sqlite3.connect(tmp_path / "room.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable, match="locked"):
        s.write([state(1, 1)])
    other.execute("rollback")
    assert s.write([state(1, 1)]) == 1
    s.close()
    other.close()


def test_a_server_that_has_fallen_silent_is_given_up(monkeypatch):
    asked = {}

    def connect(url, **options):
        asked.update(options)
        raise psycopg.OperationalError("nobody")

    monkeypatch.setattr("psycopg.connect", connect)
    with pytest.raises(Problem):
        open_store("postgresql://127.0.0.1/room")
    assert asked["keepalives_idle"] <= 10 and 0 < asked["tcp_user_timeout"] <= 30_000

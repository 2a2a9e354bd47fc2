"""What is pruned or forgotten leaves nothing: no visit, no letter, no byte that a reader held fast; and it is done soon."""

import json
import sqlite3
from pathlib import Path

import pytest
from pulseweave.gather import erase
from pulseweave.gather.mqtt import Teller
from pulseweave.gather.store import open_store
from pulseweave.gather.table import Table
from pulseweave.problem import Problem
from rows import T, state


def test_pruned_visits_and_letters_are_gone(store):
    teller = Teller("mqtt://127.0.0.1", "room", "x", Table(), (), ["a"])
    unplugged = [state(5, n) for n in range(50)]  # nobody saw its end
    later = [state(5, n) for n in range(1000, 1050)] + [state(5, 1050, False)]
    for part in (unplugged, later):
        store.write(part, outbox=teller.letters(part))
    assert erase.prune(store, T + 1000 * 450) == 50
    assert store.db.all("select from_n, last_n from visits") == [(1000, 1049)]
    letters = [
        json.loads(p)["packets"] for (p,) in store.db.all("select payload from outbox order by number")
    ]
    assert [len(packets) for packets in letters] == [0, 51]
    assert erase.prune(store, T + 10**9) == 51
    assert store.db.one("select count(*) from visits") == 0
    letters = [json.loads(p)["packets"] for (p,) in store.db.all("select payload from outbox")]
    assert letters == [[], []]


def test_the_second_in_which_pruning_ends_is_summed_anew(store):
    store.write([state(k, n) for n in range(500) for k in (1, 2)])
    store.curve(T, T + 10**6)
    erase.prune(store, T + 100_450 + 50)
    assert sum(r[1] for r in store.curve(0, T + 10**7, 10**9)) == store.counts()["packets"] > 0


def found(path: Path, needle: bytes) -> int:
    return sum(p.read_bytes().count(needle) for p in path.parent.iterdir())


def test_who_still_reads_what_was_there_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(erase, "WAIT_S", 0.3, raising=False)
    path = tmp_path / "room.db"
    s = open_store(str(path))
    s.write([state(12, n) for n in range(2000)] + [state(3, n) for n in range(2000)])
    s.db.all("pragma wal_checkpoint(truncate)")
    visitor = s.db.one("select visitor from states where node = 12").to_bytes(7)
    reader = sqlite3.connect(path, isolation_level=None)
    rows = reader.execute("select * from states")
    rows.fetchmany(10)  # an export that is under way
    s.db.run("pragma busy_timeout = 100")
    with pytest.raises(Problem, match="still being read: end that"):
        erase.forget_node(s, 12)
    rows.fetchall()
    reader.close()
    assert erase.prune(s, T - 1) == 0  # once more, as it says
    s.write([state(3, n) for n in range(2000, 2010)])
    assert found(path, visitor) == 0 and s.counts()["packets"] == 2010
    s.close()


def test_pruning_many_visits_is_not_many_times_as_slow(tmp_path):
    s = open_store(str(tmp_path / "room.db"))
    s.write([state(5, n, n % 20 < 10) for n in range(20_000)])
    assert s.db.one("select count(*) from visits") == 1000
    steps = []
    s.db.connection.set_progress_handler(lambda: steps.append(1), 1000)
    assert erase.prune(s, T + 10_000 * 450) == 10_000
    assert s.db.one("select count(*) from visits") == 500
    assert len(steps) < 2000, "thousands of steps of SQLite"
    s.close()

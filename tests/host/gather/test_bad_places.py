"""Disks that fill, databases that are damaged or stay away, a clock that jumps: nothing is lost unsaid."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest
from board import Board
from pulseweave.gather.collector import Collector
from pulseweave.gather.record import State, encode
from pulseweave.gather.store import open_store
from running import eventually
from towers import accounted, gather, kept


@contextlib.contextmanager
def small_disk(folder, process=None):
    """(fill, empty): a real filesystem of 4 MiB on `folder`. Skips where none can be mounted."""
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=4m", "pulseweave-test", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(line, capture_output=True).returncode:
        pytest.skip("a small filesystem needs root and the right to mount; RLIMIT_FSIZE is tested everywhere")
    try:

        def fill():
            with open(folder / "filler", "wb", buffering=0) as f, contextlib.suppress(OSError):
                while True:
                    f.write(bytes(4096))

        yield fill, (folder / "filler").unlink
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("how", ["disk", "limit"])
def test_gather_on_a_disk_that_is_really_full(towers, tmp_path, how):
    """Nothing is lost while it is full for a moment, said once; killed while full, rings and counters know the rest."""
    t = towers(1, range(1, 25))
    folder = tmp_path / "disk"
    with small_disk(folder) if how == "disk" else contextlib.nullcontext() as disk:
        folder.mkdir(exist_ok=True)
        db = f"sqlite:///{folder / 'room.db'}"
        g = gather([t], db)
        store = eventually(lambda: (folder / "room.db").exists() and open_store(db), 30)
        eventually(lambda: len(kept(store)) > 100, 30)

        def fill(process):
            if disk:
                disk[0]()
            else:  # no file of this process grows any more; its own user may lift a soft limit again
                resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

        def empty(process):
            if disk:
                disk[1]()
            else:
                resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

        fill(g)
        g.until(r"packets wait", 60)
        time.sleep(2)
        empty(g)
        g.until("takes packets again", 40)
        assert g.said.count("packets wait") == 1, g.said
        fill(g)
        eventually(lambda: g.said.count("packets wait") == 2, 60)
        g.stop(signal.SIGKILL)
        if disk:
            disk[1]()
        before = kept(store)
        g = gather([t], db)
        eventually(lambda: len(kept(store)) > len(before), 60)
        t.silent = True
        eventually(lambda: store.db.one("select max(next) from gateways") == len(t.board.records), 40)
        accounted(store, t)
        assert before < kept(store) and store.db.one("pragma integrity_check") == "ok"
        assert g.stop() == 0, g.said
        store.close()


def test_a_database_that_is_damaged_in_the_middle(towers, tmp_path):
    """It is said once, packets wait; when it has been moved away a new one is begun, and what waited is there once."""
    t = towers(1, range(1, 25))
    path = tmp_path / "room.db"
    store = open_store(str(path))
    store.hang([(1, "fern", 0.0, 0.0, 2.6, 60)])
    c = Collector(store)
    c.start([t.url])
    eventually(lambda: c.kept > 200, 30)
    with c._store_lock:
        store.db.all("pragma wal_checkpoint(truncate)")
        store.db.run("pragma cache_size = 1")
        store.db.run("pragma shrink_memory")
        acknowledged = kept(store)
        with open(path, "r+b") as f:
            for at in range(4096, path.stat().st_size, 4096):
                f.seek(at)
                f.write(random.Random(at).randbytes(4096))
    eventually(lambda: "damaged" in c.trouble, 30)
    time.sleep(2.5)
    assert "damaged" in c.trouble and c.attempt() is False
    for file in tmp_path.iterdir():
        file.rename(file.with_name("damaged-" + file.name))
    eventually(lambda: not c.trouble, 30)
    t.silent = True
    time.sleep(3)
    assert c.stop()
    anew = kept(store)
    assert not anew & acknowledged and anew | acknowledged == t.heard
    assert store.db.all("select name from strands") == [("fern",)]
    store.close()


def most_pages(collector, store, n):
    """From now on the database may have n pages."""
    with collector._store_lock:
        store.db.run(f"pragma max_page_count = {n}")


def test_a_disk_that_is_full_for_a_while(towers, tmp_path):
    """SQLite's own limit gives the same error at the same place, and nothing but the store feels it."""
    t = towers(1, range(1, 25))
    store = open_store(str(tmp_path / "room.db"))
    c = Collector(store)
    c.start([t.url])
    eventually(lambda: c.kept > 50, 20)
    most_pages(c, store, store.db.one("pragma page_count"))
    eventually(lambda: "full" in c.trouble, 20)
    time.sleep(3)
    most_pages(c, store, 1_000_000)
    eventually(lambda: not c.trouble, 20)
    t.silent = True
    time.sleep(3)
    assert c.stop()
    assert kept(store) == t.heard and store.counts()["missed"] == 0
    store.close()


def test_a_clock_that_jumps(towers, tmp_path):
    """An hour forward, two back: every packet once, no gap, the jump is noted, times follow the clock."""
    t = towers(1, range(1, 9))
    offset = [time.time() - time.monotonic()]
    store = open_store(str(tmp_path / "room.db"))
    c = Collector(store, wall=lambda: offset[0])
    c.start([t.url])
    for jump in (3600, -7200, 1800):
        time.sleep(3)
        offset[0] += jump
    time.sleep(3)
    t.silent = True
    time.sleep(3)
    assert c.stop()
    assert kept(store) == t.heard and store.counts()["missed"] == 0
    assert store.db.one("select count(*) from lives where event = 0") == 8, (
        "nobody is thought to have restarted"
    )
    words = [w for (w,) in store.db.all("select words from notes where kind = 'clock'")]
    assert [w.split()[-2] for w in words] == ["+3600.0", "-7200.0", "+1800.0"]
    store.close()


def test_a_store_that_stays_away_is_not_waited_for_without_end(towers, tmp_path, monkeypatch):
    """Beyond a limit gateways are no longer read: memory stays bounded, and the rings count what is lost."""
    monkeypatch.setattr("pulseweave.gather.collector.WAITING", 100)
    t = towers(1, range(1, 41))
    store = open_store(str(tmp_path / "room.db"))
    c = Collector(store)
    c.start([t.url])
    eventually(lambda: c.kept > 20, 20)
    most_pages(c, store, store.db.one("pragma page_count"))
    time.sleep(14)
    assert len(c._waiting) < 1200
    most_pages(c, store, 1_000_000)
    eventually(lambda: not c.trouble and not c.full, 20)
    t.silent = True
    eventually(lambda: c.gateways[0].next == len(t.board.records), 40)
    assert c.stop()
    have = kept(store)
    assert have < t.heard and len(t.heard - have) == store.counts()["lost"]
    store.close()


def test_a_packet_that_cannot_be_is_dropped_alone():
    board = Board()
    from pulseweave.gather.gateway import Gateway

    g = Gateway("x")
    board.typed(g.wants(0))
    list(g.feed(board.step(), 0))
    board.records += [
        encode(State(0, 1, 7, 0, 1, 1, 1, 1, 1, -60)),
        encode(State(5, 1, 7, 0, 1, 1, 1, 1, 1, -60)),
    ]
    board.typed(g.wants(1))
    assert [p.node for p in g.feed(board.step(), 1)] == [5] and g.garbage == 1

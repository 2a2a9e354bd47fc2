"""Killed in the middle of traffic: gather, broker, database. What was acknowledged is there once, the rest is counted.

The traffic comes from miniature gateways (board.py) on real TCP lines, so that the test knows every packet there has been.
"""

import contextlib
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from board import Board
from pulseweave.gather.collector import Collector
from pulseweave.gather.record import State, encode
from pulseweave.gather.store import open_store
from running import Running, eventually
from servers import free_port
from test_mqtt import Ear


class Tower(threading.Thread):
    """A gateway node on a TCP port: hears `nodes` at 2 Hz each, whether somebody listens or not; knows all it has heard."""

    def __init__(self, number, nodes, missing_share=0.0):
        super().__init__(daemon=True)
        self.board = Board(number, 65_537)
        self.board.on = True
        self.nodes, self.rng = nodes, random.Random(number)
        self.missing_share = missing_share
        self.port = free_port()
        self.server = socket.create_server(("127.0.0.1", self.port))
        self.server.setblocking(False)
        self.stopping = self.silent = False
        self.heard = set()
        self.start()

    @property
    def url(self):
        return f"socket://127.0.0.1:{self.port}"

    def run(self):
        line, k = None, 0
        begin = time.monotonic()
        while not self.stopping:
            if line is None:
                try:
                    line, _ = self.server.accept()
                    line.setblocking(False)
                except BlockingIOError:
                    pass
            n = int((time.monotonic() - begin) * 2)
            while k <= n and not self.silent:
                for node in self.nodes:
                    if self.rng.random() >= self.missing_share:
                        ms = int((time.monotonic() - begin) * 1000)
                        self.board.records.append(encode(State(node, k, 7, ms, 50, 60, 200, 3, 1, -60)))
                        self.heard.add((node, k))
                k += 1
            if line:
                try:
                    data = line.recv(65_536)
                    if not data:
                        raise ConnectionError
                    self.board.typed(data)
                except BlockingIOError:
                    pass
                except OSError:
                    line.close()
                    line = None
            out = self.board.step() if line else b""
            if line and out:
                try:
                    line.setblocking(True)
                    line.sendall(out)
                    line.setblocking(False)
                except OSError:
                    line.close()
                    line = None
            time.sleep(0.05)
        if line:
            line.close()
        self.server.close()


@pytest.fixture
def towers():
    made = []

    def make(*arguments, **kw):
        made.append(Tower(*arguments, **kw))
        return made[-1]

    yield make
    for t in made:
        t.stopping = True
        t.join(5)


STARTED: list[Running] = []


@pytest.fixture(autouse=True)
def ended():
    """Whatever a failing test has left running is ended."""
    yield
    while STARTED:
        STARTED.pop().stop(signal.SIGKILL)


def gather(towers, db, *more):
    ports = [w for t in towers for w in ("--port", t.url)]
    STARTED.append(Running("gather", *ports, "--db", db, "--web", "off", *more))
    return STARTED[-1]


def kept(store):
    rows = store.db.all("select node, n from states")
    assert len(rows) == len(set(rows)), "a packet is there twice"
    return set(rows)


def drained(store, *towers):
    """Everybody falls silent; what is on its way arrives."""
    for t in towers:
        t.silent = True
    union = set().union(*(t.heard for t in towers))
    eventually(lambda: store.counts()["packets"] == len(union & kept(store)) and time.sleep(2.5) is None, 20)
    return union


def accounted(store, *towers):
    """Every packet that was ever heard is kept, or counted: by its number, or by its gateway."""
    union = drained(store, *towers)
    have = kept(store)
    assert have <= union
    for t in towers:
        lost = store.db.one("select sum(lost) from gateways where node = ?", (t.board.node,)) or 0
        reached = store.db.one("select max(next) from gateways where node = ?", (t.board.node,))
        assert reached == len(t.board.records), (reached, len(t.board.records))
        assert len(t.heard - have) <= lost, "a gateway's packet is neither kept nor counted"
    expected = sum(
        max(n for m, n in have if m == node)
        - min(n for m, n in have if m == node)
        + 1
        - sum(m == node for m, _ in have)
        for node in {m for m, _ in have}
    )
    assert store.counts()["missed"] == expected
    return have, union


def test_gather_is_killed_again_and_again(towers, url):
    """60 s of traffic from two gateways that overlap, killed every few seconds, once for longer than the rings reach."""
    a, b = towers(1, range(1, 25), missing_share=0.05), towers(2, range(13, 37), missing_share=0.05)
    store = open_store(url)
    begin, rng = time.monotonic(), random.Random(1)
    process = gather((a, b), url)
    while time.monotonic() - begin < 45:
        time.sleep(rng.uniform(2, 6))
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        process = gather((a, b), url)
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    time.sleep(14)  # 48 records a second: longer than a ring of 512
    process = gather((a, b), url)
    time.sleep(4)
    have, union = accounted(store, a, b)
    assert 0 < len(union - have) < 0.5 * len(union), (len(have), len(union))
    assert store.counts()["lost"] > 0
    assert process.stop() == 0, process.said
    store.close()


def test_the_database_is_killed_in_the_middle(towers, postgres_server, postgres_url):
    t = towers(1, range(1, 25))
    process = gather([t], postgres_url)
    store = open_store(postgres_url)
    eventually(lambda: store.counts()["packets"] > 100, 30)
    store.close()
    for _ in range(2):
        time.sleep(3)
        postgres_server.kill()
        time.sleep(4)
        postgres_server.start()
    time.sleep(5)
    store = open_store(postgres_url)
    have, union = accounted(store, t)
    assert have == union, "while the database was away packets waited in gather"
    assert store.counts()["missed"] == 0 and store.counts()["lost"] == 0
    assert process.said.count("packets wait") <= 4, "said once, not every second"
    assert process.stop() == 0, process.said
    store.close()


def test_everything_is_killed_once(towers, postgres_server, postgres_url, broker):
    """Gather, broker and database in turn; the broker's letters and the store agree in the end."""
    t = towers(1, range(1, 17))
    ear = Ear(broker.port)
    process = gather([t], postgres_url, "--mqtt", broker.url)
    time.sleep(6)
    broker.kill()
    time.sleep(2)
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    process = gather([t], postgres_url, "--mqtt", broker.url)
    time.sleep(2)
    broker.start()
    postgres_server.kill()
    time.sleep(3)
    postgres_server.start()
    time.sleep(6)
    store = open_store(postgres_url)
    have, union = accounted(store, t)
    assert have == union
    eventually(lambda: {(n, s) for n, _, s in ear.packets()} == have, 40)
    assert process.stop() == 0, process.said
    ear.close()
    store.close()


def test_two_gatherers_one_database_one_broker(towers, postgres_url, broker):
    """Two hosts' processes hear overlapping halves of a room: one of each packet, one number for each visitor."""
    a, b = towers(1, range(1, 25), missing_share=0.1), towers(2, range(9, 33), missing_share=0.1)
    ear = Ear(broker.port)
    first = gather([a], postgres_url, "--mqtt", broker.url, "--site", "hall")
    second = gather([b], postgres_url, "--mqtt", broker.url, "--site", "hall")
    store = eventually(lambda: open_store(postgres_url), 10)
    eventually(lambda: store.counts()["packets"] > 500, 40)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    time.sleep(3)
    first = gather([a], postgres_url, "--mqtt", broker.url, "--site", "hall")
    time.sleep(4)
    have, union = accounted(store, a, b)
    assert have == union
    assert store.db.one("select count(*) from lives where event = 0") == 32
    visitors = dict(store.db.all("select node, count(distinct visitor) from states group by node"))
    # a silence of a few versions, where neither heard one, is another visit; beyond that they agree
    assert sum(visitors.values()) <= 32 + 3, visitors
    eventually(lambda: {(n, s) for n, _, s in ear.packets()} == have, 40)
    assert len({letter["host"] for letter in ear.letters}) == 2
    assert first.stop() == 0 and second.stop() == 0, first.said + second.said
    ear.close()
    store.close()


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


def test_a_disk_that_is_full_for_a_while(towers, tmp_path):
    """SQLite's own limit gives the same error at the same place, and nothing but the store feels it."""
    t = towers(1, range(1, 25))
    store = open_store(str(tmp_path / "room.db"))
    c = Collector(store)
    c.start([t.url])
    eventually(lambda: c.kept > 50, 20)
    with c._store_lock:
        store.db.run(f"pragma max_page_count = {store.db.one('pragma page_count')}")
    eventually(lambda: "full" in c.trouble, 20)
    time.sleep(3)
    with c._store_lock:
        store.db.run("pragma max_page_count = 1000000")
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
    with c._store_lock:
        store.db.run(f"pragma max_page_count = {store.db.one('pragma page_count')}")
    time.sleep(14)
    assert len(c._waiting) < 1200
    with c._store_lock:
        store.db.run("pragma max_page_count = 1000000")
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

"""Gathering: packets into SQLite and PostgreSQL beside the bare databases, the page beside a bare broadcast, charts.

In: synthetic packets of 200 nodes. SQLite and PostgreSQL are measured from packets as gateways give them (numbers of 16
bits, lives, visits, dedupe), against the same rows written bare: `executemany`, and COPY into a table without anything.
PostgreSQL is the distribution's server, started for this in a temporary folder. Rates are by the wall clock; the CPU time of
this process stands beside.
"""

import contextlib
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from pulseweave.figures.figure import Figure
from pulseweave.figures.realtime import FLAGS, browser_path
from pulseweave.gather.record import SIZE, State, decode, encode
from pulseweave.gather.store import Store, open_store
from pulseweave.gather.store.store import STATES
from pulseweave.gather.web import bench
from pulseweave.problem import Problem

NODES = 200
BATCH = 5000
BEGIN_MS = 1_790_000_000_000
PERIOD_MS = 3200  # of versions in a room of 200
CHART_ROWS = 1_000_000
PAINT = """new Promise(done => {
  const look = () => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const drawn = window.pulseweave?.stats.drawn ?? 0;
    if (paint && drawn > 0) done([paint.startTime, performance.now()]); else setTimeout(look, 5);
  };
  look();
})"""


def packets(count: int) -> list[tuple[int, State]]:
    """`count` versions of 200 nodes, one in ten of them untouched, as records decoded from the wire."""
    out = []
    for k in range(count):
        node, n = k % NODES + 1, k // NODES
        touched = (n // 40 + node) % 10 > 0
        ms = n * PERIOD_MS + node * 16
        s = State(node, n & 0xFFFF, 7, ms & 0x3FFFFFFF, 50 + n % 100, 60, 180, 12, int(touched), -60)
        out.append((BEGIN_MS + ms, decode(encode(s))))
    return out


def filled(store: Store, some: list) -> tuple[float, float]:
    """(packets a second, share of a core) of writing them as gather does, batch by batch."""
    wall, cpu = time.perf_counter(), time.process_time()
    for i in range(0, len(some), BATCH):
        store.write(some[i : i + BATCH], [(1, 7, i + BATCH, 0, BEGIN_MS)])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert store.counts()["packets"] == len(some)
    return len(some) / wall, cpu / wall


def bare_sqlite(folder: Path, rows: list) -> float:
    """Rows a second of executemany into a table and index of the same shape, with the same commits."""
    c = sqlite3.connect(folder / "bare.db", isolation_level=None)
    c.executescript("pragma journal_mode = wal; pragma synchronous = full;")
    c.execute(
        f"create table states ({', '.join(f'{name} integer' for name in STATES)}, primary key (node, life, n))"
    )
    c.execute("create index states_at on states (at_ms)")
    sql = f"insert into states values ({', '.join('?' * len(STATES))})"
    wall = time.perf_counter()
    for i in range(0, len(rows), BATCH):
        c.execute("begin immediate")
        c.executemany(sql, rows[i : i + BATCH])
        c.execute("commit")
    wall = time.perf_counter() - wall
    c.close()
    return len(rows) / wall


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """URL of a server in a temporary folder. Raises Problem where there is none."""
    found = shutil.which("initdb")
    where = Path(found).parent if found else max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if not where:
        raise Problem("no PostgreSQL server: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="pulseweave-bench-", ignore_cleanup_errors=True) as name:
        user, me = [], pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            user, me = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"], "postgres"
            shutil.chown(name, "postgres", "postgres")
        data = str(Path(name) / "data")
        subprocess.run(
            [*user, where / "initdb", "-D", data, "-A", "trust"], check=True, capture_output=True, cwd="/"
        )
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        line = [*user, where / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", ""]
        server = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        try:
            url = f"postgresql://{me}@127.0.0.1:{port}/postgres"
            end = time.monotonic() + 20
            while True:
                try:
                    open_store(url).close()
                    break
                except Problem:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.2)
            yield url
        finally:
            server.terminate()
            server.wait()


def bare_copy(url: str, rows: list) -> float:
    """Rows a second of COPY into a table without keys, with the same commits."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as c:
        c.execute(f"create table bare ({', '.join(f'{name} bigint' for name in STATES)})")
        wall = time.perf_counter()
        for i in range(0, len(rows), BATCH):
            with c.transaction(), c.cursor().copy("copy bare from stdin") as copy:
                for row in rows[i : i + BATCH]:
                    copy.write_row(row)
        return len(rows) / (time.perf_counter() - wall)


def decoded(count: int) -> float:
    """Records a second from the wire to packets, without which nothing is gathered."""
    wire = [encode(State(1, n & 0xFFFF, 7, n, 50, 60, 180, 12, 1, -60)) for n in range(count)]
    assert len(wire[0]) == SIZE
    wall = time.perf_counter()
    for record in wire:
        decode(record)
    return count / (time.perf_counter() - wall)


def charted(store: Store, count: int) -> tuple[float, float, float]:
    """ms for a chart of all rows: as gather keeps it summed, the first time ever, and bare in SQL."""
    last = BEGIN_MS + count // NODES * PERIOD_MS + PERIOD_MS
    cold = time.perf_counter()
    store.curve(BEGIN_MS, last)
    cold = time.perf_counter() - cold
    times = []
    for _ in range(5):
        t = time.perf_counter()
        rows = store.curve(BEGIN_MS, last)
        times.append(time.perf_counter() - t)
    assert 500 < len(rows) <= 1001
    t = time.perf_counter()
    step = (last - BEGIN_MS) // 1000
    store.db.all(
        f"select at_ms / {step}, count(*), sum(flags & 1), sum(arousal), sum(g) from states group by 1"
    )
    return sorted(times)[2] * 1000, cold * 1000, (time.perf_counter() - t) * 1000


def first_paint() -> list[float]:
    """ms from asking for the page to its first paint, and to the first light, in a headless Chromium; medians of three."""
    from playwright.sync_api import sync_playwright

    from pulseweave.gather.web.server import serve

    times = []
    with serve(bench.Still(24, 60), port=0) as server, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path(), args=FLAGS)
        for _ in range(3):
            page = browser.new_page()
            page.goto(server.url, wait_until="commit")
            times.append(page.evaluate(PAINT))
            page.close()
        browser.close()
    return [sorted(t)[1] for t in zip(*times)]


def measure(quick: bool) -> list[Figure]:
    count = 100_000 if quick else 400_000
    some = packets(count)
    rows = [(p.node, 0, p.serial, at, *p[4:], None) for at, p in some]
    sqlite = f"{sqlite3.sqlite_version}"
    figures = []
    with tempfile.TemporaryDirectory() as name:
        store = open_store(f"sqlite:///{Path(name) / 'room.db'}")
        rate, share = filled(store, some)
        store.close()
        peer = "bare executemany", bare_sqlite(Path(name), rows), f"SQLite {sqlite}"
        figures += [
            Figure("gather_sqlite", rate, "packets/s", *peer, 20_000, True),
            Figure("gather_sqlite_cpu", share, "cores", limit=1.0),
            Figure("gather_decode", decoded(count), "records/s", limit=20_000, more=True),
        ]
    figures += by_postgres(some, rows)
    many = count if quick else CHART_ROWS
    with tempfile.TemporaryDirectory() as name:
        store = open_store(f"sqlite:///{Path(name) / 'room.db'}")
        filled(store, packets(many))
        warm, cold, bare = charted(store, many)
        store.close()
    figures += [
        Figure(f"gather_chart_{many}", warm, "ms", "group by over all rows", bare, f"SQLite {sqlite}", 300),
        Figure(f"gather_chart_{many}_first", cold, "ms", "group by over all rows", bare, f"SQLite {sqlite}"),
    ]
    page = bench.measure(seconds=4 if quick else 10)
    peer = "websockets broadcast", page["peer_cpu"], version("websockets")
    figures.append(Figure("gather_page_200x60_3_pages", page["server_cpu"], "cores", *peer, limit=0.35))
    try:
        paint, light = first_paint()
        figures.append(Figure("gather_first_paint", paint, "ms", limit=1000))
        figures.append(Figure("gather_first_light", light, "ms", limit=1000, said="drawn by the processor"))
    except (ImportError, Problem) as e:
        figures.append(Figure("gather_first_paint", None, "ms", limit=1000, said=str(e)))
    return figures


def by_postgres(some: list, rows: list) -> list[Figure]:
    """The same into PostgreSQL, or why not."""
    try:
        with postgres() as url:
            store = open_store(url)
            rate, share = filled(store, some)
            store.close()
            peer = "bare COPY", bare_copy(url, rows), f"psycopg {version('psycopg')}"
            return [
                Figure("gather_postgres", rate, "packets/s", *peer, 5000, True),
                Figure("gather_postgres_cpu", share, "cores", limit=1.0),
            ]
    except (Problem, ImportError, subprocess.CalledProcessError) as e:
        return [Figure("gather_postgres", None, "packets/s", limit=5000, more=True, said=str(e))]


if __name__ == "__main__":
    for figure in measure("--quick" in sys.argv):
        print(figure)

"""The whole: `pulseweave gather` from a running simulation and from virtual boards; `pulseweave sim --db`."""

import json
import re
import subprocess
import sys
import time

import pytest
from pulseweave.gather.store import open_store
from pulseweave.network import Network
from running import Running, eventually


@pytest.fixture
def run():
    """Starts commands, and ends them."""
    started = []

    def start(*arguments):
        started.append(Running(*arguments))
        return started[-1]

    yield start
    for r in reversed(started):
        r.stop()


def simulation(run, *more) -> str:
    sim = run("sim", "calm", "--nodes", "8", "--workers", "1", "--web", "127.0.0.1:0", *more)
    return sim.until(r"http://(\S+?)/")[1]


def test_from_a_running_simulation(run, tmp_path):
    where = simulation(run)
    db = f"sqlite:///{tmp_path / 'room.db'}"
    g = run("gather", "--sim", where, "--db", db, "--web", "127.0.0.1:0")
    g.until("shines at")
    store = eventually(lambda: (tmp_path / "room.db").exists() and open_store(db), 20)
    eventually(lambda: store.counts()["packets"] > 150, 40)
    assert {n for (n,) in store.db.all("select distinct node from states")} == set(range(1, 9))
    first = store.db.all("select min(at_ms), max(at_ms) from states")[0]
    assert abs(first[1] - time.time() * 1000) < 6000 and first[1] - first[0] > 3000
    assert store.db.one("select max(arousal) from states where visitor is not null") > 0
    assert [n for (n,) in store.db.all("select node from strands order by node")] == list(range(1, 9))
    assert g.stop() == 0
    before = store.counts()["packets"]
    g = run("gather", "--sim", where, "--db", db, "--web", "off")
    eventually(lambda: store.counts()["packets"] > before + 50, 30)
    assert g.stop() == 0, g.said
    assert store.db.one("select count(*) from lives where event = 0") == 8
    store.close()


def test_several_gateways_at_once_keep_everything_once(run, tmp_path):
    where = simulation(run)
    db = f"sqlite:///{tmp_path / 'room.db'}"
    g = run(
        "gather",
        *(w for n in (1, 4, 7) for w in ("--port", f"sim://{where}/{n}")),
        "--db",
        db,
        "--web",
        "off",
    )
    store = eventually(lambda: (tmp_path / "room.db").exists() and open_store(db), 20)
    eventually(lambda: store.counts()["packets"] > 150, 40)
    g.until("", 1)
    assert g.stop() == 0
    counts = store.counts()
    gateways = store.db.all("select node, next from gateways order by node")
    assert [n for n, _ in gateways] == [1, 4, 7]
    assert sum(n for _, n in gateways) > 2 * counts["packets"], "three gateways heard nearly the same"
    assert counts["missed"] <= 8, counts
    store.close()


def test_two_rooms_after_each_other_do_not_mix(run, tmp_path):
    """Simulated nodes boot with the same epochs every time; their packets are different ones all the same."""
    db = tmp_path / "room.db"
    counts = []
    for _ in range(2):
        r = run(
            "sim",
            "calm",
            "--nodes",
            "4",
            "--workers",
            "1",
            "--fast",
            "--seconds",
            "20",
            "--web",
            "off",
            "--db",
            db,
        )
        assert r.process.wait(120) == 0, r.said
        r.stop()
        store = open_store(str(db))
        counts.append(store.counts())
        store.close()
    assert counts[0]["packets"] > 80 and counts[1]["packets"] == 2 * counts[0]["packets"]
    assert counts[1]["missed"] == 2 * counts[0]["missed"]


def test_a_kept_run_is_the_same_run(tmp_path):
    """--db changes nothing of what happens in the room."""

    def digest(*more):
        done = subprocess.run(
            [sys.executable, "-m", "pulseweave", "sim", "calm", "--nodes", "4", "--workers", "1", "--fast", "--seconds", "8",
             "--web", "off", "--json", "-", *more],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["digest"]

    assert digest() == digest("--db", str(tmp_path / "room.db"))


def test_from_virtual_boards(run, tmp_path):
    """Two boards in one air, both gateways; a restart of one is a new life, not a gap."""
    Network.create("test").save(tmp_path / "net.json")
    boards = [
        run("virtual-board", "--board", "virtual", "--dir", tmp_path / f"b{i}", "--air", tmp_path / "air",
            "--network", tmp_path / "net.json")
        for i in range(2)
    ]  # fmt: skip
    ports = [b.until(r"(/dev/\S+)", out=True)[1] for b in boards]
    db = tmp_path / "room.db"
    g = run("gather", "--port", ports[0], "--port", ports[1], "--db", db, "--web", "off")
    store = eventually(lambda: db.exists() and open_store(str(db)), 20)
    eventually(lambda: len(store.db.all("select distinct node from states")) == 2, 60)
    eventually(lambda: store.counts()["packets"] > 60, 60)
    import os
    import signal

    lives = store.db.one("select count(*) from lives where event = 0")
    os.kill(boards[1].process.pid, signal.SIGHUP)  # its reset button
    eventually(lambda: store.db.one("select count(*) from lives where event = 0") > lives, 60)
    eventually(lambda: store.db.one("select count(*) from gateways") >= 3, 30)
    assert g.stop() == 0, g.said
    counts = store.counts()
    assert counts["missed"] <= 4, counts
    assert re.search(r"packets of \d+ visits kept", g.said)
    store.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name a gateway"),
        (("--sim", "127.0.0.1:9"), "start one with"),
        (("--sim", "nonsense"), "HOST:PORT"),
        (("--port", "/dev/null", "--db", "mysql://x"), "no such kind of store"),
        (("--port", "/dev/null", "--strands", "/no/such"), "--strands"),
        (("--port", "/dev/null", "--web", "nowhere"), "HOST:PORT"),
        (("--port", "nonsense://x", "--db", "off", "--web", "off", "--seconds", "2"), "nonsense"),
    ],
)
def test_bad_input_is_one_line(arguments, words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pulseweave", "gather", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert words in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 2, done.stderr

"""The station: boards that appear are done, those that were done are only checked, one in trouble does not stop the next."""

import os
import signal
import subprocess
import sys
import time

from benchtools import long_tree, pulseweave, until
from pulseweave import ports
from pulseweave.bench.ledger import Ledger
from pulseweave.figures.parts.mock_chip import MockChip, free_port
from pulseweave.network import Network
from settled import running


def station(tmp_path, *options, count: int):
    return subprocess.Popen(
        [sys.executable, "-m", "pulseweave", "station", "--count", str(count), *map(str, options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip


def test_plug_in_watch_unplug_next(power, tmp_path, monkeypatch):
    monkeypatch.setenv("PULSEWEAVE_PORTS", str(tmp_path / "*.tty"))
    net = tmp_path / "hall.json"
    Network.create("hall").save(net)
    (tmp_path / "labels").mkdir()
    first = power("there-before")
    child = station(
        tmp_path, "--board", "virtual", "--network", net, "--labels", tmp_path / "labels", count=3
    )
    until(lambda: child.poll() is None, 2)
    time.sleep(3)  # it has looked once: what was there stays alone
    a, b = power("a"), power("b", "--unplug", "pulse")
    assert child.stdout
    lines = [child.stdout.readline() for _ in "ab"]  # a host unplugs when the verdict stands there
    a.cut()
    time.sleep(2)
    a.start()  # plugged in again: only checked
    out, err = child.communicate(timeout=120)
    lines += out.splitlines()
    assert child.returncode == 1 and "2 passed, 1 failed" in err, (lines, err)
    assert sum(x.startswith("PASS") and "/a.tty" in x for x in lines) == 2
    assert any(x.startswith("FAIL") and "/b.tty" in x and "hangs at ground" in x for x in lines)
    assert not any("there-before" in x for x in lines) and first.process.poll() is None
    book = Ledger()
    deploys = [e["verdict"] for e in book.events if e["what"] == "deploy" and e["port"] == a.port]
    assert deploys == ["ok", "skipped"]
    nodes = {s["node"] for s in book.boards().values()}
    assert len(nodes) == 2 == len(book.boards())
    assert (
        sorted(p.name for p in (tmp_path / "labels").iterdir())
        == [f"node-{e['node']}.svg" for e in book.events if e["what"] == "provision" and e["port"] == a.port][
            :1
        ]
    )
    assert b.process.poll() is None


def test_a_port_that_is_there_before_its_board_can_be_opened(power, tmp_path, monkeypatch):
    """Rights come a moment after the port, and MicroPython a moment after those."""
    monkeypatch.setenv("PULSEWEAVE_PORTS", str(tmp_path / "*.tty"))
    child = station(tmp_path, "--board", "virtual", count=1)
    time.sleep(3)
    early = tmp_path / "late.tty"
    early.write_text("no tty yet")
    time.sleep(1)
    early.unlink()
    late = power("late")
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0 and out.startswith(f"PASS {late.port}"), (out, err)


def test_flash_is_the_first_step_and_a_board_in_trouble_does_not_stop_the_next(image, monkeypatch, tmp_path):
    file = image("esp32")
    with MockChip(mac="240ac4000001") as chip:
        nobody = f"socket://127.0.0.1:{free_port()}"
        monkeypatch.setenv("PULSEWEAVE_PORTS", f"{chip.port} {nobody}")
        child = station(tmp_path, "--board", "esp32-devkit", "--firmware", file, "--present", count=2)
        out, err = child.communicate(timeout=120)
    assert child.returncode == 1 and "nobody listens" in out, (out, err)
    assert next((e["what"], e["verdict"]) for e in Ledger().events) == (
        "flash",
        "ok",
    )  # its ROM has no MicroPython to go on with


def in_a_deploy(power, tmp_path, monkeypatch):
    """A board and the station that is deploying to it."""
    monkeypatch.setenv("PULSEWEAVE_PORTS", str(tmp_path / "*.tty"))
    b = power()
    child = station(
        tmp_path, "--board", "virtual", "--present", "--tree", long_tree(tmp_path / "tree"), count=1
    )
    until(lambda: ports.Claim(b.port, "test")._holder().get("what") == "deploy")
    return b, child


def test_who_leaves_leaves_no_board_dark(power, tmp_path, monkeypatch):
    b, child = in_a_deploy(power, tmp_path, monkeypatch)
    time.sleep(1.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert f"one moment: {b.port}" in err and b.port in out, (out, err)
    assert running(b)["board"] == "virtual"


def test_a_board_unplugged_in_the_middle_is_told_of(power, tmp_path, monkeypatch):
    b, child = in_a_deploy(power, tmp_path, monkeypatch)
    time.sleep(1)
    b.cut()
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1 and out.startswith(f"FAIL {b.port}") and "1 failed" in err, (out, err)


def test_bad_input(tmp_path):
    assert "not known" in pulseweave("station", "--board", "nonsense", code=2).stderr
    assert (
        "cannot read the network file"
        in pulseweave("station", "--board", "virtual", "--network", "none", code=2).stderr
    )

"""The ledger: nothing is lost but the line that was being written, nothing is ever rewritten."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from benchtools import pulseweave
from pulseweave.bench.ledger import Ledger, normal, seal, unseal
from pulseweave.problem import Problem


def test_a_line_is_sealed():
    event = {"mac": "a", "why": 'quotes " and ümläuts', "sum": "not the last"}
    assert unseal(seal(event)) == event
    line = seal(event)
    for i in range(len(line)):
        assert unseal(line[:i]) is None
        other = line[:i] + ("x" if line[i] != "x" else "y") + line[i + 1 :]
        assert unseal(other) is None


def test_events_become_the_state_of_a_board(tmp_path):
    book = Ledger(tmp_path / "l")
    book.add("flash", "240AC4-000001", "ok", board="esp32-devkit", firmware="ab" * 32)
    book.add("provision", "24:0a:c4:00:00:01", "ok", node=12, network="hall")
    book.add("deploy", "24:0a:c4:00:00:01", "failed", why="vanished", release="cd")
    book.add("provision", "24:0a:c4:00:00:02", "ok", node=13, network="hall")
    again = Ledger(tmp_path / "l")
    state = again.boards()[normal("240ac4000001")]
    assert state["node"] == 12 and state["board"] == "esp32-devkit" and "release" not in state
    assert state["verdict"] == "failed" and state["why"] == "vanished"
    assert again.owner("hall", 13) == "24:0a:c4:00:00:02" and again.owner("hall", 14) is None
    assert again.node_ids("hall") == {12, 13}
    book.add("retire", "24:0a:c4:00:00:02", "ok", why="replaced")
    assert book.owner("hall", 13) is None


def test_a_last_line_cut_at_any_byte_loses_only_itself(tmp_path):
    path = tmp_path / "l"
    book = Ledger(path)
    book.add("flash", "01", "ok")
    first = path.stat().st_size
    book.add("flash", "02", "ok")
    whole = path.read_bytes()
    for cut in range(first + 1, len(whole) - 1):
        path.write_bytes(whole[:cut])
        torn = Ledger(path)
        assert [e["mac"] for e in torn.events] == ["01"] and len(torn.damage) == 1
        assert "line 2" in torn.damage[0] and "power was cut" in torn.damage[0]
        torn.add("flash", "03", "ok")
        assert [e["mac"] for e in torn.events] == ["01", "03"]
        assert [e["mac"] for e in Ledger(path).events] == ["01", "03"]
        assert path.read_bytes().startswith(whole[:cut] + b"\n")  # what was there stays there
    done = pulseweave("ledger", path)
    assert "line 2 is damaged" in done.stderr and "01" in done.stdout and "03" in done.stdout


CHILD = """
import sys
from pulseweave.bench.ledger import Ledger
book = Ledger(sys.argv[1])
for i in range(200):
    mac = "240ac4%06x" % i
    if book.last(mac, "flash"):
        continue
    book.add("flash", mac, "ok", port="/dev/ttyUSB%d" % i)
    print(i, flush=True)
"""


def test_the_plug_is_pulled_on_board_137_of_200(tmp_path):
    path = tmp_path / "l"
    line = [sys.executable, "-c", CHILD, str(path)]
    child = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    for said in child.stdout:
        if int(said) == 136:
            os.kill(child.pid, signal.SIGKILL)
            break
    child.wait()
    before = [e["mac"] for e in Ledger(path).events]
    assert len(before) >= 137 and before == list(dict.fromkeys(before))
    rest = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()
    assert [int(x) for x in rest] == list(range(len(before), 200))
    after = Ledger(path)
    assert len(after.boards()) == 200 == len(after.events) and not after.damage


def test_two_benches_write_at_once(tmp_path):
    path = tmp_path / "l"
    code = CHILD.replace('book.last(mac, "flash")', "False").replace("range(200)", "range(100)")
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    assert [c.wait() for c in children] == [0, 0]
    book = Ledger(path)
    assert len(book.events) == 200 and not book.damage


def test_an_id_that_is_being_written_is_owned(tmp_path):
    book = Ledger(tmp_path / "l")
    book.add("provision", "01", "ok", node=5, network="hall", board="virtual")
    book.add("retire", "01", "ok", node=5)
    book.add("provision", "02", "begun", node=5, network="hall")
    assert book.owner("hall", 5) == "02" and book.node_ids("hall") == {5}


def test_a_disk_that_takes_half_a_line_gets_the_rest(tmp_path, monkeypatch):
    real = io.FileIO.write

    class Slow(io.FileIO):
        def write(self, data):
            return real(self, data[:7])

    monkeypatch.setattr(os, "fdopen", lambda fd, *_, **__: Slow(fd, "r+b"))
    book = Ledger(tmp_path / "l")
    book.add("flash", "01", "ok")
    assert len(book.events) == 1 and not Ledger(tmp_path / "l").damage


def test_bad_input(tmp_path):
    (tmp_path / "text").write_text("hello\nworld\n")
    with pytest.raises(Problem, match="not a ledger"):
        Ledger(tmp_path / "text")
    assert "no such ledger" in pulseweave("ledger", tmp_path / "none", code=2).stderr
    book = Ledger(tmp_path / "missing" / "l")
    with pytest.raises(Problem, match="cannot be written"):
        book.add("flash", "01", "ok")
    damaged = tmp_path / "middle"
    book = Ledger(damaged)
    for i in range(3):
        book.add("flash", f"0{i}", "ok")
    damaged.write_bytes(damaged.read_bytes().replace(b'"01"', b'"07"'))
    book = Ledger(damaged)
    assert [e["mac"] for e in book.events] == ["00", "02"] and book.damage == [
        "line 2 is damaged and is left out"
    ]
    said = json.loads(pulseweave("ledger", damaged, "--json", "-").stdout)
    assert len(said["boards"]) == 2 and said["damage"]


@pytest.mark.parametrize("name", ["fern [north]", "up [/left]", "[red]"])
def test_a_name_is_shown_as_it_is(name):
    Ledger().add("provision", "02", "ok", node=7, network="hall", name=name, why=name)
    assert name in pulseweave("ledger").stdout and name in pulseweave("ledger", "--mac", "02").stdout


def test_a_board_that_is_not_there_is_said_so():
    Ledger().add("provision", "02", "ok", node=7, network="hall")
    for words in (("--mac", "03"), ("--node", 0), ("--mac", "02", "--node", 8)):
        assert "no board there with" in pulseweave("ledger", *words, code=2).stderr

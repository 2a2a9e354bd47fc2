"""The stability map: a small sweep from the command, stopped in the middle of a line, resumed, drawn."""

import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from pulseweave.sim.sweep import measure
from stopping import stopped

ARGS = [
    "--gain",
    "0.6,2",
    "--delay",
    "2",
    "--seeds",
    "1",
    "--model",
    "ou",
    "--law",
    "off,on",
    "--nodes",
    "8",
    "--jobs",
    "1",
]


def sweep(folder, *args):
    command = [sys.executable, "-m", "pulseweave", "sweep", *args]
    command[1:3] = ["-c", "from pulseweave.cli import main; main()"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_runs_resumes_and_draws(tmp_path):
    done = sweep(tmp_path, *ARGS, "--out", "map")
    assert done.returncode == 0 and "4 rooms, 4 of them new" in done.stdout, done.stderr
    lines = (tmp_path / "map.jsonl").read_text().splitlines()
    peaks = {(r["law"], r["gain"]): r["peak"] for r in map(json.loads, lines)}
    assert peaks["off", 2.0] > 0.9 and peaks["on", 2.0] < 0.6
    (tmp_path / "map.jsonl").write_text("\n".join(lines[:3]) + "\n" + lines[3][:20])
    again = sweep(tmp_path, *ARGS, "--out", "map")
    assert "4 rooms, 1 of them new" in again.stdout, again.stderr
    again = sweep(tmp_path, *ARGS, "--out", "map")
    assert "4 rooms, 0 of them new" in again.stdout, again.stderr
    text = "".join(ET.parse(tmp_path / "map.svg").getroot().itertext())
    assert "ou, damping on" in text and "100" in text


def test_a_room_of_whole_nodes_is_startled_and_settles(monkeypatch):
    monkeypatch.setattr("pulseweave.sim.sweep.UNTIL_S", 150.0)
    crowd = {"model": "ou", "gain": 0.6, "delay": 2.0, "tau": 8.0}
    got = measure({**crowd, "law": "off", "loss": 0.3, "seed": 1, "nodes": 2, "whole": True})
    assert 0.2 < got["peak"] < 0.6 and 0 < got["settle_s"] < 20 and got["g"] == 0


def test_bad_input_is_one_line(tmp_path):
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\0")
    for name in ("folder.jsonl", "picture.svg"):
        (tmp_path / name).mkdir()
    for args, says in (
        (["--gain", "much"], "--gain much"),
        (["--delay", "99"], "--delay 99"),
        (["--law", "maybe"], "--law maybe"),
        (["--out", "nowhere/map"], "nowhere"),
        (["--out", "binary"], "binary.jsonl"),
        (["--out", "folder"], "folder.jsonl"),
        ([*ARGS, "--out", "picture"], "picture.svg"),
    ):
        done = sweep(tmp_path, *args)
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_nothing_behind(tmp_path, number):
    """Neither of these rooms ends within a minute by itself."""
    line = [sys.executable, "-m", "pulseweave", "sweep", *ARGS, "--nodes", "100", "--whole", "--jobs", "2"]
    code, said = stopped(line, tmp_path, number)
    assert code == {signal.SIGINT: 1, signal.SIGTERM: 143}[number] and "Traceback" not in said, said

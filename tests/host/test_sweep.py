"""The stability map: a small sweep from the command, stopped in the middle of a line, resumed, drawn."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest
from pulseweave.processes import children

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
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    line = [sys.executable, "-m", "pulseweave", "sweep", *ARGS, "--nodes", "100", "--whole", "--jobs", "2"]
    process = subprocess.Popen(
        line, cwd=tmp_path, env={**os.environ, "TMPDIR": str(scratch)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pool = children(process.pid)
        interpreters = [p for child in pool for p in children(child)]
        if len(interpreters) == 2:
            break
        time.sleep(0.2)
    else:
        raise AssertionError("no rooms began")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert (
        process.returncode == {signal.SIGINT: 1, signal.SIGTERM: 143}[number] and "Traceback" not in said
    ), said
    end = time.monotonic() + 20  # a room takes longer
    while left := [p for p in (*pool, *interpreters) if os.path.exists(f"/proc/{p}")]:
        assert time.monotonic() < end, left
        time.sleep(0.2)
    assert not [p for p in scratch.iterdir() if p.name.startswith("pulseweave-")]

"""`pulseweave calibrate` with a virtual board whose skin input is off: resistors in, configuration out, readings right."""

import json
import os
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from benchtools import own_bench, power  # noqa: F401
from pulseweave.score.twopoint import answer

serial = pytest.importorskip("serial")
CAL, GAIN = 2150, 0.93  # of this board's circuit


def solder(board, ns: float) -> None:
    """A conductance across the electrodes from the next start on, and the start."""
    path = board.folder / "signals.bin"
    data = path.read_bytes()
    n = len(data) // 6
    g = ns / GAIN
    a = (100000 * CAL - 4096 * g) / (100000 + 2 * g)
    path.write_bytes(data[: 4 * n] + array("H", [round(16 * a)] * n).tobytes())
    os.kill(board.process.pid, signal.SIGHUP)


def test_two_resistors_make_a_node_read_right(power, tmp_path):  # noqa: F811
    board = power("node")
    answer(board.port, 115200, "status")  # a new board has its files before it is restarted
    solder(board, 10000)
    command = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", "calibrate", "--port", board.port, "--json", str(tmp_path / "kept")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert command.stdin and command.stdout and command.stderr
    try:
        command.stdin.write("\n")
        command.stdin.flush()
        line = command.stdout.readline()
        assert "100 kOhm" in line and "reads" in line, line + command.stderr.read()
        solder(board, 2127.66)
        said, wrong = command.communicate("\n", timeout=120)
    finally:
        command.kill()
    assert command.returncode == 0, wrong
    assert "kept:" in said, said
    kept = answer(board.port, 115200, "config")
    told = json.loads((tmp_path / "kept").read_text())
    assert told["port"] == board.port and told["skin_cal"] == kept["skin_cal"] and len(told["counts"]) == 2
    assert abs(kept["skin_cal"] - CAL) <= 2 and abs(kept["skin_gain"] / 4096 - GAIN) < 0.01, kept
    for ns in (1000, 5000, 20000):
        solder(board, ns)
        time.sleep(3)
        assert abs(answer(board.port, 115200, "status")["skin_us"] * 1000 / ns - 1) < 0.02, ns

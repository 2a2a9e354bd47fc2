"""Told to end in the middle (SIGTERM, SIGHUP), a command leaves its board as it should be: running, its settings whole;
a virtual board ends."""

import signal
import subprocess
import sys
import time

import pytest
from benchtools import long_tree, pulseweave, until
from pulseweave import ports
from pulseweave.score.twopoint import answer
from settled import running


def begun(board, *words: str) -> subprocess.Popen:
    """A command that has the board's port."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", *words, "--port", board.port],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: ports.Claim(board.port, "test")._holder().get("what") == words[0])
    return child


@pytest.mark.parametrize(
    ("words", "number"),
    [(("selftest",), signal.SIGTERM), (("deploy", "--board", "virtual"), signal.SIGHUP)],
)
def test_no_board_is_left_dark(power, words, number, tmp_path):
    b = power()
    if words[0] == "deploy":
        words += ("--tree", str(long_tree(tmp_path / "tree")))
    child = begun(b, *words)
    time.sleep(1.2)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 128 + number and "Traceback" not in err, (out, err)
    assert running(b)["board"] == "virtual"


def test_a_calibration_that_ends_early_changes_nothing(power):
    b = power()
    answer(b.port, 115200, "status")
    for text in ("config skin_cal 2000", "config save"):
        answer(b.port, 115200, text)
    child = begun(b, "calibrate")
    assert child.stdout
    assert child.stdout.read(3) == "100"
    # the port is this command's alone meanwhile
    assert "in use by pulseweave calibrate" in pulseweave("status", "--port", b.port, code=2).stderr
    child.terminate()
    child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM
    assert answer(b.port, 115200, "config")["skin_cal"] == 2000


DEAF = """
from pulseweave.bench.supervisor import Supervisor
step = Supervisor.step
def deaf(self, timeout):
    try:
        step(self, timeout)
    except SystemExit:
        pass
Supervisor.step = deaf
from pulseweave.cli import main
main()
"""


def test_a_virtual_board_ends_when_told_in_the_middle_of_a_destructor(tmp_path):
    """Python goes on after an exception in one, whatever it was; the board was then told to end, and did not."""
    line = [sys.executable, "-c", DEAF, "virtual-board", "--board", "virtual", "--blank"]
    line += ["--dir", str(tmp_path / "b"), "--air", str(tmp_path / "air")]
    board = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert board.stdout and board.stdout.readline().strip()
        time.sleep(0.5)
        board.terminate()
        assert board.wait(10) == 0
    finally:
        board.kill()
        board.communicate()

"""How campaigns end: with what they found, wherever they were stopped, and with nothing left behind."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
from pulseweave.paths import DEVICE, ROOT
from pulseweave.sim.campaign import patience
from pulseweave.sim.campaign.faults import Fault
from pulseweave.sim.campaign.run import Checks, fates, run
from rooms import plan_of
from stopping import stopped

COMMAND = [sys.executable, "-m", "pulseweave", "campaign"]


def campaign(*words, **kw):
    return subprocess.run(
        [*COMMAND, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=300, **kw
    )


def changed(tmp_path, file: str, old: str, new: str):
    """A copy of the firmware with one place changed, in a folder whose name has a space."""
    copy = tmp_path / "a firmware"
    shutil.copytree(DEVICE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    return copy


def test_bytecode_and_another_folder_are_the_same_room(tmp_path):
    """A crash note is as long as its traceback, and flash takes time by the byte."""
    plan = plan_of(Fault("strand_raises", 20.0, 4.0, 0), Fault("sensor_raises", 40.0, 4.0, 0), seconds=110.0)
    one = run(plan)
    copy = tmp_path / "somewhere with a long name"
    shutil.copytree(DEVICE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert one.failure is None and run(plan, copy, native=False).digest == one.digest


@pytest.mark.parametrize("hours", ["nan", "1e300"])
def test_lengths_that_are_none(hours):
    done = campaign("--hours", hours)
    assert done.returncode == 2 and "--hours" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("until", ["nan", "-5"])
def test_ends_that_are_none(until):
    done = campaign("--seed", 1, "--until", until)
    assert done.returncode == 2 and "--until" in done.stderr and "Traceback" not in done.stderr


def test_a_length_between_two_seconds_is_a_whole_campaign():
    done = campaign("--calm", "--seeds", 1, "--nodes", 1, "--hours", 0.0522, "--json", "-")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert not said["stopped"] and said["hours_run"] == pytest.approx(said["hours"], abs=1e-4)


def test_a_place_for_the_result_is_looked_for_first():
    began = time.monotonic()
    done = campaign("--seeds", 500, "--json", "/nowhere/x.json")
    assert done.returncode == 2 and "/nowhere/x.json" in done.stderr and time.monotonic() - began < 60


def test_the_command_of_a_calm_room_that_resets_finds_it_again(tmp_path):
    copy = changed(
        tmp_path, "weave/node.py", "        wait = self._wait\n",
        "        wait = self._wait\n        if self.keep.ticks == 2000:\n            self.console.reboot = 1\n",
    )  # fmt: skip
    done = campaign("--calm", "--seeds", 1, "--nodes", 1, "--hours", 0.05, "--firmware", copy, "--json", "-")
    [failure] = json.loads(done.stdout)["failures"]
    assert done.returncode == 1 and failure["invariant"] == "dark"
    again = subprocess.run(
        failure["command"].replace("pulseweave campaign", " ".join(COMMAND), 1),
        shell=True, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert again.returncode == 1 and "dark" in again.stdout + again.stderr, again.stderr


def test_recovery_counts_from_the_first_look_after_the_end():
    checks = object.__new__(Checks)
    checks.failure, checks.healthy = None, [[k != 100] for k in range(180)]
    plan = plan_of(Fault("reset", 99.5, 1.0, 0))
    assert [f.recovery_s for f in fates(plan, checks)] == [1.5]
    checks.healthy = [[True]] * 180
    assert [f.recovery_s for f in fates(plan, checks)] == [0.5]


def test_a_node_that_computes_for_ever_ends_its_room(tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "STUCK_CPU_S", 3.0)
    copy = changed(
        tmp_path, "weave/node.py", "        wait = self._wait\n",
        "        wait = self._wait\n        while self.keep.ticks == 100:\n            pass\n",
    )  # fmt: skip
    outcome = run(plan_of(), copy)
    assert outcome.failure and outcome.failure.invariant == "worker"
    assert outcome.failure.t_s == pytest.approx(2.0, abs=1.5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_nothing_behind(tmp_path, number):
    stopped([*COMMAND, "--seeds", "40", "--workers", "2", "--nodes", "1"], tmp_path, number)

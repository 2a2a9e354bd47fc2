"""A node that raises is reported with its traceback, also where it ran as machine code."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from asked import pulseweave
from pulseweave.paths import ROOT


@pytest.fixture
def planted(tmp_path):
    """A copy of the project in which a node fails beyond the supervisor's reach: node 2 at power-up or after 60
    ticks, any node whose damping is off; or in which node 2 never comes back after 60 ticks."""

    def plant(when: str) -> dict:
        for part in ("boards", "device", "host/pulseweave"):
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        node = tmp_path / "device" / "weave" / "node.py"
        text = node.read_text()
        for place in ("    def tick(self, now):\n", "    def _tell(self) -> None:\n"):
            assert place in text
        broken = "    def broken(self):\n        raise OSError('planted')\n\n"
        text = text.replace("    def _tell(self) -> None:\n", broken + "    def _tell(self) -> None:\n")
        if when == "start":
            place = "        self._held = 0\n"
            assert place in text
            text = text.replace(place, "        if mesh.node == 2:\n            self.broken()\n" + place, 1)
        else:
            place = "        wait = self._wait\n"
            assert place in text
            what = "while True:\n                pass" if when == "loop" else "self.broken()"
            why = (
                "not self.damp.enabled" if when == "off" else "self.mesh.node == 2 and self.keep.ticks == 60"
            )
            text = text.replace(place, f"        if {why}:\n            {what}\n" + place, 1)
        node.write_text(text)
        return {"PYTHONPATH": str(tmp_path / "host"), "PULSEWEAVE_EMIT": "native"}

    return plant


@pytest.mark.parametrize(("when", "at"), [("start", "0.00 s"), ("later", "1.22 s")])
def test_machine_code_that_fails_gets_its_traceback_from_a_second_run(planted, tmp_path, when, at):
    line = ["sim", "calm", "--nodes", "3", "--workers", "2", "--fast", "--web", "off", "--seconds", "10"]
    done = pulseweave(*line, env=planted(when))
    assert f"node 2 failed at {at} of virtual time" in done.stderr
    assert "Traceback" in done.stderr and "in broken" in done.stderr and "OSError: planted" in done.stderr
    assert "weave/node.py" in done.stderr
    assert done.returncode == 1 and done.stderr.strip().splitlines()[-1].startswith("pulseweave: ")


def test_a_node_that_never_comes_back_does_not_keep_the_room_from_ending(planted):
    line = [sys.executable, "-m", "pulseweave", "sim", "calm", "--nodes", "2", "--web", "off", "--fast"]
    env = {**os.environ, **planted("loop"), "PULSEWEAVE_EMIT": "bytecode"}
    run = subprocess.Popen(line, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(6)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    try:
        _, err = run.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        run.kill()
        raise
    assert run.returncode == 1 and "did not stop within 5 s and were killed" in err.splitlines()[-1]


def test_the_second_run_gets_what_the_page_ordered(planted, tmp_path):
    from pulseweave.sim import scenario
    from pulseweave.sim.engine import Simulation
    from pulseweave.sim.retrace import retraced
    from pulseweave.sim.workers import WorkerFailure

    planted("off")
    s = scenario.load("calm")
    s.nodes = 2
    again = partial(Simulation, s, 1, 1, firmware=tmp_path / "device")
    sim = again(native=True)
    try:
        for _ in range(20):
            sim.step()
        sim.steer(scenario.Action(0, "damping", on=False))
        with pytest.raises(WorkerFailure) as caught:
            for _ in range(20):
                sim.step()
    finally:
        sim.close()
    assert "in broken" not in caught.value.text  # machine code keeps no traceback
    second = retraced(caught.value, again, sim.steered)
    assert "in broken" in second.text and (second.node, second.t_s) == (caught.value.node, caught.value.t_s)
    assert retraced(caught.value, again) is caught.value  # without the order nothing fails


def test_a_raising_node_is_reported_with_its_traceback(tmp_path):
    from pulseweave.sim import scenario
    from pulseweave.sim.engine import Simulation
    from pulseweave.sim.workers import WorkerFailure

    s = scenario.load("calm")
    s.nodes = 4
    sim = Simulation(s, 1, 2)
    try:
        for _ in range(20):
            sim.step()
        sim.tell(2, {"do": "crash"})
        with pytest.raises(WorkerFailure) as caught:
            sim.step()
        assert caught.value.node == 3  # ids count from 1
        assert "asked to fail" in str(caught.value) and "0.40 s" in str(caught.value)
    finally:
        sim.close()

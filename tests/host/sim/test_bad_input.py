"""Bad input gets one clear line and no traceback; dying workers lose nothing; Ctrl-C leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import partial

import pytest
from pulseweave.paths import ROOT

SHORT = ["--seconds", "1", "--fast", "--web", "off", "--nodes", "2"]


def pulseweave(*words, env=None, timeout=120):
    line = [sys.executable, "-m", "pulseweave", *words]
    env = {**os.environ, **(env or {})}
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=timeout, env=env)


def refused(done, *words, code=2):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    line = done.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in line, line
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sim", "clam", *SHORT], ["clam", "calm"]),
        (["sim", "no/such.toml", *SHORT], ["such.toml", "--list"]),
        (["sim", "calm", *SHORT, "--board", "esp33"], ["esp33"]),
        (["sim", "calm", *SHORT, "--visitors", "ghosts"], ["ghosts", "recordings:DIR"]),
        (["sim", "calm", *SHORT, "--visitors", "no.such:Crowd"], ["no.such"]),
        (["sim", "calm", *SHORT, "--visitors", "recordings:nowhere"], ["nowhere"]),
        (["sim", "calm", "--nodes", "0", "--fast", "--web", "off"], ["0 nodes", "--nodes"]),
        (["sim", "calm", "--nodes", "1000000", "--fast", "--web", "off"], ["1000000 nodes"]),
        (["sim", "calm", *SHORT, "--loss", "1.5"], ["--loss", "0 to 1"]),
        (["sim", "calm", *SHORT, "--workers", "0"], ["--workers"]),
        (["sim", "calm", "--seconds", "-1", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--web", "nowhere"], ["--web", "HOST:PORT"]),
        (["sim", "calm", *SHORT, "--record", "/no/such/folder/x.weave"], ["--record", "x.weave"]),
        (["sim", "calm", *SHORT, "--json", "/no/such/folder/x.json"], ["--json", "x.json"]),
        (["sim", "calm", *SHORT, "--json", "/"], ["cannot write /", "--json"]),
        (["sim", "calm", "--seconds", "nan", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--seconds", "inf", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", *SHORT, "--seed", "-1"], ["--seed", "0 or more"]),
        (["sim", "calm", "--nodes", "many"], ["--nodes", "many", "sim --help"]),
        (["sim", "calm", "--colour", "red"], ["--colour", "sim --help"]),
        (["dance"], ["dance", "--help"]),
        (["replay", "nowhere.weave"], ["nowhere.weave", "--record"]),
    ],
)
def test_one_clear_line(words, said):
    refused(pulseweave(*words), *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3", ["bad.toml", "title"]),
        ("title = 'x'\nnods = 3", ["bad.toml", "nods"]),
        ("title = 'x'\n[[script]]\nat_s = 1\ndo = 'dance'", ["dance", "upset"]),
        ("title = 'x'\n[room]\nlayout = 'heap'", ["heap", "canopy"]),
        ("title = 'x'\n[crowd]\ngain = 99", ["gain"]),
        ("title = 'x'\nscene = 'disco'", ["disco"]),
        ("title = [", ["bad.toml"]),
    ],
)
def test_a_bad_scenario(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    refused(pulseweave("sim", str(path), *SHORT), *said)


def test_a_damaged_recording_of_a_person(tmp_path):
    (tmp_path / "S01.npz").write_bytes(b"PK\3\4 not really")
    refused(pulseweave("sim", "calm", *SHORT, "--visitors", f"recordings:{tmp_path}"), "S01.npz")


def test_a_damaged_recording_of_a_run(tmp_path):
    path = tmp_path / "run.weave"
    done = pulseweave("sim", "calm", *SHORT, "--record", str(path))
    assert done.returncode == 0, done.stderr
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    refused(pulseweave("replay", str(path)), "run.weave", "damaged")
    path.write_bytes(b"something else")
    refused(pulseweave("replay", str(path)), "run.weave", "no recording")


def test_a_busy_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = pulseweave("sim", "calm", "--nodes", "2", "--seconds", "1", "--web", f"127.0.0.1:{port}")
    refused(done, str(port), "--web")


PLUGIN = """
import numpy as np

class Waves:
    '''A crowd from outside: everybody follows a slow wave, and answers the light a little.'''
    def __init__(self, seed, nodes, **scenario):
        self.n = nodes
    def step(self, t_s, dt_s, light):
        assert light.shape == (self.n,) and dt_s == 0.1
        return {"arousal": np.full(self.n, 0.3 + 0.2 * np.sin(t_s)), "touching": np.ones(self.n, bool)}

class Signals(Waves):
    def step(self, t_s, dt_s, light):
        out = super().step(t_s, dt_s, light)
        t = t_s + np.arange(10) / 100
        out["ppg"] = np.tile(np.sin(2 * np.pi * 1.2 * t) * 0.3, (self.n, 1))
        out["eda"] = np.full((self.n, 1), 4.0)
        return out

class Short(Waves):
    def step(self, t_s, dt_s, light):
        return {"arousal": np.zeros(self.n - 1), "touching": np.ones(self.n, bool)}

class Broken(Waves):
    def step(self, t_s, dt_s, light):
        return {} if t_s < 0.45 else 1 / 0

class Crash(Waves):
    def step(self, t_s, dt_s, light):
        if t_s > 0.45:
            raise RuntimeError("the crowd left")
        return super().step(t_s, dt_s, light)
"""


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "evening.py").write_text(PLUGIN)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}


@pytest.mark.parametrize("crowd", ["Waves", "Signals"])
def test_a_plug_in_crowd_runs(plugin, crowd):
    done = pulseweave("sim", "calm", *SHORT, "--visitors", f"evening:{crowd}", env=plugin)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        ("Nobody", ["evening", "Nobody"]),
        ("Short", ["arousal", "(1,)"]),
        ("Broken", ["arousal"]),
        ("Crash", ["RuntimeError", "the crowd left", "evening.py", "0.5 s"]),
    ],
)
def test_a_bad_plug_in_is_named(plugin, crowd, said):
    refused(pulseweave("sim", "calm", *SHORT, "--visitors", f"evening:{crowd}", env=plugin), *said)


def workers_of(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(w) for w in done.stdout.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with open(f"/proc/{pid}/stat") as f:
        return f.read().split()[2] != "Z"


def started(*words):
    line = [
        sys.executable,
        "-m",
        "pulseweave",
        "sim",
        "calm",
        "--nodes",
        "4",
        "--workers",
        "2",
        "--web",
        "off",
        *words,
    ]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        children = workers_of(process.pid)
        if len(children) == 2:
            time.sleep(1.5)
            return process, children
        time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_behind(number):
    process, children = started("--seconds", "600", "--json", "-")
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert '"digest"' in out  # what was measured up to there is not lost
    assert not any(alive(c) for c in children)


def test_a_killed_worker_is_reported_and_the_recording_kept(tmp_path):
    path = tmp_path / "run.weave"
    process, children = started("--seconds", "600", "--record", str(path))
    os.kill(children[0], signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    refused(subprocess.CompletedProcess([], process.returncode, "", err), "run.weave", code=1)
    assert "of virtual time" in err and "nodes 0..1" in err
    assert not any(alive(c) for c in children)
    assert pulseweave("replay", str(path), "--node", "3").returncode == 0


@pytest.fixture
def planted(tmp_path):
    """A copy of the project in which a node fails beyond the supervisor's reach: node 2 at power-up or after 60
    ticks, any node whose damping is off."""

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
            why = (
                "not self.damp.enabled" if when == "off" else "self.mesh.node == 2 and self.keep.ticks == 60"
            )
            text = text.replace(place, f"        if {why}:\n            self.broken()\n" + place, 1)
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

"""What is in a recording when a run ends badly, what a page can do to it, and files that no run has written."""

import threading
import zlib

import msgspec
import pytest
from asked import SHORT, pulseweave, refused
from pulseweave.problem import Problem
from pulseweave.sim import command
from pulseweave.sim.engine import Simulation
from pulseweave.sim.live import Live
from pulseweave.sim.recording import LENGTH, MAGIC, Recorder, read, replay
from pulseweave.sim.scenario import Scenario
from pulseweave.sim.workers import WorkerFailure


@pytest.mark.parametrize("workers", [1, 2])
def test_the_tick_that_failed_is_recorded_and_fails_again(tmp_path, workers):
    path = tmp_path / "run.weave"
    sim = Simulation(Scenario(title="x", nodes=3), 1, workers, recorder=Recorder(str(path)))
    try:
        for _ in range(20):
            sim.watch()
        sim.tell(1, {"do": "crash", "after": 2})
        with pytest.raises(WorkerFailure):
            for _ in range(20):
                sim.watch()
    finally:
        sim.close()
    ticks = [t for t in read(path) if "k" in t]
    assert [t["k"] for t in ticks] == list(range(23)) and ["f" in t for t in ticks] == [True] * 22 + [False]
    with pytest.raises(WorkerFailure) as e:
        replay(path, 1)
    assert "asked to fail" in e.value.text and e.value.t_s == pytest.approx(0.44)
    other = replay(path, 0)
    assert other["ticks"] == 22 and other["pixels_equal"] and other["frames_equal"]
    done = pulseweave("replay", str(path), "--node", "1")
    assert (
        done.returncode == 1 and "main.py" in done.stderr and "cli.py" not in done.stderr
    )  # the node's, not the host's
    assert done.stderr.splitlines()[-1] == "pulseweave: node 1 fails in the replay as well (above)"


def test_a_page_may_choose_the_recorded_scenario_again(tmp_path, monkeypatch):
    orders = ["calm", "contagion", "calm"]
    tick = Live._tick

    def steered(live):
        tick(live)
        if live.sim.tick == 50 and orders:
            live.wanted.append(({"do": "scenario", "name": orders.pop(0)}, {"done": threading.Event()}))

    monkeypatch.setattr(Live, "_tick", steered)
    path = tmp_path / "run.weave"
    wishes = dict.fromkeys(("loss", "visitors", "board", "damping", "db", "air")) | {"nodes": 2}
    command.run("calm", wishes, 2.0, 1, 1, True, "off", str(path), None, str(tmp_path / "run.json"))
    assert not orders and (tmp_path / "run.json").exists()
    result = replay(path, 0)
    assert result["ticks"] == 50 and result["pixels_equal"] and result["frames_equal"]


def test_a_full_disk_is_one_line(tmp_path):
    done = pulseweave("sim", "calm", *SHORT, "--record", "/dev/full")
    refused(done, "/dev/full", "No space left", "--record")
    assert done.stderr.count("\n") == 1


def crafted(path, *things):
    data = b"".join(LENGTH.pack(len(d)) + d for d in map(msgspec.msgpack.encode, things))
    path.write_bytes(MAGIC + zlib.compress(data))
    return path


@pytest.mark.parametrize(
    "things",
    [
        [3],
        [{"scenario": {}}],
        [{"scenario": {}, "plan": {"nodes": []}}],
        [{"scenario": 3, "plan": {"nodes": [{}]}}],
        [{"scenario": {}, "plan": {"nodes": [{}]}}],
        [{"scenario": {}, "plan": {"nodes": 3}}],
    ],
)
def test_what_no_run_has_written_is_refused(tmp_path, things):
    with pytest.raises(Problem) as e:
        replay(crafted(tmp_path / "x.weave", *things), 0)
    assert "x.weave" in str(e.value) and "\n" not in str(e.value)


@pytest.mark.parametrize("tick", [7, {}, {"k": "x", "q": [], "s": None, "r": [], "p": None, "f": []}])
def test_a_tick_that_no_run_has_written_is_refused(tmp_path, tick):
    path = tmp_path / "run.weave"
    sim = Simulation(Scenario(title="x", nodes=1), 1, recorder=Recorder(str(path)))
    sim.step()
    sim.close()
    with pytest.raises(Problem, match=r"x\.weave is damaged"):
        replay(crafted(tmp_path / "x.weave", next(read(path)), tick), 0)

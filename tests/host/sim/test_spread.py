"""Workers on cores of their own, who wait awake: the same room, and nothing of them is left."""

import os
import signal
import subprocess
import sys
import time

import pytest
from pulseweave.processes import children, cpu_s
from pulseweave.sim import scenario
from pulseweave.sim.cores import mine
from pulseweave.sim.engine import BLOCK, Simulation
from pulseweave.sim.nodes import shares
from pulseweave.sim.recording import Recorder, replay
from pulseweave.sim.scenario import Action
from pulseweave.sim.workers import WorkerFailure

CORES = mine()
pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="one core: nothing can be spread")


def room(workers: int = 2, spread: bool = True, recorder=None) -> Simulation:
    plan = scenario.load("calm")
    plan.nodes = 5
    plan.script = [Action(at_s=6.06, do="reboot", node=1), Action(at_s=8.14, do="lift", node=4)]
    return Simulation(plan, 5, workers, recorder, spread=spread)


@pytest.fixture
def spread():
    sim = room()
    yield sim
    sim.close()


def test_it_is_the_same_room():
    digests = []
    for workers, apart in ((1, False), (2, True)):
        sim = room(workers, apart)
        try:
            while sim.tick < 600:
                sim.step(ahead=BLOCK)
            digests.append((sim.digest.hexdigest(), sim.radio.statistics()))
        finally:
            sim.close()
    assert digests[0] == digests[1]


def test_a_recording_of_it_replays_bit_by_bit(tmp_path):
    path = tmp_path / "run.weave"
    sim = room(recorder=Recorder(str(path)))
    try:
        while sim.tick < 450:
            sim.step(ahead=BLOCK)
    finally:
        sim.close()
    result = replay(path, 4)
    assert result["ticks"] == 450 and result["pixels_equal"] and result["frames_equal"]


def test_each_has_its_core_and_afterwards_all_are_free():
    sim = room()
    try:
        assert sim.nodes.spread
        places = [os.sched_getaffinity(pid) for pid in (0, *sim.nodes.pids)]
        assert places == [{CORES[0]}, {CORES[0]}, {CORES[1]}]
    finally:
        sim.close()
    assert sorted(os.sched_getaffinity(0)) == CORES


@pytest.mark.parametrize("n", [2, 3, 5, 12, 64])
@pytest.mark.parametrize("workers", [2, 3, 4])
def test_everybody_is_somewhere_and_the_host_is_considered(n, workers):
    parts = shares(n, min(workers, n), True)
    assert [i for part in parts for i in part.tolist()] == list(range(n))
    assert all(len(part) for part in parts)
    assert len(parts[0]) == min(map(len, parts))


def test_with_fewer_cores_than_workers_they_sleep_as_ever():
    sim = room(workers=len(CORES) + 1) if len(CORES) < 5 else room(workers=5, spread=False)
    try:
        assert not sim.nodes.spread
        sim.step(ahead=BLOCK)
    finally:
        sim.close()


def test_a_broken_promise_is_told(spread):
    spread.step(ahead=BLOCK)
    with pytest.raises(RuntimeError, match="promised"):
        spread.ask({"do": "report"})
    with pytest.raises(RuntimeError, match="promised"):
        spread.step(records=True)


def test_a_promise_that_ends_binds_no_longer(spread):
    for left in (3, 2, 1):
        spread.step(ahead=left)
    assert spread.ask({"do": "report"})
    assert spread.step(records=True).records is not None


def test_a_worker_that_dies_is_not_waited_for(spread):
    os.kill(spread.nodes.pids[1], signal.SIGKILL)
    with pytest.raises(WorkerFailure):
        for _ in range(3):
            spread.step()


def test_who_waits_for_long_sleeps_after_all(spread):
    """A room that is stopped for a night costs nothing, and nobody takes its worker for one that computes for ever."""
    spread.step()
    time.sleep(0.2)
    before = cpu_s(spread.nodes.pids[1])
    time.sleep(0.5)
    assert cpu_s(spread.nodes.pids[1]) - before < 0.1


def test_to_wait_leaves_nothing_on_the_heap(spread):
    before = spread.ask({"do": "memory"})
    time.sleep(0.5)
    after = spread.ask({"do": "memory"})
    assert max(b["used"] - a["used"] for a, b in zip(before, after)) < 4096
    assert after[1]["garbage"] < 100_000  # of one request; 20,000 empty lists are more than ten times that


def test_without_the_host_nobody_waits_on():
    code = (
        "from pulseweave.sim import scenario; from pulseweave.sim.engine import Simulation; import sys, time; "
        "p = scenario.load('calm'); p.nodes = 4; s = Simulation(p, 1, 2, spread=True); "
        "print(s.nodes.spread, flush=True); time.sleep(60)"
    )
    host = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert host.stdout and host.stdout.readline() == "True\n"
    workers = children(host.pid)
    assert len(workers) == 2
    host.kill()
    host.wait()
    end = time.monotonic() + 10
    while left := [p for p in workers if os.path.exists(f"/proc/{p}")]:
        assert time.monotonic() < end, left
        time.sleep(0.1)

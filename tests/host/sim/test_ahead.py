"""A worker that runs on by itself while the air is still: the same room, fewer messages; what a broken promise gets."""

import pytest
from pulseweave.sim import scenario
from pulseweave.sim.engine import BLOCK, Simulation
from pulseweave.sim.scenario import Action
from pulseweave.sim.workers import Worker, WorkerFailure

TICKS = 600


def room(ahead: int, monkeypatch) -> tuple[str, int]:
    """(digest, messages) of a small room with a script in the middle of blocks."""
    sent = []
    send = Worker.send
    monkeypatch.setattr(Worker, "send", lambda *a, **k: (sent.append(a[1]), send(*a, **k))[1])
    plan = scenario.load("calm")
    plan.nodes = 3
    plan.script = [Action(at_s=6.06, do="reboot", node=1), Action(at_s=8.14, do="lift", node=0)]
    sim = Simulation(plan, 5)
    try:
        while sim.tick < TICKS:
            sim.step(ahead=ahead)
        return sim.digest.hexdigest(), sent.count(b"T")
    finally:
        sim.close()


def test_running_ahead_does_not_show(monkeypatch):
    digest, messages = room(1, monkeypatch)
    assert messages == TICKS
    same, fewer = room(BLOCK, monkeypatch)
    assert same == digest
    assert fewer < TICKS / 2


@pytest.fixture
def ahead():
    """A room whose worker has run ahead."""
    plan = scenario.load("calm")
    plan.nodes = 2
    sim = Simulation(plan, 5)
    while sim.tick % BLOCK or not sim.step(ahead=BLOCK) or not sim.nodes.ahead:
        if sim.tick % BLOCK:
            sim.step(ahead=BLOCK - sim.tick % BLOCK)
    yield sim
    sim.close()


def test_a_broken_promise_is_told(ahead):
    with pytest.raises(RuntimeError, match="promised"):
        ahead.ask({"do": "report"})
    with pytest.raises(RuntimeError, match="promised"):
        ahead.tell(0, {"do": "ping", "id": 1})
    with pytest.raises(RuntimeError, match="promised"):
        ahead.step(records=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_whole_before_a_failure_arrives(workers):
    """A node that raises in a tick that was promised to be free: those before it are there, the failure says when."""
    plan = scenario.load("calm")
    plan.nodes = workers
    sim = Simulation(plan, 5, workers, spread=workers > 1)
    try:
        while sim.tick < 100:
            sim.step()
        sim.tell(workers - 1, {"do": "crash", "after": 2})
        with pytest.raises(WorkerFailure, match=r"2\.04 s"):
            while True:
                sim.step(ahead=BLOCK)
        assert sim.tick == 102
    finally:
        sim.close()

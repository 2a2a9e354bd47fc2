"""A virtual board in the mesh of a simulated room: each hears the other, and the room without it stays as it was."""

import time

import pytest
from benchtools import until
from pulseweave import ports
from pulseweave.bench.talk import Talk
from pulseweave.bench.virtual_board import virtual_board
from pulseweave.network import Network
from pulseweave.problem import Problem
from pulseweave.sim import scenario
from pulseweave.sim.air import SharedAir
from pulseweave.sim.engine import Simulation

NODES = 3


def test_a_board_joins_a_running_room(power, tmp_path):
    from benchtools import pulseweave

    pulseweave("network", "new", tmp_path / "net.json", "--simulated", "1")
    assert Network.load(tmp_path / "net.json").name == "net"
    b = power("b", "--network", str(tmp_path / "net.json"), air=tmp_path / "a")
    s = scenario.load("calm")
    s.nodes = NODES
    room = Simulation(s, 1, 1)
    room.air = SharedAir(tmp_path / "a", room.members[0], room.n)
    try:
        with ports.open_line(b.port) as line:
            node = Talk(line, b.port)
            begin, asked, heard = time.monotonic(), {}, set()

            def tick() -> bool:
                while room.tick * 0.02 < time.monotonic() - begin:
                    room.step()
                if room.tick % 25 == 0:
                    asked[node.send("mesh")] = 1
                for said in node.listen().values():
                    heard.update(r["node"] for r in said)
                return heard >= {1, 2, 3} and guests() == {own(heard)}

            def own(ids) -> int:
                return next(iter(ids - {1, 2, 3}), 0)

            def guests() -> set[int]:
                rows = [
                    n for a in room.ask({"do": "neighbours"}) for near in a["neighbours"] for n, _ in near
                ]
                return {n for n in rows if n > NODES}

            until(tick, 60, 0.01)
        assert room.air.guests == 1
    finally:
        room.close()
    assert not list((tmp_path / "a").glob("025057*"))  # the room left the air


def test_bad_air(tmp_path):
    with pytest.raises(Problem, match="--air"):
        SharedAir(tmp_path / ("x" * 120), [0], 1)


def test_on_is_the_same_air_for_a_board_and_a_room(monkeypatch, tmp_path):
    """`sim --air on` is the air of this user; a board's `--air on` made a folder called on."""
    seen = []

    def stop(plan, folder, where):
        seen.append(where)
        raise Problem("far enough")

    monkeypatch.setattr("pulseweave.bench.supervisor.Supervisor", stop)
    for word in ("on", str(tmp_path)):
        line = ["--board", "virtual", "--dir", str(tmp_path / "ada"), "--air", word]
        with pytest.raises(Problem, match="far enough"):
            virtual_board.main(line, standalone_mode=False)
    assert seen == [None, tmp_path]

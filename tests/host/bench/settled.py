"""A network file, and what a board that belongs to it shows."""

import json
import stat

import pytest
from benchtools import pulseweave, until
from pulseweave.network import Network


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "hall.json"
    pulseweave("network", "new", path, "--name", "hall")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def secrets(path) -> list[str]:
    """Every key of a network file, as it must never be printed."""
    n = Network.load(path)
    return [k.hex() for k in (*n.keys.values(), *n.commands.values())]


def strand(board) -> set[tuple]:
    """The colours the strand shows (wire order GRB as R, G, B)."""
    wire = (board.folder / "strand.bin").read_bytes()
    return {(wire[i + 1], wire[i], wire[i + 2]) for i in range(0, len(wire), 3)}


def running(board) -> dict:
    return until(
        lambda: json.loads(
            pulseweave("status", "--port", board.port, "--json", "-", code=None).stdout or "{}"
        ),
        30,
    )

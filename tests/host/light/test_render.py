"""`pulseweave sim --render`: a film of a simulated room, and the same digest as without one."""

import json

import pytest
from click.testing import CliRunner
from pulseweave.sim.command import sim

COMMON = ["calm", "--nodes", "2", "--fast", "--web", "off", "--seconds", "2", "--workers", "1"]


def test_a_room_into_a_film(tmp_path):
    av = pytest.importorskip("av")
    made = {}
    for name, more in (("drawn", ["--render", str(tmp_path / "room.mp4")]), ("plain", [])):
        done = CliRunner().invoke(sim, [*COMMON, *more, "--json", str(tmp_path / f"{name}.json")])
        assert done.exit_code == 0, done.output
        made[name] = json.loads((tmp_path / f"{name}.json").read_text())["digest"]
    assert made["drawn"] == made["plain"]
    with av.open(str(tmp_path / "room.mp4")) as film:
        assert len(list(film.decode(video=0))) == 50
    dark, bright = None, None
    with av.open(str(tmp_path / "room.mp4")) as film:
        for picture in film.decode(video=0):
            bright = picture.to_ndarray(format="gray").mean()
            dark = bright if dark is None else dark
    assert bright > dark  # black at boot, then light rises


def test_a_wrong_name_is_told_before_anything_runs(tmp_path):
    done = CliRunner().invoke(sim, [*COMMON, "--render", "room.mov"])
    assert "must end in .mp4, .gif or .png" in str(done.exception)

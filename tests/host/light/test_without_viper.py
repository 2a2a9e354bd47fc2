"""A board whose MicroPython runs no machine code gets the same firmware as bytecode, and shows the same pixels."""

import subprocess

import pytest
from pulseweave import boards, micropython
from pulseweave.bench import release

SHOW = """
import sys
sys.path.insert(0, {room!r})
from room import Room
r = Room(30)
r.set(2600)
r.bpm = 72
r.run(6000)
print(bytes(r.strand.buf))
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """{viper: (release, what its firmware shows)}"""
    from pathlib import Path

    room = Path(__file__).parents[2] / "device" / "light"
    made = {}
    for viper in (True, False):
        place = tmp_path_factory.mktemp("viper" if viper else "plain")
        built = release.build(boards.load("virtual"), viper=viper)
        for name, data in built.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        line = [micropython.executable(), "-c", SHOW.format(room=str(room))]
        done = subprocess.run(
            line, capture_output=True, text=True, env=micropython.environment(place), timeout=60
        )
        made[viper] = built, done.stdout + done.stderr
    return made


def test_bytecode_runs_anywhere(shown):
    assert shown[False][0].native == 0 and shown[True][0].native != 0
    assert shown[False][0].id != shown[True][0].id


def test_the_pixels_are_the_same(shown):
    assert shown[True][1] == shown[False][1] and shown[True][1].startswith("b'")

"""Where strands hang, what eyes see, how a scene's light carries the level."""

import json

import numpy as np
import ports
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulseweave import boards
from pulseweave.paths import WORKER
from pulseweave.problem import Problem
from pulseweave.sim import room
from pulseweave.sim.plan import keys


@given(st.integers(1, 400), st.sampled_from(["canopy", "grid", "hall", "line"]), st.integers(1, 80))
def test_clusters_cover_the_room_and_stay_small(nodes, kind, largest):
    positions = room.layout(kind, nodes, 1.4)
    number = room.clusters(positions, largest)
    counts = np.bincount(number)
    assert positions.shape == (nodes, 3)
    assert counts.sum() == nodes and counts.min() >= 1 and counts.max() <= largest


def test_an_unknown_layout_is_said():
    with pytest.raises(Problem, match="canopy"):
        room.layout("heap", 3, 1.0)


def test_white_counts_as_light():
    strands = room.Strands(1, 2, "GRBW")
    strands.wire[:] = [0, 0, 0, 255]
    assert strands.luminance()[0] == pytest.approx(1.0)
    assert (strands.rgb() == 255).all()
    assert strands.current_ma()[0] == pytest.approx(2 * 21)


def showing(*levels: int):
    """The wire of strands of one white pixel each."""
    return np.array(levels, np.uint8)[:, None, None].repeat(3, 2)


def test_eyes_average_and_clip():
    strands = room.Strands(2, 1, "GRB")
    eyes = room.Eyes(strands, 25.5 / 255, 76.5 / 255)
    for wire in (showing(0, 51), showing(51, 204)):
        strands.wire = wire
        eyes.look()
    assert eyes.seen() == pytest.approx([0.0, 1.0])
    strands.wire = showing(51, 20)
    eyes.look()
    assert eyes.seen() == pytest.approx([0.5, 0.0])


def test_eyes_weigh_a_picture_by_how_long_it_stood():
    strands = room.Strands(1, 1, "GRB")
    eyes = room.Eyes(strands, 0.0, 1.0)
    for wire in (showing(255), showing(0)):
        strands.wire = wire
        for _ in range(1 if wire.any() else 3):
            eyes.look()
    assert eyes.seen() == pytest.approx([0.25])


def test_a_scene_without_a_message_says_nothing():
    strands = room.Strands(1, 1, "GRB")
    eyes = room.Eyes(strands, 0.0408, 0.0409)
    strands.wire = showing(128)
    eyes.look()
    assert eyes.seen() == [0.0]


SCRIPT = """
import sys
sys.path[:] = ["{worker}/shims", "{worker}", "{device}"] + sys.path
import json
import rehearsal
from fleet import Fleet
with open("{plan}") as f:
    fleet = Fleet(json.loads(f.read()))

class Mixed(rehearsal.Still):
    def __init__(self, case):
        own, collective, g = case
        super().__init__(own)
        self.collective, self.g = collective, g
        self.level = (1024 * own + 3072 * ((4096 - g) * collective >> 12)) >> 12

low, high = rehearsal.luminance(fleet, "hearth")
rehearsal.Still = Mixed
cases = {cases}
print(json.dumps([(x - low) / (high - low) for x in rehearsal.luminance(fleet, "hearth", cases)]))
"""


def test_the_light_that_is_seen_is_the_level(tmp_path):
    """Whatever makes up the level: a damped room must not look brighter than it is, or damping would not damp."""
    cases = [
        (0, 0, 0),
        (400, 400, 4096),
        (1800, 1800, 4096),
        (3000, 200, 4096),
        (200, 1800, 0),
        (4096, 4096, 0),
    ]
    plan = {
        "boards": {"virtual": boards.load("virtual").device_dict()},
        "network": keys(1, [1]),
        "nodes": [{"node": 1, "board": "virtual", "mac": "025057000001", "settings": {"node": 1}}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    text = SCRIPT.format(worker=WORKER, device=ports.DEVICE, plan=tmp_path / "plan.json", cases=cases)
    (tmp_path / "go.py").write_text(text)
    done = ports.unix(tmp_path / "go.py")
    assert done.returncode == 0, done.stderr
    for (own, collective, g), seen in zip(cases, json.loads(done.stdout), strict=True):
        level = (1024 * own + 3072 * ((4096 - g) * collective >> 12)) / 4096 / 4096
        assert seen == pytest.approx(level, abs=0.02), (own, collective, g)

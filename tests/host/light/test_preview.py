"""The preview of a scene: frames from the device code, a picture in the terminal, one clear line for a wrong name."""

import numpy as np
import pytest
from click.testing import CliRunner
from pulseweave.light.preview import picture, preview
from pulseweave.light.scene import SCENES, frames
from pulseweave.problem import Problem


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_shines(name):
    seen = np.stack(list(frames(name, 2, 20, 1)))
    assert seen.shape == (25, 2, 20, 3)
    assert seen.max() > 5 and seen.std() > 0


def test_more_level_is_more_light():
    dark, bright = (np.mean([f.mean() for f in frames("hearth", 1, 30, 2, level)]) for level in (0.0, 1.0))
    assert bright > 3 * dark


def test_unknown_scene():
    with pytest.raises(Problem, match=r"no scene 'disco'.*hearth"):
        next(frames("disco", 1, 10, 1))


def test_command_draws():
    done = CliRunner().invoke(preview, ["tide", "--seconds", "1", "--strands", "3", "--pixels", "9"])
    assert done.exit_code == 0 and done.output.count("▀") == 15
    assert picture(np.zeros((1, 2, 3), np.uint8)).count("▀") == 1

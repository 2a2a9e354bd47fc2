"""Rooms drawn: where strands land in the picture, what glows, and the files that come of it."""

import sys

import numpy as np
import pytest
from pulseweave.light.film import Film
from pulseweave.light.picture import Picture
from pulseweave.light.stand import Stand
from pulseweave.problem import Problem
from pulseweave.sim import room

TOPS = room.layout("canopy", 6, 1.4)


class Strands:
    """Six strands of 30 pixels; what a film asks of sim.room.Strands."""

    count = 30

    def __init__(self):
        self.light = np.zeros((6, 30, 3), np.uint8)

    def rgb(self):
        return self.light


@pytest.mark.parametrize("layout, nodes", [("canopy", 1), ("canopy", 24), ("line", 5), ("grid", 200)])
def test_every_strand_is_in_view(layout, nodes):
    tops = room.layout(layout, nodes, 1.4)
    stand = Stand(tops, 1.0, 640, 360)
    for points in (tops, tops - [0, 0, 1.0]):
        xy, far = stand.project(points)
        assert (far > 0.5).all()
        assert (xy >= 0).all() and (xy[:, 0] <= 640).all() and (xy[:, 1] <= 360).all()


def test_light_is_where_the_pixel_is():
    """One pixel alone: its place is the brightest of the picture, in its colour; the floor and the air have some of it."""
    tops = TOPS - [0, 0, 1.8]
    picture = Picture(tops, 30, 640, 360)
    dark = picture.draw(np.zeros((6, 30, 3), np.uint8)).astype(int)
    light = np.zeros((6, 30, 3), np.uint8)
    light[2, 10] = (0, 200, 30)
    for _ in range(20):
        image = picture.draw(light).astype(int)
    top = np.array([*tops[2, :2], max(tops[2, 2], picture.length + 0.25)])
    (x, y), _ = picture.stand.project(top - [0, 0, picture.length * (1 - 10.5 / 30)])
    row, column = divmod(int(image[..., 1].argmax()), 640)
    assert abs(row - y) <= 3 and abs(column - x) <= 2
    assert image[row, column, 1] > 2 * image[row, column, 0]
    gained = image[..., 1] - dark[..., 1]
    assert gained[row, min(639, column + 12)] > 2  # a glow around it
    (_, floor), _ = picture.stand.project(np.array([*tops[2, :2], 0.0]))
    assert gained[int(floor) + 5 :].max() > 2  # and in the floor


def test_brighter_strands_make_a_brighter_picture_and_eyes_linger():
    means = []
    for duty in (5, 30, 120):
        picture = Picture(TOPS, 30, 320, 180)
        means.append(picture.draw(np.full((6, 30, 3), duty, np.uint8)).mean())
    assert means[0] < means[1] < means[2]
    off = [picture.draw(np.zeros((6, 30, 3), np.uint8)).mean() for _ in range(12)]
    assert means[2] > off[0] > off[5] > off[11]


@pytest.mark.parametrize("name, module", [("a.mp4", "av"), ("b.gif", "PIL"), ("c.png", "PIL")])
def test_files_hold_the_pictures(name, module, tmp_path):
    library = pytest.importorskip(module)
    strands = Strands()
    film = Film(str(tmp_path / name))
    film.size = (160, 90)
    for k in range(50):
        strands.light[:] = min(255, 4 * k)
        film.tick(k, TOPS, strands)
    film.close()
    film.close()
    if module == "av":
        with library.open(str(tmp_path / name)) as made:
            pictures = [f.to_ndarray(format="rgb24") for f in made.decode(video=0)]
        assert len(pictures) == 25 and pictures[-1].mean() > pictures[0].mean() + 3
    else:
        from PIL import Image

        with Image.open(tmp_path / name) as made:
            assert made.size == (160, 90)
            assert getattr(made, "n_frames", 1) == (13 if name.endswith("gif") else 1)
            assert np.asarray(made.convert("RGB")).max() > 3


def test_wrong_names_and_missing_libraries_are_one_line(tmp_path, monkeypatch):
    with pytest.raises(Problem, match=r"must end in \.mp4, \.gif or \.png"):
        Film("room.avi")
    with pytest.raises(Problem, match="there is no folder"):
        Film(str(tmp_path / "nowhere" / "room.png"))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(Problem, match=r"pip install 'pulseweave\[film\]'"):
        Film(str(tmp_path / "room.mp4"))


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    pytest.importorskip("PIL")
    (tmp_path / "room.png").mkdir()
    film = Film(str(tmp_path / "room.png"))
    film.tick(0, TOPS, Strands())
    with pytest.raises(Problem, match="cannot write"):
        film.close()

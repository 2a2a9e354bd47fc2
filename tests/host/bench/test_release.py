"""A release: known by what is in it, made for one kind of board, of the firmware's files alone."""

import json

import pytest
from benchtools import small_tree
from pulseweave import boards
from pulseweave.bench import deploy, release
from pulseweave.problem import Problem

BOARD = boards.load("virtual")


def test_a_release_is_known_by_its_contents(tmp_path):
    one = release.build(BOARD)
    assert one.id == release.build(BOARD).id and "weave/node.mpy" in one.files and "main.py" in one.files
    assert one.native == 2 or one.native == 0  # machine code of this computer, where it is x64
    other = release.build(boards.load("esp32-devkit"))
    assert other.native == deploy.ARCH.index("xtensawin") and other.id != one.id
    assert json.loads(other.files["board.json"])["release"] == other.id
    tree = small_tree(tmp_path / "t", 1)
    (tree / "weave" / "one.py").write_text("def f(:\n")
    with pytest.raises(Problem, match=r"one\.py: does not compile"):
        release.build(BOARD, tree)
    with pytest.raises(Problem, match=r"main\.py is missing"):
        release.build(BOARD, tmp_path)


def test_what_editors_leave_in_a_tree_is_no_firmware(tmp_path):
    tree = small_tree(tmp_path / "t", 1)
    before = release.build(BOARD, tree).id
    (tree / "weave" / ".#one.py").symlink_to("somebody@here.1234")
    (tree / "weave" / "folder.py").mkdir()
    assert release.build(BOARD, tree).id == before
    (tree / "weave" / "four.py").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Problem, match=r"four\.py: a link to nothing"):
        release.build(BOARD, tree)
    with pytest.raises(Problem, match=r"main\.py is missing"):
        release.build(BOARD, tmp_path / ("x" * 300))

"""Few people, few minutes, labels of one kind, places that cannot be written: "-" or one clear line."""

import numpy as np
import pytest
from click.testing import CliRunner
from pulseweave.problem import Problem
from pulseweave.score import recordings, run, stress, train
from pulseweave.score.command import gather, score


def person(labels: list[int], seed: int = 1) -> stress.Windows:
    """A minute for each label, the features drawn by chance."""
    n, rng = len(labels), np.random.default_rng(seed)
    score, features, one = rng.random(n), rng.normal(size=(n, 4)), np.ones(n)
    task = np.array(["interview" if k else "rest" for k in labels], "U9")
    return stress.Windows(score, np.array(labels), task, one, 60.0 * np.arange(n), features, score)


LONG, SHORT = [0] * 6 + [1] * 6, [0, 0, 1, 1]


def write(folder, seconds: float, *segments):
    """A wrist's recording with (start, end, stress)."""
    folder.mkdir(parents=True, exist_ok=True)
    start, end, label = (np.array(c) for c in zip(*segments))
    t = np.arange(int(seconds * 64)) / 64
    np.savez(
        folder / "x.npz", bvp=60 * np.sin(2 * np.pi * 1.2 * t), bvp_fs=64.0, eda=np.full(int(seconds * 4), 3.0), eda_fs=4.0,
        seg_start=start, seg_end=end, seg_stress=label, seg_task=np.full(len(label), "rest"),
    )  # fmt: skip
    return folder


def refused(command, *words) -> str:
    with pytest.raises(Problem) as e:
        CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)
    assert e.value.code == 2 and "\n" not in str(e.value)
    return str(e.value)


@pytest.fixture
def no_work(monkeypatch):
    """What is to be refused is refused before the work."""
    monkeypatch.setattr(run, "one", lambda *_: pytest.fail("work was done"))


def test_who_has_too_few_minutes_to_turn_is_left_out_of_the_control():
    long, short = person(LONG), person(SHORT, 2)
    assert stress.shifted([long, long, short]) == stress.shifted([long, long])
    assert stress.shifted([short, short]) is None and stress.control([short]) == "-"
    assert stress.shifted([person([0] * 12)]) is None


def test_a_report_of_little():
    parts = [person(SHORT), person(SHORT, 2), person([])]
    words, figures = train.report(parts, ["a", "b", "nobody"])
    assert figures["n"] == 8 and "| control: labels turned in time, AUC | - |" in words
    assert "| nobody | - | - | 0 |" in words
    for w in parts:
        w.task[:] = "stroop"
    assert "| interview_auc | - |" in train.report(parts, ["a", "b", "nobody"])[0]


@pytest.mark.parametrize("labels", [([0] * 4, [0] * 4), ([0] * 4, [1] * 4)])
def test_labels_of_one_kind_cannot_be_learnt_from(labels):
    parts = [person(labels[0]), person(labels[1], 2)]
    with pytest.raises(Problem, match="all of one kind"):
        train.report(parts, ["a", "b"])


def test_training_needs_whole_minutes(tmp_path):
    for name in "ab":
        write(tmp_path / name, 60, (10, 40, 0))
    assert "no whole minute" in refused(train.train, tmp_path, "--out", tmp_path / "w.py")


def test_a_segment_long_before_the_recording(tmp_path):
    folder = write(tmp_path, 60, (-1e17, 50, 0))
    with pytest.raises(Problem, match="starts at -1e\\+17 s"):
        recordings.load(folder / "x.npz")


def test_folders_of_one_name_in_two_folders_are_two_people(tmp_path):
    for name in ("a/day", "b/day"):
        write(tmp_path / name, 60, (10, 40, 0))
    assert [r.name for r in gather(tmp_path, None)[1]] == ["a_day_x", "b_day_x"]


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path, no_work):
    data = write(tmp_path / "data", 60, (10, 40, 0))
    nowhere = tmp_path / "nowhere" / "x"
    assert "--json" in refused(score, data, "--json", nowhere)
    assert "--json" in refused(score, data, "--json", tmp_path)
    for option in ("--out", "--report", "--json"):
        words = [data, "--out", tmp_path / "w.py", option, nowhere]
        assert f"{nowhere}: cannot be written: choose another {option}" in refused(train.train, *words)


def test_a_dump_or_a_plot_that_cannot_be_written_is_one_line(tmp_path):
    pytest.importorskip("matplotlib")
    data = write(tmp_path / "data", 120, (10, 100, 0))
    for option, name in (("--dump", "x.csv"), ("--plot", "x.png")):
        (tmp_path / option / name).mkdir(parents=True)
        said = refused(score, data, option, tmp_path / option)
        assert name in said and f"name another {option} folder" in said


def test_a_weight_file_that_is_no_text_has_changed(tmp_path, monkeypatch):
    for name in "ab":
        write(tmp_path / name, 60, (10, 40, 0))
    out = tmp_path / "w.py"
    out.write_bytes(b"\xff\xfe")
    monkeypatch.setattr(stress, "windows", lambda _: person(SHORT))
    done = CliRunner().invoke(train.train, [str(tmp_path), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0 and "BIAS" in out.read_text()

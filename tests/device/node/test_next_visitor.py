"""Who has gone is forgotten by the whole node, also where a part has failed meanwhile: the next visitor is another."""

import json

import numpy as np
import ports
import pytest
from pulseweave import boards
from pulseweave.figures.stage import plan
from pulseweave.paths import ROOT, WORKER
from pulseweave.sim.body import Body
from pulseweave.sim.frontend import FrontEnd

SECONDS = 82
FIRST, NEXT, LAST = (2, 39), (41, 60), (71, SECONDS)  # seconds of touch; two without a hand, then eleven
PARTS = ROOT / "host" / "pulseweave" / "figures" / "parts"
TOUCHED, FAULT = 1, 8  # flags told to the room


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A folder with plan.json and the samples of synthetic bodies on one node."""
    board = boards.load("virtual").device_dict()
    body, front = Body(5, 1), FrontEnd(board, 5, 1)
    place = tmp_path_factory.mktemp("visitors")
    with (place / "samples.bin").open("wb") as f:
        for k in range(SECONDS * 10 + 10):
            here = np.array([any(a <= k / 10 < b for a, b in (FIRST, NEXT, LAST))])
            ppg, eda = body.step(k / 10, 0.1, np.full(1, 0.3), np.zeros(1), here)
            pulse, skin = front.convert(ppg, eda, here)
            f.write(np.asarray(pulse, "<u4").tobytes() + np.asarray(skin, "<u2").tobytes())
    (place / "plan.json").write_text(json.dumps(plan("virtual", board, 1)))
    return place


def seen(
    stage, broken: str = "", typed: dict | None = None, held: tuple = (), seconds: int = SECONDS
) -> list[dict]:
    """Runs visitors.py: what the node knew and told at the end of every second."""
    where = f"{str(WORKER)!r}, {str(ports.DEVICE)!r}, {str(PARTS)!r}"
    files = f"{str(stage / 'plan.json')!r}, {str(stage / 'samples.bin')!r}"
    go = stage / "go.py"
    go.write_text(
        f"import visitors\nvisitors.run({where}, {files}, {seconds}, {broken!r}, {typed or {}!r}, {held!r})\n"
    )
    done = ports.unix(go, paths=(ports.TESTS / "device" / "node",))
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("part", ["sense", "affect"])
def test_a_part_that_is_put_aside_forgets_its_visitor(stage, part):
    """The hand that comes when it runs again may be anybody's: another id, another baseline."""
    rows = seen(stage, part, {25: "raw"}, seconds=60)
    first = rows[28]
    assert first["contact"] == 1 and first["visitor"] and first["raw"] == 1 and first["bytes"] > 300, first
    for k in range(31, 37):
        row = rows[k]
        assert part in row["aside"], (k, row)
        assert row["visitor"] == row["arousal"] == row["told"] == row["raw"] == 0, (k, row)
        assert row["bytes"] < 50, (k, row)
        if part == "sense":
            assert row["contact"] == 0 and row["flags"] == FAULT, (k, row)
            assert row["measured"] == [0, 0, -1], (k, row)
    later = rows[58]
    assert not later["aside"] and later["contact"] == 1 and later["flags"] == TOUCHED, later
    assert later["visitor"] not in (0, first["visitor"]), (first, later)
    assert later["skin"] and later["skin"] != first["skin"], (first, later)
    assert later["heart"] and later["heart"] != first["heart"], (first, later)


def test_a_console_that_raises_ends_raw_samples(stage):
    """It does not see the hand leave: who said yes to them may be gone when it runs again."""
    rows = seen(stage, "console", {25: "raw"}, seconds=50)
    assert rows[28]["raw"] == 1 and rows[28]["bytes"] > 300, rows[28]
    for k in range(30, 50):
        assert rows[k]["raw"] == 0 and rows[k]["bytes"] < 50, (k, rows[k])
    assert rows[36]["aside"] == ["console"] and rows[48]["aside"] == [], (rows[36], rows[48])
    assert rows[36]["contact"] == rows[48]["contact"] == 1


def test_opting_out_ends_five_seconds_after_its_visitor_left(stage):
    """Not where the hand is lifted for two; and who comes next is told of and mediated again."""
    rows = seen(stage, held=(20,))
    assert rows[18]["opted_out"] == 0 and rows[18]["told"] and rows[18]["flags"] == TOUCHED, rows[18]
    assert rows[40]["contact"] == 0  # a short lift
    for k in range(22, 63):
        assert rows[k]["opted_out"] == 1 and rows[k]["told"] == rows[k]["flags"] == 0, (k, rows[k])
    for k in range(67, SECONDS):
        assert rows[k]["opted_out"] == 0, (k, rows[k])
    last = rows[SECONDS - 1]
    assert last["contact"] == 1 and last["told"] and last["flags"] == TOUCHED, last


def test_who_opts_out_a_moment_before_touching_is_opted_out(stage):
    """Ten seconds after the last visitor left are just over then."""
    rows = seen(stage, held=(69,))
    for k in range(70, SECONDS):
        assert rows[k]["opted_out"] == 1 and rows[k]["told"] == 0, (k, rows[k])

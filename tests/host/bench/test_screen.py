"""The console's screen: what is known of a node, drawn to fit."""

import os

import pytest
from pulseweave.bench.console import link, view
from pulseweave.bench.console.model import Model
from rich.console import Console

STATE = {"ms": 5000, "contact": 1, "bpm": 72.0, "rmssd_ms": 40, "arousal": 0.4, "level": 0.5, "g": 0.2, "ratio": 1.5,
         "skin_us": 4.0, "skin_ok": 1, "scene": 1, "ma": 300, "confidence": 0.8, "neighbours": 2, "synced": 1}  # fmt: skip


def model() -> Model:
    m = Model("/dev/ttyX")
    m.take(
        "answer", ("status", {"node": 3, "name": "fern", "board": "virtual", "release": "abcd", "up_s": 65})
    )
    m.take("answer", ("scene", {"scene": "tide", "scenes": ["hearth", "tide", "identify", "fault"]}))
    m.take(
        "answer",
        (
            "mesh",
            [{"node": 3, "age": 0, "arousal": 0.4, "g": 0.2}, {"node": 9, "age": 700, "arousal": 1, "g": 0}],
        ),
    )
    for i in range(70):
        m.take("state", {**STATE, "arousal": i / 70})
        m.take("beat", {"ibi_ms": 800 + i})
    m.take("text", "hello")
    m.take("crash", {"part": "sense", "text": "Traceback\nValueError: x", "boot": 1, "up_s": 2})
    return m


def drawn(m: Model, width: int, height: int, **kw) -> str:
    screen = Console(width=width, height=height, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    screen.print(view.screen(m, link.LIVE, "", width, height, **kw))
    return screen.export_text()


def test_answers_that_nobody_here_asked_for_stay_off_the_screen():
    m = model()
    m.take("answer", ("", "watch 3"))
    m.take("answer", ("status", {"node": 3, "board": "virtual-max30102"}))
    m.take("answer", ("?", ["status", "watch"]))
    text = drawn(m, 120, 40)
    assert "watch 3" not in text and "? →" in text and "virtual-max30102" in text


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (80, 40), (120, 30), (200, 60)])
def test_the_screen_fits_and_says_what_it_knows(width, height):
    text = drawn(model(), width, height)
    rows = text.rstrip("\n").split("\n")
    assert max(map(len, rows)) <= width
    for word in ("fern", "72 bpm", "♥", "arousal", "tide", "█", "1 crash notes", "hello", "0.7 s", "q quit"):
        assert word in text, word
    assert "fault" not in text
    assert len(rows) <= height, (len(rows), height)
    assert "ValueError: x" in drawn(model(), width, height, pane="crash")
    assert ": scene ti█" in drawn(model(), width, height, typed="scene ti")


def test_a_terminal_as_it_opens_shows_all_of_it():
    """80 x 24 with a long name, a release, a crowd and a fault of the line: the keys stay on the screen."""
    m = model()
    m.take("answer", ("status", {"node": 3, "name": "fern & moss by the door", "board": "virtual", "role": "node",
                                 "release": "0a897b43af964a87", "up_s": 4}))  # fmt: skip
    m.take(
        "answer", ("scene", {"scene": "tide", "scenes": ["hearth", "tide", "murmuration", "echo", "vigil"]})
    )
    m.take("answer", ("mesh", [{"node": i, "age": 900, "arousal": 0.4, "g": 0.2} for i in range(1, 30)]))
    m.state["limited"] = 1
    screen = Console(width=80, height=24, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    screen.print(view.screen(m, link.GONE, "ttyX: vanished in the middle: " + "check cable " * 9, 80, 24))
    rows = screen.export_text().rstrip("\n").split("\n")
    assert len(rows) <= 24 and "q quit" in rows[-1] and "unplugged" in rows[1], rows


def test_noise_on_the_line_does_not_tear_the_frame():
    """Bytes that are no text become letters of any script by chance; some are wide, some run from right to left."""
    m = model()
    for line in ("gr\u00fcn, as it should be", "\ufffd\u05d0\u0e33k\u0300\uffff\ufffd noise", "\u4e00\ufffd"):
        m.take("text", line)
    text = drawn(m, 80, 30)
    assert "gr\u00fcn" in text and "\u00b7\u00b7\u00b7k\u00b7\u00b7\u00b7 noise" in text
    assert all(len(row) == 80 for row in text.partition("─ log ")[2].split("\n") if row.startswith("│"))


def test_an_empty_model_can_be_drawn():
    text = drawn(Model("/dev/ttyX"), 80, 24)
    assert "nobody is touching" in text and "nobody yet" in text


def test_sparklines():
    assert view.spark([0, 1], 0, 1, 2) == "▁█" and view.spark([None, 1, 0], 0, 1, 4) == "  █▁"
    assert view.spark([], width=3) == "   " and view.spark([5, 5], width=2) == "▁▁"
    assert view.bar(0.5, 4) == "██  " and view.bar(2, 2) == "██" and view.bar(-1, 2) == "  "

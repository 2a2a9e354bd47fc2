"""Crash notes of a node that is on no cable, through another node of its mesh."""

import contextlib
import json
import threading
import time

import pytest
from benchtools import pulseweave, until
from pulseweave.bench import nodes, talk
from pulseweave.bench.console.link import Link
from pulseweave.problem import Problem


def test_notes_are_read_through_another_node(power, tmp_path):
    net = tmp_path / "net.json"
    pulseweave("network", "new", net)
    a, b = (power(name, "--network", str(net)) for name in "ab")

    def status(board) -> dict:
        try:
            return talk.must(board.port, "status")
        except Problem:
            return {}

    here = until(lambda: status(a).get("node"), 30, 0.5)
    there = until(lambda: status(b).get("node"), 30, 0.5)
    until(lambda: status(a).get("neighbours"), 40, 0.5)
    talk.must(a.port, f"mesh {there}")  # its answer, which is no text, lies there when notes are asked for
    said = pulseweave("crash", "--port", a.port, "--node", there, "--json", "-")
    assert json.loads(said.stdout) == {"port": a.port, "node": there, "mesh": True, "notes": []}
    who = until(lambda: talk.must(a.port, f"crash {there}").get("notes"), 20, 1.5)
    release = talk.must(b.port, "status").get("release")
    assert who == f"{there} {(release or 'None')[:8]} virtual\n"
    b.mpremote("exec", "--no-follow", "import machine; machine.reset()")  # a reset nobody asked for
    until(lambda: (notes := talk.ask(b.port, "crash")) and notes[-1]["text"] == "crash", 30, 0.5)

    def heard() -> str:
        done = pulseweave("crash", "--port", a.port, "--node", there, code=None)
        return done.stdout if done.returncode == 0 else ""

    assert "crash" in until(heard, 60, 1)
    own = json.loads(pulseweave("crash", "--port", a.port, "--json", "-").stdout)
    assert own["notes"] == [] and not own["mesh"] and here != there
    said = pulseweave("crash", "--port", a.port, "--node", there, "--clear", code=2).stderr
    assert "its own cable" in said


@pytest.mark.parametrize(
    ("said", "notes"),
    [
        ("none", []),
        ("3 boot : crash\n", [{"boot": 3, "part": "boot", "marks": "", "text": "crash"}]),
        (
            "3 boot ab: watchdog\n12 sense abc: in step\nOSError: 5\n",
            [
                {"boot": 3, "part": "boot", "marks": "ab", "text": "watchdog"},
                {"boot": 12, "part": "sense", "marks": "abc", "text": "in step\nOSError: 5"},
            ],
        ),
        ("3 boot ab: watchdog\n12 sen", [{"boot": 3, "part": "boot", "marks": "ab", "text": "watchdog\n12 sen"}]),
    ],
)  # fmt: skip
def test_short_notes(said, notes):
    assert nodes.brief(said) == notes


def test_a_node_is_found_behind_its_console_and_a_port_that_fails_says_why(power, monkeypatch):
    b = power()
    node = until(lambda: (talk.ask(b.port, "status") or {}).get("node"), 30, 0.5)
    with contextlib.closing(Link(b.port)) as console:
        lending = threading.Event()

        def lend():
            while not lending.is_set():
                console.poll()
                time.sleep(0.05)

        keeper = threading.Thread(target=lend)
        keeper.start()
        monkeypatch.setenv("PULSEWEAVE_PORTS", b.port)
        said = until(
            lambda: json.loads(pulseweave("status", "--node", node, "--json", "-", code=None).stdout or "{}"),
            30,
        )
        lending.set()
        keeper.join()
    assert said["node"] == node
    for command in ("status", "identify", "crash"):
        said = pulseweave(command, "--port", "/dev/ttyNONE", "--node", node, code=2).stderr
        assert "/dev/ttyNONE: no such port" in said

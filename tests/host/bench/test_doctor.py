"""selftest, crash and doctor say what is wrong with a board."""

import io
import json
import threading
import time
from contextlib import suppress

import pytest
import serial
from benchtools import pulseweave, small_tree, until
from pulseweave.bench import doctor, nodes, selftest
from pulseweave.bench.ledger import Ledger
from rich.console import Console
from settled import running, strand


def self_test(board, code: int):
    """A self-test, and the colours the strand showed meanwhile."""
    shown, on = [], True

    def look():
        while on:
            with suppress(OSError, IndexError):
                if not shown or strand(board) != shown[-1]:
                    shown.append(strand(board))
            time.sleep(0.02)

    eye = threading.Thread(target=look)
    eye.start()
    done = pulseweave("selftest", "--port", board.port, code=code)
    on = False
    eye.join()
    return done, shown


def test_selftest_fails_on_strand_and_screen_where_a_sensor_is_off(power, tmp_path):
    b = power()
    done, shown = self_test(b, 0)
    assert "PASS" in done.stdout and {(0, 24, 0)} in shown and {(24, 0, 0)} in shown  # a walk begins with red
    assert shown[-1] != {(24, 0, 0)}
    # the pulse sensor's wire hangs at ground: all samples of the modelled front end are zero
    b.cut()
    b.arguments += ["--unplug", "pulse"]
    b.start()
    done, shown = self_test(b, 1)
    assert "FAIL" in done.stdout and "hangs at ground" in done.stderr
    assert {(24, 0, 0)} in shown[shown.index({(0, 0, 0)}) :]  # red again after the walk
    assert Ledger().events[-1]["verdict"] == "failed"
    assert (
        "no firmware on this board"
        in pulseweave("selftest", "--port", power("blank", "--blank").port, code=2).stderr
    )


def test_crash_notes_and_safe_mode(power, tmp_path):
    b = power("b")
    assert "no crash notes" in pulseweave("crash", "--port", b.port).stdout
    for k in range(5):  # five resets nobody asked for, each soon after the node has begun
        if k:
            running(b)
        b.mpremote("exec", "--no-follow", "import machine; machine.reset()")
    with serial.Serial(b.port, 115200, timeout=0.1) as line:
        said = b""

        def heard():
            nonlocal said
            said += line.read(4096)
            return b"safe mode" in said

        until(heard, 30)
    found = doctor.examine(b.port)  # who looks lets it try once more
    assert any(
        f[0] == "fault" and "safe mode: 5 crash boots in a row, the last in boot" in f[1] for f in found
    )
    assert any("place in the room" in f[1] for f in found)
    notes = json.loads(pulseweave("crash", "--port", b.port, "--json", "-").stdout)["notes"]
    assert notes and notes[-1]["part"] == "boot" and notes[-1]["text"] == "crash"
    pulseweave("crash", "--port", b.port, "--clear")


def test_doctor_says_what_is_missing(power, tmp_path):
    blank = power("blank", "--blank")
    found = doctor.examine(blank.port)
    assert ("fault", "no firmware on it", "pulseweave deploy") in found
    pulseweave("doctor", "--port", blank.port, code=1)
    found = doctor.examine("/dev/ttyNONE")
    assert found[0][:2] == ("fault", "no such port")
    tree = small_tree(tmp_path / "t", 1)
    other = power("other", "--firmware", str(tree))
    assert "no firmware on this board" not in pulseweave("doctor", "--port", other.port, code=1).stdout


def test_what_a_node_says_of_itself_is_no_markup(monkeypatch, capsys):
    found = doctor.Findings([("fault", "node 3 up [/left] runs", "")])
    monkeypatch.setattr(doctor, "examine", lambda *_: found)
    with pytest.raises(SystemExit):
        doctor.doctor(["--port", "x"])
    assert "up [/left]" in capsys.readouterr().out
    screen = Console(record=True, width=80, file=io.StringIO())
    screen.print(selftest.sheet([selftest.Verdict("strand", True, "[/red] shown")], "x"))
    screen.print(nodes.card({"part": "sense", "text": "x", "boot": 1, "marks": "[/red]"}))
    said = screen.export_text()
    assert "[/red] shown" in said and "events [/red]" in said

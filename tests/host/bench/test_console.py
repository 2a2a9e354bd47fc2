"""The console: streams decoded and shown, comes back, lends its port; raw and JSON; garbage never hurts."""

import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import threading
import time

import pytest
from benchtools import pulseweave, until
from pulseweave import ports, serial_link
from pulseweave.bench.console import link
from pulseweave.bench.console.link import Link
from pulseweave.problem import Problem


def collect(made: Link, seconds: float) -> list:
    end, out = time.monotonic() + seconds, []
    while time.monotonic() < end:
        out += made.poll()
        time.sleep(0.02)
    return out


def test_a_node_is_watched_loses_its_cable_and_comes_back(power):
    b = power()
    made = Link(b.port)
    seen = []
    until(lambda: seen.extend(made.poll()) or any(k == "state" for k, _ in seen), 30, 0.05)
    until(lambda: seen.extend(made.poll()) or any(k == "beat" for k, _ in seen), 30, 0.05)
    made.ask("scene tide")
    until(
        lambda: seen.extend(made.poll()) or any(k == "answer" and v[0] == "scene tide" for k, v in seen),
        20,
        0.05,
    )
    status = next(v[1] for k, v in seen if k == "answer" and v[0] == "status")
    assert status["board"] == "virtual"
    b.cut()
    until(lambda: seen.extend(made.poll()) or made.state == link.GONE, 10, 0.05)
    assert "vanished" in made.why or "no such port" in made.why
    b.start()
    seen.clear()
    until(lambda: seen.extend(made.poll()) or any(k == "state" for k, _ in seen), 40, 0.05)
    assert made.connections == 2
    # another bench wants the port, gets it, and the console has it back afterwards
    got, enough = threading.Event(), threading.Event()

    def other():
        with ports.Claim(b.port, "flash"):
            got.set()
            enough.wait(10)

    worker = threading.Thread(target=other)
    worker.start()
    until(lambda: seen.extend(made.poll()) or got.is_set(), 10, 0.02)
    assert made.state == link.LENT and made.line is None
    enough.set()
    worker.join()
    seen.clear()
    until(lambda: seen.extend(made.poll()) or any(k == "state" for k, _ in seen), 20, 0.05)
    made.close()
    # it left the node without streams
    with ports.open_line(b.port) as line:
        time.sleep(1.5)
        line.reset_input_buffer()
        time.sleep(2)
        assert line.in_waiting == 0


def test_json_lines_and_commands_by_pipe_and_a_log(power, tmp_path):
    b = power()
    log = tmp_path / "log.jsonl"
    line = ["console", "--port", b.port, "--json", "--log", str(log)]
    child = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", *line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out = ""

    def hear(what: str) -> None:
        nonlocal out
        while what not in out:
            said = child.stdout.readline()
            assert said, (out, child.stderr.read())
            out += said

    hear('"state"')
    child.stdin.write("config name\nnonsense\n")
    child.stdin.flush()
    hear('"config name"')
    hear('"nonsense"')
    child.send_signal(signal.SIGINT)
    out += child.communicate(timeout=60)[0]
    lines = [json.loads(x) for x in out.splitlines()]
    kinds = {x["kind"] for x in lines}
    assert {"state", "answer"} <= kinds
    answers = {x["question"]: x["answer"] for x in lines if x["kind"] == "answer"}
    assert answers["config name"]["name"] == "" and "unknown command" in answers["nonsense"]["error"]
    assert [json.loads(x) for x in log.read_text().splitlines()][: len(lines)] == lines
    assert child.returncode == 0


def test_raw_is_a_plain_terminal(power):
    b = power("b", "--blank")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", "console", "--port", b.port, "--raw"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    heard = b""

    def hear(what: bytes):
        nonlocal heard
        end = time.monotonic() + 15
        while what not in heard:
            assert time.monotonic() < end, heard
            if select.select([ours], [], [], 0.1)[0]:
                heard += os.read(ours, 4096)

    hear(b"Ctrl-] leaves")
    os.write(ours, b"\r")
    hear(b">>> ")
    os.write(ours, b"6*7\r")
    hear(b"42")
    os.write(ours, b"while True: pass\r\r")
    time.sleep(0.5)
    os.write(ours, b"\x03")
    hear(b"KeyboardInterrupt")
    os.write(ours, b"\x1d")
    assert child.wait(10) == 0
    os.close(ours)
    os.close(theirs)


def test_garbage_is_survived_and_what_is_sound_comes_through():
    """As much as a line carries in 60 s at 115200 baud, with a frame and a line of text every now and then."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    made = Link(os.ttyname(theirs))
    rng = random.Random(7)
    sent = seen = texts = 0
    total = 60 * 11520
    done = 0
    while done < total:
        junk = rng.randbytes(rng.randrange(200, 3000))
        done += len(junk)
        sent += 1
        frame = serial_link.encode_frame(serial_link.BEAT, sent, bytes(10))
        data = junk + b"\0" + frame + b"a sound line\n\0"
        while data:
            try:
                data = data[os.write(ours, data) :]
            except BlockingIOError:
                pass
            for kind, value in made.poll():
                seen += kind == "beat"
                texts += kind == "text" and "a sound line" in value
    for kind, value in collect(made, 0.5):
        seen += kind == "beat"
        texts += kind == "text" and "a sound line" in value
    assert seen >= sent and texts >= sent  # nothing is lost but the garbage
    made.close()
    os.close(ours)


def test_behind_its_name_is_another_port_after_the_cable_was_out(tmp_path):
    name = tmp_path / "board"
    (first, its), (second, other) = pty.openpty(), pty.openpty()
    name.symlink_to(os.ttyname(its))
    made = Link(str(name), streams=False)
    name.unlink()
    os.close(its)
    os.close(first)
    until(lambda: made.poll() is None or made.state == link.GONE, 5, 0.02)
    name.symlink_to(os.ttyname(other))
    until(lambda: made.poll() is None or made.connections == 2, 5, 0.02)
    with pytest.raises(Problem, match="in use by pulseweave console"):
        ports.Claim(os.ttyname(other), "console", yields=True).__enter__()
    made.close()
    with ports.Claim(os.ttyname(other), "flash"):
        pass
    os.close(second)
    os.close(other)


def test_bad_input(tmp_path):
    assert "exclude each other" in pulseweave("console", "--port", "x", "--raw", "--json", code=2).stderr
    assert "no such port" in pulseweave("console", "--port", "/dev/ttyNONE", "--json", code=2).stderr
    ours, theirs = pty.openpty()
    said = pulseweave(
        "console", "--port", os.ttyname(theirs), "--json", "--log", tmp_path / "no" / "x", code=2
    ).stderr
    assert "--log another file" in said
    with ports.Claim(os.ttyname(theirs), "flash"):
        said = pulseweave("console", "--port", os.ttyname(theirs), "--json", code=2).stderr
    assert "in use by pulseweave flash" in said
    os.close(ours)


def test_the_log_of_a_raw_terminal_has_what_it_showed(tmp_path):
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", "console", "--port", os.ttyname(theirs), "--raw", "--log", tmp_path / "l"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: ports.Claim(os.ttyname(theirs), "test")._holder().get("what") == "console")
    frame = serial_link.encode_frame(serial_link.LOG, 1, b"\1\1in a frame")
    os.write(ours, b"plain words\r\n" + frame + b"the rest")
    until(lambda: "in a frame" in (tmp_path / "l").read_text())
    child.send_signal(signal.SIGINT)
    out = child.communicate(timeout=20)[0]
    assert b"plain words" in out
    said = [json.loads(x)["text"] for x in (tmp_path / "l").read_text().splitlines()]
    assert said == ["plain words", "in a frame", "the rest"]
    os.close(ours)
    os.close(theirs)


def test_a_question_that_no_line_holds_is_answered_here():
    ours, theirs = pty.openpty()
    made = Link(os.ttyname(theirs))
    made.ask("scene " + "x" * 250)
    said = until(lambda: [v for k, v in made.poll() if k == "note"], 5, 0.02)
    assert "longer than the board's" in said[0] and made.line
    made.close()
    os.close(ours)
    os.close(theirs)


def test_zero_is_not_nothing():
    ours, theirs = pty.openpty()
    began = time.monotonic()
    pulseweave("console", "--port", os.ttyname(theirs), "--json", "--seconds", 0)
    assert time.monotonic() - began < 20
    for words in (("console", "--baud", "0"), ("doctor", "--baud", "-1"), ("calibrate", "--baud", "9999999")):
        said = pulseweave(words[0], "--port", os.ttyname(theirs), *words[1:], code=2).stderr
        assert "not in the range 300<=x<=4000000" in said
    os.close(ours)
    os.close(theirs)

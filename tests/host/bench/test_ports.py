"""Ports: which there are, who has one, and how two who want the same come to an end."""

import fcntl
import os
import pty
import subprocess
import sys
import threading
import time

import pytest
import serial
from benchtools import until
from pulseweave import ports
from pulseweave.bench import batch
from pulseweave.figures.parts.mock_chip import free_port
from pulseweave.problem import Problem


def test_busy_names_who_has_the_port_not_the_board_behind_it(desk):
    d = desk()
    code = f"import serial, time; s = serial.Serial({d.port!r}, exclusive=True); print('has it', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout and other.stdout.readline()
        with pytest.raises(Problem, match=rf"busy, \S+ \(pid {other.pid}\) has it open"):
            ports.open_line(d.port)
    finally:
        other.kill()
        other.wait()


def test_an_address_without_a_port_is_said_to_be_one():
    for address in ("socket://nowhere", "rfc2217://nowhere"):
        with pytest.raises(Problem, match="not a port address: use socket://HOST:PORT"):
            ports.open_line(address)


def test_port_busy_missing_forbidden_and_not_a_port(tmp_path):
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    with serial.Serial(name, exclusive=True), pytest.raises(Problem, match=r"busy.*close the other program"):
        ports.open_line(name)
    with pytest.raises(Problem, match="no such port"):
        ports.open_line("/dev/ttyNONE")
    (tmp_path / "file").write_text("x")
    with pytest.raises(Problem, match="not a serial port"):
        ports.open_line(str(tmp_path / "file"))
    with pytest.raises(Problem, match="nobody listens"):
        ports.open_line(f"socket://127.0.0.1:{free_port()}")
    with pytest.raises(Problem, match="not a port address"):
        ports.open_line("nonsense://x")
    if os.getuid() == 0:
        os.chown(name, 0, 20)
        os.chmod(name, 0o660)
        code = (
            "import os, sys\nfrom pulseweave import ports\nfrom pulseweave.problem import Problem\n"
            "os.setgroups([]); os.setegid(65534); os.seteuid(65534)\n"
            "try: ports.open_line(sys.argv[1])\nexcept Problem as e: print(e)"
        )
        said = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True).stdout
        assert "no permission: the port belongs to group dialout" in said and "usermod -aG dialout" in said
    else:
        assert "belongs to group" in ports.explain(name, PermissionError(13, "Permission denied"))
    os.close(ours)
    os.close(theirs)


def test_two_benches_on_one_port():
    with ports.Claim("/dev/ttyX", "flash"):
        with (
            pytest.raises(Problem, match=r"in use by pulseweave flash \(pid \d+\): wait"),
            ports.Claim("/dev/ttyX", "deploy"),
        ):
            pass
        with ports.Claim("/dev/ttyY", "deploy"):
            pass
    with ports.Claim("/dev/ttyX", "deploy"):
        pass


def test_a_bench_that_asks_while_a_console_looks_for_wishes_gets_the_port():
    console = ports.Claim("/dev/ttyX", "console", yields=True)
    console.__enter__()
    looking = console._take(console._wish, fcntl.LOCK_SH)  # wanted(), stopped in the middle
    threading.Timer(0.05, looking.close).start()
    threading.Timer(0.1, console.release).start()
    with ports.Claim("/dev/ttyX", "flash"):
        pass


def test_a_console_lets_go_and_comes_back():
    console = ports.Claim("/dev/ttyX", "console", yields=True)
    console.__enter__()
    turns = []

    def flash():
        with ports.Claim("/dev/ttyX", "flash"):
            turns.append("flash")
            time.sleep(0.2)
            turns.append("done")

    worker = threading.Thread(target=flash)
    worker.start()
    until(console.wanted)
    console.release()
    until(console.take)
    assert turns == ["flash", "done"]
    worker.join()
    console.release()


def test_which_ports(monkeypatch, tmp_path):
    monkeypatch.setattr(ports, "listed", lambda: [])
    with pytest.raises(Problem, match="no board is plugged in"):
        ports.chosen((), True)
    assert ports.chosen(("a", "b", "a"), False) == ["a", "b"]
    monkeypatch.setattr(ports, "listed", lambda: [ports.Port("a", ""), ports.Port("b", "")])
    assert ports.chosen((), True) == ["a", "b"]
    with pytest.raises(Problem, match="choose with --port"):
        ports.chosen((), False)
    with pytest.raises(Problem, match="--jobs"):
        batch.run(["a"], lambda *_: batch.Result("a", "ok"), 0)


def test_ports_can_be_named_by_pattern(monkeypatch, tmp_path):
    for n in "ab":
        (tmp_path / f"{n}.tty").touch()
    monkeypatch.setenv("PULSEWEAVE_PORTS", f"{tmp_path}/*.tty socket://127.0.0.1:1")
    found = [p.device for p in ports.listed()]
    assert {str(tmp_path / "a.tty"), str(tmp_path / "b.tty"), "socket://127.0.0.1:1"} <= set(found)

"""Lines to gateways: a port belongs to one command at a time and is lent; what is no simulation is said."""

import contextlib
import os
import socket
import threading
import time

import pytest
from pulseweave import ports
from pulseweave.gather.line import LineLost, open_line, simulation
from pulseweave.gather.web.address import address
from pulseweave.problem import Problem


@pytest.fixture
def port(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ours, theirs = os.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_a_port_is_claimed_and_lent_to_who_asks_for_it(port):
    line = open_line(port)
    with pytest.raises(LineLost, match="another command uses it"):
        open_line(port)
    asked, done = threading.Event(), threading.Event()
    trouble = []

    def status():
        try:
            with ports.Claim(port, "status"):
                asked.set()
                done.wait(5)
        except Problem as e:
            trouble.append(e)
            asked.set()

    thread = threading.Thread(target=status)
    thread.start()
    try:
        with pytest.raises(LineLost, match="lent"):
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert line.read() == b""
        line.close()
        assert asked.wait(5) and not trouble
        with pytest.raises(LineLost, match="another command"):
            open_line(port)
    finally:
        done.set()
        thread.join()
        line.close()
    open_line(port).close()


def test_a_port_that_cannot_be_opened_is_not_kept(port):
    with pytest.raises(LineLost):
        open_line(port + "0000")
    assert ports.Claim(port + "0000", "status").take()


def test_what_speaks_something_else_is_no_simulation():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.recv(1000)
                connection.close()

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(Problem, match="no simulation there"):
            simulation(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize("port", ["²", "\uff18\uff10", ""])
def test_ports_are_plain_digits(port):
    with pytest.raises(Problem, match="write HOST:PORT"):
        simulation(f"127.0.0.1:{port}")
    with pytest.raises(Problem, match="write HOST:PORT"):
        address(f"127.0.0.1:{port}")

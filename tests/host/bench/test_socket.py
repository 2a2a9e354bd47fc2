"""Ports are anything pyserial opens: the same commands over socket://."""

import contextlib
import json
import os
import select
import socket
import threading

import pytest
import serial
from benchtools import pulseweave, until
from pulseweave.bench.console.link import Link


@pytest.fixture
def bridge():
    """Serves a tty on a TCP port, one client after another; returns its URL."""
    stop = threading.Event()

    def serve(tty: str) -> str:
        server = socket.create_server(("127.0.0.1", 0))

        def run():
            while not stop.is_set():
                if not select.select([server], [], [], 0.1)[0]:
                    continue
                client, _ = server.accept()
                with client, serial.Serial(tty, 115200, timeout=0) as line, contextlib.suppress(OSError):
                    while not stop.is_set():
                        ready, _, _ = select.select([client, line], [], [], 0.1)
                        if line in ready:
                            client.sendall(line.read(4096))
                        if client in ready:
                            data = client.recv(4096)
                            if not data:
                                break
                            line.write(data)

        threading.Thread(target=run, daemon=True).start()
        return f"socket://127.0.0.1:{server.getsockname()[1]}"

    yield serve
    stop.set()


def test_every_command_over_a_socket(power, bridge, tmp_path):
    b = power()
    url = bridge(os.path.realpath(b.port))
    said = json.loads(
        pulseweave("deploy", "--port", url, "--board", "virtual", "--wait", "--json", "-").stdout
    )
    assert said["boards"][0]["verdict"] == "ok"
    pulseweave("network", "new", tmp_path / "net.json")
    pulseweave("provision", "--port", url, "--network", tmp_path / "net.json", "--node", 5, "--test")
    up = until(
        lambda: json.loads(pulseweave("status", "--port", url, "--json", "-", code=None).stdout or "{}"), 30
    )
    assert up["node"] == 5
    made, seen = Link(url), []
    until(lambda: seen.extend(made.poll()) or sum(k == "state" for k, _ in seen) > 2, 30, 0.05)
    made.close()


def test_where_no_claim_can_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    said = pulseweave("status", "--port", "/dev/ttyNONE", code=2).stderr
    assert "cannot be written" in said and "set XDG_RUNTIME_DIR" in said


def test_a_port_of_bytes_that_are_no_text_is_one_line():
    assert (
        "no such port"
        in pulseweave("status", "--port", b"/tmp/\xff".decode(errors="surrogateescape"), code=2).stderr
    )

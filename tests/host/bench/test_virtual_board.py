"""The virtual board: what a technician's tools do with a board, done to the unix port; plain mpremote, no `resume`."""

import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from pulseweave import boards
from pulseweave import serial_link as link
from pulseweave.air import Air
from pulseweave.bench.interpreter import Newlines
from pulseweave.bench.virtual_board import prepare
from pulseweave.network import Network

serial = pytest.importorskip("serial")
MAIN = """
import sys, time, machine
print("boot cause", machine.reset_cause())
n = 0
try:
    while True:
        time.sleep_ms(20)
        n += 1
        if n % 25 == 0:
            print("tick")
except KeyboardInterrupt:
    print("stopped")
"""


class Line(serial.Serial):
    """A board's port, with `until`."""

    waiting = b""

    def __init__(self, board):
        super().__init__(board.port, 115200, timeout=0.05)

    def until(self, what: bytes, seconds=15.0) -> bytes:
        """What came up to and with `what`; the rest waits for the next call."""
        data, end = self.waiting, time.monotonic() + seconds
        while what not in data:
            assert time.monotonic() < end, data[-500:]
            data += self.read(4096)
        at = data.index(what) + len(what)
        self.waiting = data[at:]
        return data[:at]


def test_plain_mpremote_works(power, tmp_path):
    b = power("board", "--blank")
    text = tmp_path / "hello.txt"
    text.write_text("hällo\n" * 500)
    b.mpremote("cp", str(text), ":hello.txt")
    assert "hello.txt" in b.mpremote("ls")
    b.mpremote("cp", ":hello.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == text.read_text()
    assert b.mpremote("exec", "print(6 * 7)").strip() == "42"
    assert "hello.txt" in b.mpremote("sha256sum", ":hello.txt")
    b.mpremote("exec", "keep = 5")
    b.mpremote("soft-reset")
    assert b.mpremote("resume", "exec", "print('keep' in globals())").strip() == "False"
    assert b.mpremote("mkdir", ":a", "+", "cp", str(text), ":a/x", "+", "ls", "a").endswith("3500 x\n")
    assert b.mpremote("exec", "import machine; print(machine.unique_id().hex())").strip()[:6] == "025642"


def test_a_board_keeps_its_flash_and_nvs(power, tmp_path):
    b = power("board", "--blank")
    b.mpremote("exec", "with open('/x', 'w') as f: f.write('kept')")
    b.mpremote(
        "exec",
        "import esp32; n = esp32.NVS('t'); n.set_i32('i', -7); n.set_blob('b', b'\\x00\\xff'); n.commit()",
    )
    mac = b.mpremote("exec", "import machine; print(machine.unique_id())")
    b.cut()
    b.start()
    assert b.mpremote("exec", "print(open('/x').read())").strip() == "kept"
    got = b.mpremote(
        "exec",
        "import esp32; n = esp32.NVS('t'); b = bytearray(2); n.get_blob('b', b); print(n.get_i32('i'), b)",
    )
    assert got.strip() == "-7 bytearray(b'\\x00\\xff')"
    assert b.mpremote("exec", "import machine; print(machine.unique_id())") == mac


def test_only_its_owner_may_read_the_keys_of_a_board(tmp_path):
    Network.create("hall").save(tmp_path / "hall.json")
    (tmp_path / "b").mkdir()
    prepare(tmp_path / "b", boards.load("virtual"), None, False, tmp_path / "hall.json")
    assert stat.S_IMODE((tmp_path / "b" / "nvs.json").stat().st_mode) == 0o600


def test_main_runs_stops_and_starts_again(power, tmp_path):
    b = power("board", "--blank")
    main = tmp_path / "main.py"
    main.write_text(MAIN)
    b.mpremote("cp", str(main), ":main.py")
    with Line(b) as port:
        port.write(b"\x04")
        said = port.until(b"tick\r\n")
        assert b"MPY: soft reboot\r\n" in said and b"boot cause 5\r\n" in said
        port.write(b"\x03")
        port.until(b"stopped\r\n")
        port.until(b">>> ")
        port.write(b"1+1\r")
        port.until(b"2\r\n>>> ")
        port.write(b"import machine; machine.reset()\r")
        port.until(b"boot cause 2")
        port.until(b"tick")
        os.kill(b.process.pid, signal.SIGHUP)  # the reset button
        port.until(b"boot cause 1")
        port.until(b"tick")
    assert b.mpremote("exec", "print('in between')").strip() == "in between"  # mpremote breaks in by itself
    with Line(b) as port:  # it left the board at the prompt, main.py stopped
        port.write(b"\r")
        port.until(b">>> ")


def test_the_watchdog_bites(power):
    b = power("board", "--blank")
    with Line(b) as port:
        port.write(b"import machine; w = machine.WDT(timeout=500)\r")
        port.until(b">>> ")
        port.until(b"TG1WDT")
        port.until(b">>> ")
        port.write(b"machine.reset_cause()\rimport machine; print('cause', machine.reset_cause())\r")
        port.until(b"cause 3\r\n")


def test_a_soft_reset_does_not_stop_the_watchdog(power):
    b = power("board", "--blank")
    with Line(b) as port:
        port.write(b"import machine; w = machine.WDT(timeout=2000)\r")
        port.until(b">>> ")
        port.write(b"\x04")
        port.until(b"soft reboot")
        port.until(b"TG1WDT")


def test_the_firmware_lives_on_it(power):
    """The whole firmware: sensors, console, boot counter, Ctrl-C, soft reset."""
    b = power("board", board="virtual-max30102")
    with Line(b) as port:
        time.sleep(3)
        port.write(link.command(1, "status"))
        receiver, answers, documents = link.Receiver(), link.Answers(), {}

        def listen(seconds):
            end, frames = time.monotonic() + seconds, []
            while time.monotonic() < end:
                for g in receiver.feed(port.read(4096)):
                    if isinstance(g, link.Frame):
                        frames.append(g)
                        if done := answers.feed(g):
                            documents[done[1]] = link.document(done[2])
            return frames

        end = time.monotonic() + 10
        while 1 not in documents and time.monotonic() < end:
            listen(0.2)
        assert (
            documents[1]["boots"] == 1
            and documents[1]["contact"] in (0, 1)
            and documents[1]["sensor_faults"] == 0
        )
        port.write(link.command(2, "watch -f"))
        states = [link.decode(f) for f in listen(5) if f.kind == link.STATE]
        assert len(states) >= 4 and states[-1]["contact"] == 1 and states[-1]["frames"] > states[0]["frames"]
        steps = {b["ms"] - a["ms"] for a, b in pairwise(states)}
        assert all(900 < s < 1300 for s in steps), steps
        port.write(b"\x03")
        port.until(b">>> ")
        port.write(b"\x04")
        port.until(b"soft reboot")
        time.sleep(3)
        documents.clear()
        end = time.monotonic() + 10
        while 3 not in documents and time.monotonic() < end:
            port.write(link.command(3, "status"))
            listen(0.5)
        # a slow start lets the watchdog, which is still armed, bite once more
        assert (documents[3]["boots"], documents[3]["cause"]) in ((2, 5), (3, 3))


def test_two_boards_hear_each_other(power, tmp_path):
    Network.create("test").save(tmp_path / "net.json")
    boards = [power(f"b{i}", "--network", str(tmp_path / "net.json")) for i in range(2)]
    ports = [Line(b) for b in boards]
    try:
        time.sleep(4)
        near = []
        end = time.monotonic() + 20
        while len(near) < 2 and time.monotonic() < end:
            near = []
            for port in ports:
                port.reset_input_buffer()
                port.write(b"status -j\r")
                found = re.search(rb'"neighbours": (\d+)', port.until(b"}\r\n"))
                if found and found[1] == b"1":
                    near.append(port)
            time.sleep(0.5)
        assert len(near) == 2
    finally:
        for port in ports:
            port.close()


def test_air_is_shared_and_swept(tmp_path):
    a, b = (Air(bytes((2, 0, 0, 0, 0, i)), tmp_path) for i in (1, 2))
    assert a.send(b"frame") == 1
    assert list(b.receive()) == [(a.mac, b"frame")] and not list(a.receive())
    b.socket.close()  # died without saying goodbye
    assert a.send(b"x") == 0 and not b.path.exists()
    a.close()
    assert not list(tmp_path.iterdir())


def test_newlines_leave_frames_alone():
    n = Newlines()
    frame = link.encode_frame(1, 10, bytes(range(1, 40)) + b"\n\n")
    out = b"".join(n(bytes((x,))) for x in b"one\ntwo\r\n" + frame + b"three\n" + frame)
    assert out == b"one\r\ntwo\r\n" + frame + b"three\r\n" + frame


def test_bad_input_is_one_line(tmp_path):
    def errors(*arguments):
        code = "from pulseweave.problem import Problem\nimport sys\n" + (
            "try:\n    from pulseweave.bench.virtual_board import virtual_board\n    virtual_board()\n"
            "except Problem as e:\n    sys.stderr.write(str(e)); sys.exit(e.code)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 2 and "Traceback" not in done.stderr
        return done.stderr

    assert "did you mean virtual?" in errors("--board", "virtua", "--dir", str(tmp_path / "a"))
    (tmp_path / "file").write_text("x")
    assert "cannot be used" in errors("--board", "virtual", "--dir", str(tmp_path / "file"))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "board.json").write_text('{"name": "esp32-c3"}')
    assert "another kind" in errors("--board", "virtual", "--dir", str(tmp_path / "c"))
    (tmp_path / "c" / "board.json").write_text("{")
    assert "damaged" in errors("--board", "virtual", "--dir", str(tmp_path / "c"))
    lock = open(tmp_path / "c" / "lock", "w")  # noqa: SIM115
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "running already" in errors("--board", "virtual", "--dir", str(tmp_path / "c"))
    lock.close()
    assert "no air" in errors(
        "--board", "virtual", "--dir", str(tmp_path / "e"), "--air", str(tmp_path / ("x" * 120))
    )
    (tmp_path / "c" / "board.json").write_text("{}")
    assert "damaged" in errors("--board", "virtual", "--dir", str(tmp_path / "c"))
    kept = tmp_path / "kept.json"
    kept.write_text("keys")
    assert "something that is no link" in errors(
        "--board",
        "virtual",
        "--dir",
        str(tmp_path / "f"),
        "--air",
        str(tmp_path / "air"),
        "--link",
        str(kept),
    )
    assert kept.read_text() == "keys"
    assert "main.py is missing" in errors(
        "--board", "virtual", "--dir", str(tmp_path / "d"), "--firmware", str(tmp_path)
    )

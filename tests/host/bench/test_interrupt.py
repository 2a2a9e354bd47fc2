"""Ctrl-C on a virtual board: between two bytecodes, as on a chip, never where the unix port holds a lock."""

import contextlib
import io
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import threading
import time
import tty

import pytest
from benchtools import until
from pulseweave.bench import moment
from pulseweave.bench.repl import Repl
from pulseweave.problem import Problem

BUSY = """
import time
part = "start"
try:
    while True:
        part = "computing"
        for i in range(4000):
            x = [i, str(i)]
        part = "writing"
        with open("/data", "w") as f:
            f.write("x" * 3000)
        part = "resting"
        print("round")
        time.sleep_ms(3)
        part = "start"
except KeyboardInterrupt:
    print("stopped while", part)
    part = "start"
"""


def talk(line, typed: bytes, ends: bytes, seconds=15.0) -> bytes:
    """Type, and read up to `ends`."""
    line.write(typed)
    said = b""

    def heard():
        nonlocal said
        said += line.read(4096)
        return ends in said

    try:
        until(heard, seconds, 0)
    except AssertionError:
        raise AssertionError(said[-500:]) from None
    return said


@pytest.fixture
def line(desk):
    import serial

    d = desk()
    with serial.Serial(d.port, 115200, timeout=0.02) as s:
        talk(s, b"\r", b">>> ")
        yield s


def test_it_comes_where_the_board_rests_not_while_it_allocates_or_writes(line):
    text = BUSY.replace("\n", "\r").encode()
    talk(line, b"f = open('main.py', 'w'); n = f.write('''" + text + b"'''); f.close()\r", b">>> ")
    for k in range(6):
        line.reset_input_buffer()
        talk(line, b"\x04", b"round")
        time.sleep(0.013 * k)
        said = talk(line, b"\x03", b">>> ")
        assert b"stopped while resting" in said, said[-200:]


def test_what_never_rests_is_stopped_as_well(line):
    began = time.monotonic()
    talk(line, b"while True: pass\r\r", b"\n")
    assert b"KeyboardInterrupt" in talk(line, b"\x03", b">>> ", 30)
    talk(line, b"input('what? ')\r", b"what? ")
    assert b"KeyboardInterrupt" in talk(line, b"\x03", b">>> ")
    assert time.monotonic() - began < 60


def test_code_in_the_raw_repl_is_stopped(line):
    """A chip listens to Ctrl-C there as well; the unix port has its terminal raw meanwhile."""
    talk(line, b"\x01", b"raw REPL; CTRL-B to exit\r\n>")
    talk(line, b"import time\nprint('begun')\ntime.sleep(60)\n\x04", b"begun")
    said = talk(line, b"\x03", b"\x04>")
    assert b"KeyboardInterrupt" in said
    said = talk(line, b"print(6 * 7)\x04", b"\x04>")
    assert b"42" in said
    talk(line, b"\x02", b">>> ")


def test_pasted_lines_all_arrive(line):
    """The unix port flushes its input after every line that it runs."""
    said = talk(line, b"".join(b"print(%d * 11)\r" % i for i in range(20)) + b"print('en' + 'd')\r", b"end")
    assert all(str(i * 11).encode() + b"\r\n" in said for i in range(20)), said


def test_ctrl_c_of_mpremote_reaches_the_code_it_runs(desk):
    d = desk()
    p = subprocess.Popen(
        [sys.executable, "-m", "mpremote", "connect", d.port, "exec", "print('begun')\nwhile True: pass"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert p.stdout and p.stdout.readline().strip() == b"begun"
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=20)
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", d.port, "exec", "print(6 * 7)"],
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.strip() == b"42"


def test_where_a_process_is():
    sleeps = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    waits = subprocess.Popen([sys.executable, "-c", "import os; os.read(0, 1)"], stdin=subprocess.PIPE)
    works = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        until(lambda: moment.calm(sleeps.pid) and moment.call(sleeps.pid) == ("", -1))
        until(lambda: moment.waits_for_input(waits.pid))
        until(lambda: moment.cpu_s(works.pid) > 0.3)
        assert moment.catches(works.pid)
        assert moment.interrupt(works.pid) == moment.BUSY and works.poll() is None
        assert moment.interrupt(sleeps.pid) == moment.INTERRUPTED
        assert moment.interrupt(works.pid, force=True) == moment.INTERRUPTED
        assert sleeps.wait(20) and works.wait(20)
        assert moment.interrupt(sleeps.pid) == moment.GONE
    finally:
        for p in (sleeps, waits, works):
            p.kill()
            p.wait()


def test_after_garbage_was_typed_the_bench_still_gets_in(line):
    """Every control character is in it, in the middle of lines mostly, where no prompt answers it."""
    line.write(random.Random(7).randbytes(4000))
    port = line.port
    line.close()
    with Repl(port) as r:
        assert r.run("print(6 * 7)") == "42\n"
    line.open()


class SlowBoard:
    """A raw REPL that takes a while for every Ctrl-A, so that the bench knocks several times before it is answered."""

    def __init__(self, patience: float):
        self.ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.port, self.patience = os.ttyname(theirs), patience
        threading.Thread(target=self.live, daemon=True).start()

    def read(self) -> bytes:
        return os.read(self.ours, 1)

    def say(self, data: bytes) -> None:
        os.write(self.ours, data)

    def live(self) -> None:
        line = b""
        while True:
            c = self.read()
            if c == b"\x01" and line == b"\x05A":
                self.say(b"R\x01\x80\x00\x01")
                self.run(self.paste(), b"\x04")
            elif c == b"\x01":
                time.sleep(self.patience)
                self.say(b"raw REPL; CTRL-B to exit\r\n>")
            elif c == b"\x04":
                self.run(line, b"OK")
            line = b"" if c in b"\x01\x03\x04" else line + c

    def paste(self) -> bytes:
        code = b""
        while (c := self.read()) != b"\x04":
            code += c
            if len(code) % 128 == 0:
                self.say(b"\x01")
        return code

    def run(self, code: bytes, head: bytes) -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(code)
        self.say(head + said.getvalue().encode() + b"\x04\x04>")


def test_answers_to_earlier_knocks_do_not_come_into_the_first_paste():
    board = SlowBoard(0.9)
    with Repl(board.port) as r:
        assert r.run("x = 6\n" + "#" * 300 + "\nprint(x * 7)") == "42\n"
        assert r.run("print('again')") == "again\n"


def test_a_board_that_vanishes_as_it_is_let_go_is_one_line(monkeypatch):
    """Then the terminal says so, not the port: in an error of a kind of its own."""
    board = SlowBoard(0)
    with Repl(board.port) as r:

        def gone():
            raise termios.error(5, "Input/output error")

        monkeypatch.setattr(r.serial, "reset_input_buffer", gone)
        with pytest.raises(Problem, match="vanished in the middle"):
            r.restart()

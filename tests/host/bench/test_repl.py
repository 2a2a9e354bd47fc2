"""The way to a board's prompt: whoever does not come to it is told what was heard instead."""

import pty
import random
import threading
import time
from os import ttyname, write

import pytest
from pulseweave.bench.repl import Repl
from pulseweave.problem import Problem


class Line:
    """A pty that says something over and over."""

    def __init__(self, say, every=0.05):
        ours, theirs = pty.openpty()
        self.port, self.on = ttyname(theirs), True

        def talk():
            while self.on:
                write(ours, say())
                time.sleep(every)

        threading.Thread(target=talk, daemon=True).start()


@pytest.mark.parametrize(
    ("say", "match"),
    [
        (lambda: b"", "says nothing"),
        (
            lambda: b"rst:0x10 (RTCWDT_RTC_RESET),boot:0x13\r\nabort() was called at PC 0x400d\r\n",
            "restarts over and over",
        ),
        (lambda: random.randbytes(200), "only noise"),
        (lambda: b"hello from another firmware\r\n", "does not stop for Ctrl-C"),
    ],
)
def test_a_board_that_does_not_come_to_the_prompt(say, match):
    line = Line(say)
    with pytest.raises(Problem, match=match):
        Repl(line.port, patience=2.5)
    line.on = False

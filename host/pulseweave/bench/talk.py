"""Asking a running node: a command line in, its answer as a document out, between whatever else the node says.

In: an open line (`ports.open_line`). Out: documents, frames, text. Nothing is interrupted: the node goes on ticking.
"""

import time
from collections.abc import Callable
from typing import Any

from pulseweave import ports
from pulseweave import serial_link as link
from pulseweave.problem import Problem

ANSWER_S = 1.5


class Talk:
    """One side of a conversation with the node on `line`."""

    def __init__(self, line, device: str):
        self.line, self.device = line, device
        self.receiver, self.answers = link.Receiver(), link.Answers()
        self._number = int(time.monotonic() * 10) & 127

    def listen(self, heard: Callable | None = None) -> dict[int, object]:
        """Read what is there; completed answers by number. `heard(frame or text)` gets all of it."""
        try:
            data = self.line.read(1)
            if data and self.line.in_waiting:  # a socket only says that there is more, not how much
                patience, self.line.timeout = self.line.timeout, 0
                data += self.line.read(65536)
                self.line.timeout = patience
        except OSError as e:
            raise Problem(ports.explain(self.device, e)) from None
        found = {}
        for g in self.receiver.feed(data):
            if heard:
                heard(g)
            if isinstance(g, link.Frame) and (done := self.answers.feed(g)) and done[0] == link.ANSWER:
                found[done[1]] = link.document(done[2])
        return found

    def send(self, text: str) -> int:
        """Send a command line; returns its number."""
        self._number = (self._number + 1) & 255
        try:
            self.line.write(link.command(self._number, text))
        except OSError as e:
            raise Problem(ports.explain(self.device, e)) from None
        return self._number

    def ask(self, text: str, seconds: float = ANSWER_S) -> object | None:
        """The answer to `text`, or None where none comes in time. Raises Problem where the node says what is wrong."""
        number = self.send(text)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.listen()
            if number in found:
                said = found[number]
                if isinstance(said, dict) and set(said) == {"error"}:
                    raise Problem(f"{self.device}: the node says: {said['error']}", 1)
                return said
        return None


def ask(device: str, text: str, baud: int = ports.BAUD, seconds: float = ANSWER_S) -> object | None:
    """One question to the node on `device`; None where nobody answers."""
    with ports.open_line(device, baud) as line:
        line.write(b"\n")  # ends what somebody may have left on the line
        return Talk(line, device).ask(text, seconds)


def must(device: str, text: str, baud: int = ports.BAUD, seconds: float = ANSWER_S) -> Any:
    """As `ask`. Raises Problem where nobody answers."""
    said = ask(device, text, baud, seconds)
    if said is None:
        raise Problem(
            f"{device}: no node answers: press RESET and try again; `pulseweave doctor --port {device}` finds out why"
        )
    return said

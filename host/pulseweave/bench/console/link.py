"""The console's end of the line: opens it, keeps it, loses it, lends it, takes it back.

In: a port. Out: `poll()`: what came since the last call. Unplugging, resets and a flash by another bench
(`ports.Claim`) only change `state`; the node is asked for its streams again as soon as it is back.
"""

import contextlib
import os
import termios
import time
from collections import deque

from pulseweave import ports
from pulseweave import serial_link as link
from pulseweave.bench.talk import Talk
from pulseweave.problem import Problem

LIVE, QUIET, GONE, LENT = "live", "quiet", "unplugged", "lent to another bench"
AGAIN_S = 0.5  # between attempts to open the port
ASK_S = 3.0  # without a state for so long, the streams are asked for again
MESH_S = 5.0
ANSWER_S = 1.5  # a question that is not answered by then is given up


class Link:
    """A port that may come and go. `why` says what keeps it closed; `heard(data)` gets every byte, for logs and raw mode."""

    def __init__(self, device: str, baud: int = ports.BAUD, streams: bool = True, heard=None):
        self.device, self.baud, self.streams, self.heard = device, baud, streams, heard
        self.state, self.why = GONE, ""
        self.line = None
        self.talk: Talk | None = None
        self.connections = 0
        self._next = self._mesh = self._state = 0.0
        self.waiting: dict[int, str] = {}  # the question under way
        self._questions: deque = deque(maxlen=32)
        self._notes: list[tuple[str, object]] = []
        self._sent = 0.0
        self._open()

    def _open(self) -> None:
        # claimed anew each time: a name such as /dev/serial/by-id/... leads to another port after the cable was out
        self.claim = ports.Claim(self.device, "console", yields=True)
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.claim)
            self.line = ports.open_line(self.device, self.baud, timeout=0)
            undo.pop_all()
        self.talk = Talk(self.line, self.device)
        self.state, self.why = QUIET, ""
        self.connections += 1
        self.waiting.clear()
        self._questions.clear()
        self._state = self._mesh = 0.0

    def _close(self, state: str, why: str) -> None:
        if self.line:
            try:
                self.line.close()
            except OSError:
                pass
        self.line = self.talk = None
        self.claim.release()
        self.state, self.why = state, why

    def ask(self, text: str) -> None:
        """Ask the node something; the answer comes out of poll(), or why it cannot be asked."""
        try:
            link.command(0, text)
        except ValueError as e:
            self._notes.append(("note", f"{text[:20]}...: {e}"))
        else:
            self._questions.append(text)

    def _pump(self, now: float) -> None:
        """One question at a time: a node holds four answers at most, and drops what comes on top."""
        if self._questions and (not self.waiting or now > self._sent + ANSWER_S):
            self.waiting.clear()
            self._sent = now
            self._send(self._questions.popleft())

    def _send(self, text: str) -> None:
        if self.talk and self.line:
            try:
                self.waiting[self.talk.send(text)] = text
            except Problem as e:
                self._close(GONE, str(e))

    def poll(self) -> list[tuple[str, object]]:
        """(kind, value) of everything new: state, beat, raw (dictionaries), log, text, crash, (question, answer), note."""
        now = time.monotonic()
        if self.state == LENT:
            if self.claim.wanted():
                return []
            self.state = GONE
        if self.claim.wanted():
            self._farewell()
            self._close(LENT, "")
            return [("note", "another bench asked for the port: lent")]
        if not self.line:
            if now < self._next:
                return []
            self._next = now + AGAIN_S
            try:
                self._open()
            except Problem as e:
                self.why = str(e)
                return []
            return [("note", "connected again")]
        return self._read(now)

    def _read(self, now: float) -> list[tuple[str, object]]:
        assert self.line and self.talk
        try:
            n = self.line.in_waiting
            data = self.line.read(65536) if n else b""  # a socket only knows that something is there
            if not n and not self._there(now):
                raise OSError(5, "gone")
        except OSError as e:
            self._close(GONE, ports.explain(self.device, e))
            return [("note", "the board was unplugged: waiting for it")]
        if self.heard and data:
            self.heard(data)
        if not self.streams:
            return []
        out, self._notes = self._notes, []
        for g in self.talk.receiver.feed(data):
            out += self._understand(g)
        if any(kind == "state" for kind, _ in out):
            self.state, self._state = LIVE, now
        if now > self._state + ASK_S:
            self.state = QUIET if self._state == 0 or now > self._state + 2 * ASK_S else self.state
            self._state = now - 0.01  # ask again after the same time
            for question in ("watch -f", "beats -f", "status", "scene", "crash"):
                self.ask(question)
            self._mesh = now - MESH_S + 1
        if now > self._mesh + MESH_S:
            self._mesh = now
            self.ask("mesh")
        self._pump(now)
        return out

    def _there(self, now: float) -> bool:
        """A pty whose other end is gone stays open without an error: look at the name, now and then."""
        if "://" in self.device or now < self._next:
            return True
        self._next = now + AGAIN_S

        return os.path.exists(self.device)

    def _understand(self, g) -> list[tuple[str, object]]:
        assert self.talk
        if isinstance(g, link.Text):
            return [("text", g.text)]
        kinds = {link.STATE: "state", link.BEAT: "beat", link.RAW: "raw"}
        if g.kind in kinds:
            values = link.decode(g)
            return [(kinds[g.kind], values)] if values else []
        done = self.talk.answers.feed(g)
        if not done:
            return []
        kind, number, text = done
        if kind == link.LOG:
            return [("log", text)]
        value = link.document(text)
        if kind == link.CRASH:
            return [("crash", value)]
        return [("answer", (self.waiting.pop(number, ""), value))]

    def _farewell(self) -> None:
        """Leave the node as it was: no streams."""
        if self.streams and self.line:
            for question in ("watch off", "beats off"):
                self._send(question)
            try:
                if self.line:
                    self.line.flush()
            except (OSError, termios.error):
                pass

    def close(self) -> None:
        """Say goodbye and let go of the port."""
        self._farewell()
        self._close(GONE, "")

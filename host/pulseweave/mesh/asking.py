"""Asking one node for the chart, step by step, over its console.

In: the name of a port (anything pyserial opens), or `sim://HOST:PORT/NODE` for a node of a running `pulseweave sim`. Out: a
Chart that grows. A question travels through the mesh as an event and its answer comes back as one, so they are spaced.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from pulseweave import ports
from pulseweave.bench.talk import Talk
from pulseweave.firmware import understood
from pulseweave.gather.line import LineLost, Simulated
from pulseweave.mesh.chart import Chart
from pulseweave.problem import Problem

PACE_S = 0.8  # between questions: a node keeps six events on their way, and a question makes two
TABLE_S = 2.0  # between looks at the table
ANSWER_S = 4.0  # 200 rows take two seconds on a serial line


class SimulatedPort:
    """The console of a simulated node, with the manners of a serial port; read() gives all there is."""

    in_waiting = 0
    timeout = 0.05

    def __init__(self, name: str):
        try:
            self.line = Simulated(name)
        except LineLost as e:
            raise Problem(
                f"{name}: {e}: start `pulseweave sim` with its page, or correct host, port and node"
            ) from None

    def read(self, n: int) -> bytes:
        try:
            return self.line.read()
        except LineLost as e:
            raise OSError(f"device disconnected: {e}") from None

    def write(self, data: bytes) -> None:
        try:
            self.line.write(data)
        except LineLost as e:
            raise OSError(f"device disconnected: {e}") from None

    def close(self) -> None:
        self.line.close()


@contextlib.contextmanager
def opened(name: str, baud: int) -> Iterator[Talk]:
    """A conversation with the node on `name`, which is ours alone meanwhile. Raises Problem."""
    if name.startswith("sim://"):
        with contextlib.closing(SimulatedPort(name)) as line:
            yield Talk(line, name)
        return
    with ports.Claim(name, "mesh"), ports.open_line(name, baud) as line:
        line.write(b"\n")  # ends what somebody may have left on the line
        yield Talk(line, name)


class Asker:
    """`step()` asks what is due and returns; everything learnt is in `chart`. Raises Problem where the node is gone."""

    def __init__(self, talk: Talk, chart: Chart, pace: float = PACE_S):
        self.talk, self.chart, self.pace = talk, chart, pace
        self.asked = 0  # the node asked last
        self._table = self._question = -1e9
        self._links = True  # what was asked last: whom somebody hears, or who somebody is

    def _must(self, text: str) -> Any:
        for _ in range(2):  # a line that lost a frame is asked again
            if (said := self.talk.ask(text, ANSWER_S)) is not None:
                return said
        raise Problem(
            f"{self.talk.device}: no node answers `{text}`: is its firmware running? "
            f"`pulseweave status --port {self.talk.device}` tells"
        )

    def step(self) -> None:
        """One look at the table where it is due, else one question where that is due, else nothing."""
        now = time.monotonic()
        if now - self._table >= TABLE_S:
            self._table = now
            rows = self._must("mesh")
            if not isinstance(rows, list) or not rows or "version" not in rows[0]:
                raise Problem(
                    f"{self.talk.device}: its firmware does not tell links yet: `pulseweave deploy` it"
                )
            self.chart.table(rows)
            self._self()
        elif now - self._question >= self.pace:
            self._question = now
            unknown = [n for n in self.chart.unknown() if n != self.asked]
            # the answer to a question is fetched with the next one of its kind, so kinds take turns seldom
            if (unknown and not self.chart.untold()) or (unknown and not self._links):
                self._who(min(unknown, key=lambda n: (self.chart.stations[n].asked, n)))
            elif not self._links:
                self._who(self.chart.own)  # only to fetch the last answer
                self._links = True
            else:
                self._hears()
        else:
            time.sleep(0.05)

    def _hears(self) -> None:
        self.asked = self.chart.next(self.asked)
        said = self._must(f"mesh {self.asked}")
        self.chart.links(bytes.fromhex(said.get("links", "")))

    def _who(self, node: int) -> None:
        self.asked, self._links = node, False
        self.chart.stations[node].asked += 1
        try:
            said = self.talk.ask(f"crash {node}", ANSWER_S)
        except Problem:  # the last answer was one to the other question, and is no text
            return
        if found := understood(str(said.get("notes", ""))) if isinstance(said, dict) else None:
            self.chart.runs(found[0], found[1].board, found[1].release)

    def _self(self) -> None:
        """What the node on the line runs itself is not asked through the mesh."""
        me = self.chart.stations[self.chart.own]
        if me.release is None:
            said = self._must("status")
            self.chart.runs(me.node, str(said.get("board") or ""), str(said.get("release") or "")[:8])

    def whole(self) -> bool:
        """Whether everybody in reach has told, of its links and of itself."""
        waits = self.chart.untold() or self.chart.unknown() or not self._links
        return bool(self.chart.stations) and not waits

"""Who is who in the room: which firmware each node runs and what its last crashes were, asked through the gateways.

These do not travel by themselves: a question and its answer are two events of the mesh (NOTES, device/weave/mesh/README.md),
so nodes are asked one by one, when they are first heard, when they have started again, and now and then. Gateways share
a `Told`, and nobody is asked twice.
"""

import threading

from pulseweave import serial_link as link
from pulseweave.firmware import Firmware, odd, understood
from pulseweave.gather.record import State

PACE_S = 2.0  # between two questions in a small room; an event costs every node of a room one transmission,
LARGE, LARGE_PACE_S = 50, 5.0  # so a large room is asked slowly
RENEW_S = 1800.0
AGAIN_S = 60.0  # after which an answer is no longer waited for
OTHER, STATUS, CRASH = 78, 79, 80  # numbers of our questions


class Told:
    """`known` by node; `odd(nodes)` names those whose release is not the usual one of their kind of board."""

    def __init__(self):
        self.known: dict[int, Firmware] = {}
        self._asked: dict[int, float] = {}
        self._news: list[tuple[int, Firmware]] = []
        self._lock = threading.Lock()

    def hear(self, node: int, said: Firmware) -> None:
        with self._lock:
            before = self.known.get(node)
            self.known[node] = said
            if before is None or before.row() != said.row():
                self._news.append((node, said))

    def news(self) -> list[tuple[int, Firmware]]:
        """What has changed since this was asked last."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def again(self, news: list[tuple[int, Firmware]]) -> None:
        """The store could not take these."""
        with self._lock:
            self._news = news + self._news

    def due(self, node: int, now_s: float) -> bool:
        """Whether to ask `node` now; who says yes asks."""
        with self._lock:
            since = now_s - self._asked.get(node, -1e9)
            if since < (RENEW_S if node in self.known else AGAIN_S):
                return False
            self._asked[node] = now_s
            return True

    def restarted(self, node: int) -> None:
        """Ask again soon: it may run something else now."""
        with self._lock:
            self._asked.pop(node, None)

    def odd(self) -> dict[int, str]:
        """Nodes whose release differs from most others of the same kind of board, and what those run."""
        return odd({n: (f.board, f.release) for n, f in list(self.known.items()) if f.release})


class Inquiry:
    """The questions of one gateway: `heard()` every packet, `wants()` often, `answer()` what comes."""

    def __init__(self, told: Told):
        self.told = told
        self._epochs: dict[int, int] = {}
        self._asked_s = -1e9
        self._pending = self._own = False
        self._status: dict = {}

    def begin(self) -> None:
        """The gateway was met, or has started again."""
        self._own = self._pending = False
        self._asked_s = -1e9

    def heard(self, packet) -> None:
        if not isinstance(packet, State):
            return
        before = self._epochs.get(packet.node)
        if before is None or (packet.epoch and before and before != packet.epoch):
            self.told.restarted(packet.node)
        self._epochs[packet.node] = packet.epoch or before or 0

    def wants(self, own: int, now_s: float) -> bytes:
        """A question for the line of gateway `own`, mostly none."""
        if now_s - self._asked_s < (PACE_S if len(self._epochs) < LARGE else LARGE_PACE_S):
            return b""
        if not self._own and self.told.due(own, now_s):
            self._own, self._asked_s = True, now_s
            return link.command(STATUS, "status") + link.command(CRASH, "crash")
        node = next((n for n in sorted(self._epochs) if n != own and self.told.due(n, now_s)), 0)
        if not (node or self._pending):
            return b""
        self._asked_s = now_s
        # the answer to a question is fetched with the next one; the last is put to nobody else
        self._pending = bool(node)
        return link.command(OTHER, f"crash {node or own}")

    def answer(self, number: int, own: int, said) -> None:
        """A gateway's answer, as its JSON says it."""
        if number == OTHER and isinstance(said, dict):
            found = understood(str(said.get("notes", "")))
            if found:
                self.told.hear(*found)
        elif number == STATUS and isinstance(said, dict):
            self._status = said
        elif number == CRASH and isinstance(said, list):
            notes = [n for n in said if isinstance(n, dict) and {"boot", "part", "text"} <= set(n)][-2:]
            release = str(self._status.get("release") or "")[:8]
            self.told.hear(own, Firmware(str(self._status.get("board") or ""), release, tuple(notes)))

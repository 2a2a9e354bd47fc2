"""A simulated room and virtual boards in one air: what either sends, the other hears.

In: the frames the room's nodes sent in a tick; what waits in the folder of `pulseweave.air`. Out: `Heard` for
the room. The boards stand among the nodes of the room's first cluster (its channel is theirs) and are heard by all
of them. What they send comes from outside and from real time: such a run has no digest to compare, but a recording
of it replays.
"""

from pathlib import Path

import numpy as np

from pulseweave.air import FRAME_MAX, Air
from pulseweave.problem import Problem
from pulseweave.sim.radio import Heard

RSSI = -60  # dBm: a board a few metres away
GUESTS = 256


class SharedAir:
    """The antenna between both. `guests` counts virtual boards heard so far."""

    def __init__(self, folder: Path | None, members: list[int], nodes: int):
        try:
            self._air = Air(b"\x02\x50\x57\xff\xff\xff", folder)
        except OSError as e:
            raise Problem(f"--air {folder}: cannot be used ({e}): give a short path that is yours") from None
        self._members = np.array(sorted(members))
        self._nodes = nodes
        self._known: dict[bytes, int] = {}

    @property
    def guests(self) -> int:
        return len(self._known)

    def exchange(self, tick: int, sent: list[tuple[int, float, bytes]]) -> list[Heard]:
        """Give the boards what the room's nodes sent in the last tick; returns what the room hears of the boards."""
        for node, _, frame in sent:
            if node in self._members:
                number = node + 1
                self._air.mac = b"\x02\x50\x57\x00" + bytes((number >> 8, number & 255))
                self._air.send(bytes(frame))
        out = []
        for mac, frame in self._air.receive():
            if len(frame) > FRAME_MAX or (mac not in self._known and len(self._known) >= GUESTS):
                continue
            source = self._nodes + self._known.setdefault(mac, len(self._known))
            strength = np.full(len(self._members), RSSI)
            out.append(Heard(source, (tick - 0.5) * 20.0, frame, self._members, strength))
        return out

    def close(self) -> None:
        """Leave the air."""
        self._air.close()

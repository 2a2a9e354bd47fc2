"""Hostile frames: somebody in earshot who has heard everything and sends what he likes.

In: the flights that ended in the last step (radio.py). Out: frames to inject. The rogue holds the network's key but not
the command key; everybody else holds none.
"""

import numpy as np

MODES = ("random", "flipped", "truncated", "oversize", "replayed", "flood", "rogue")
KEPT = 400
EVERY = 3  # ticks between two frames


class Attacker:
    """A station at index `station`; `modes` is the sum of 1 << index into MODES, 0 for silence."""

    def __init__(self, seed: int, station: int):
        self.rng = np.random.default_rng([seed, 0xBAD])
        self.station = station
        self.modes = 0
        self.heard: list[bytes] = []
        self.rogue = b""  # the next frame of the rogue
        self.sent = 0

    @property
    def quiet(self) -> bool:
        """He sends nothing."""
        return not self.modes

    def __call__(self, tick: int, t_ms: float, flights) -> list:
        for f in flights:
            if f.station != self.station:
                self.heard.append(f.frame)
        if len(self.heard) > KEPT:
            del self.heard[: KEPT // 4]
        if not self.modes or tick % EVERY:
            return []
        rng = self.rng
        on = [m for k, m in enumerate(MODES) if self.modes >> k & 1]
        frame = self.make(on[int(rng.integers(len(on)))], rng)
        if not frame:
            return []
        self.sent += 1
        # as himself, or as one of a thousand addresses
        source = self.station if rng.random() < 0.5 else 1000 + int(rng.integers(1000))
        return [(self.station, float(rng.uniform(0, 15)), frame, source)]

    def make(self, mode: str, rng) -> bytes:
        """A frame of a mode; empty where nothing was heard yet."""
        if mode == "random":
            return rng.bytes(int(rng.integers(1, 251)))
        if mode == "oversize":
            return rng.bytes(int(rng.integers(251, 1471)))
        if mode == "rogue":
            frame, self.rogue = self.rogue, b""
            return frame
        if not self.heard:
            return b""
        # most of what is worth repeating is old
        frame = bytearray(self.heard[int(rng.integers(len(self.heard)))])
        if mode == "replayed":
            return bytes(frame)
        if mode == "truncated":
            return bytes(frame[: int(rng.integers(1, len(frame)))])
        if mode == "flood":  # somebody who is not in the room, ever newer
            frame[4:6] = bytes((0xC0 | int(rng.integers(16)), int(rng.integers(256))))
            frame[8:10] = rng.bytes(2)
            return bytes(frame)
        k = int(rng.integers(4, len(frame)))
        frame[k] ^= 1 << int(rng.integers(8))
        if rng.random() < 0.5:  # a later epoch makes it new to everybody
            frame[7] ^= 0x40
        return bytes(frame)

"""Who is in range of whom, and how loudly: path loss, shadowing, directions, partitions.

In: places in metres. Out: RSSI of every pair in dBm, neighbour lists. Log-distance path loss with log-normal shadowing
(Rappaport, Wireless Communications, ch. 4), links that differ by direction.
"""

from collections.abc import Iterable

import numpy as np

SENSE_DBM = -96.0  # what carrier sensing still notices (preamble detection)


def stream(seed: int, purpose: int, step: int = 0) -> np.random.Generator:
    """The random numbers of one purpose in one step; independent of every other stream."""
    return np.random.Generator(np.random.Philox(key=seed & (2**64 - 1), counter=[0, 0, step, purpose]))


class Streams:
    """`stream(seed, purpose, step)` of one seed and purpose for one step after the other, without making a generator anew:
    that takes longer than most steps draw."""

    def __init__(self, seed: int, purpose: int):
        self._generator = stream(seed, purpose)
        self._start = self._generator.bit_generator.state

    def at(self, step: int) -> np.random.Generator:
        """The stream of `step`; the one before is over."""
        self._start["state"]["counter"][2] = step
        self._generator.bit_generator.state = self._start
        return self._generator


class Links:
    """Links of n nodes at `places` and of `attackers` (stations n, n+1, ...).

    tx_dbm, exponent, shadow_db, skew_db: transmit power, path-loss exponent, standard deviations of shadowing (both
    directions alike) and of the difference between directions. range_m: with it, links are in range by distance alone.
    By station: `hears` the nodes in range, `loud` how it arrives there (dBm), `senses` bool[station, station], `audible` the
    stations that notice it; `bad`, `when`: the bursts of its links, and at what time (ms) they stood so (radio.py).
    """

    def __init__(
        self,
        seed: int,
        places: np.ndarray,
        attackers: Iterable,
        tx_dbm: float,
        exponent: float,
        shadow_db: float,
        skew_db: float,
        range_m: float | None,
    ):
        if places.shape[1] == 2:
            places = np.column_stack([places, np.zeros(len(places))])
        extra = [np.resize(np.append(np.asarray(p, float), 0.0), 3) for p in attackers]
        self.n, self.seed = len(places), seed
        self.places = np.vstack([places, *extra]) if extra else places
        self.tx_dbm, self.exponent = tx_dbm, exponent
        rng = stream(seed, 1)
        m = len(self.places)
        distance = np.linalg.norm(self.places[:, None] - self.places[None], axis=2)
        shadow = np.triu(rng.normal(0.0, shadow_db, (m, m)), 1)
        skew = np.triu(rng.normal(0.0, skew_db, (m, m)), 1)
        rssi = self._at(distance) + shadow + shadow.T + skew - skew.T
        if range_m is not None:  # a disc: everything inside is well received, everything outside is silence
            rssi = np.where(distance <= range_m, np.maximum(rssi, -80.0), -200.0)
        np.fill_diagonal(rssi, -200.0)
        self.rssi = rssi.astype(np.float32)  # [station, listener], dBm
        self.group = np.zeros(m, int)

    def _at(self, distance):
        """Mean RSSI at a distance, 40 dB of loss at the first metre (2.4 GHz)."""
        return self.tx_dbm - 40.0 - 10.0 * self.exponent * np.log10(np.maximum(distance, 0.3))

    def link(self, floor: float) -> None:
        """Neighbour lists from rssi and groups; what arrives below `floor` dBm is no link."""
        self.floor = floor
        same = self.group[:, None] == self.group[None]
        reach = (self.rssi >= floor) & same
        self.hears = [np.flatnonzero(row[: self.n]) for row in reach]
        self.senses = (self.rssi >= SENSE_DBM) & same
        self.audible = [np.flatnonzero(row) for row in self.senses]
        self.loud = [self.rssi[station, k] for station, k in enumerate(self.hears)]
        self.bad = [np.zeros(len(k), bool) for k in self.hears]
        self.when = [0.0] * len(self.hears)

    def partition(self, groups):
        """Cut the room: nodes hear only nodes of their own group; `groups` are lists of nodes, who is in none is alone."""
        self.group[: self.n] = -1 - np.arange(self.n)
        for number, group in enumerate(groups):
            self.group[np.asarray(group, int)] = number
        self.link(self.floor)

    def heal(self):
        """Join the parts again."""
        self.group[:] = 0
        self.link(self.floor)

    def degree(self) -> np.ndarray:
        """Nodes in range of each node, int[n]."""
        return np.array([len(k) for k in self.hears[: self.n]])

    def hops(self) -> int:
        """The longest shortest path in range, -1 where the room falls apart."""
        far = 0
        for s in range(self.n):
            seen, front, depth = {s}, {s}, 0
            while front := {int(j) for i in front for j in self.hears[i]} - seen:
                seen |= front
                depth += 1
            if len(seen) < self.n:
                return -1
            far = max(far, depth)
        return far

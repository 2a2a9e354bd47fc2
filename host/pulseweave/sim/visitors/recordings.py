"""Visitors who are recordings: real pulse and skin conductance, played through the modelled sensors.

In: a folder (`library.py`). Out: the visitor contract's dict: `ppg` volts [n, k] at 100 Hz, `eda` uS [n, m] at
8 Hz, `arousal` truth [n] from the recording's labels, `touching` [n].

Every node plays the files in an order of its own, begins the first one somewhere inside, and at the end of each
lets go for ten seconds before the next person comes. A recorded person does not see the room's light. Where a
recording lacks one of the two signals, the body model makes it; where it has no labels, its arousal reads as rest (0.1).
"""

import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim import noise
from pulseweave.sim.body import Body
from pulseweave.sim.visitors import library

PAUSE_S = 10.0
LONGEST_START = 0.5  # the first recording begins in its first half


class Recordings:
    """Plays `folder`; all files are read and checked at the start. `playing` int64[n]: which file, `names` their names.

    seed, nodes: as for `Body`. Raises Problem where the folder or a file in it cannot be played."""

    def __init__(self, seed: int, nodes, folder=None, **scenario):
        if not folder:
            raise Problem("recordings need a folder: --visitors recordings:DIR")
        numbers = noise.nodes_of(nodes)
        self.n = n = len(numbers)
        records = [library.read(path) for path in library.files(folder)]
        self.names = [r.name for r in records]
        self.seconds = np.array([r.seconds for r in records])
        self.ppg, self.ppg_at = _flat([r.ppg for r in records])
        self.eda, self.eda_at = _flat([r.eda for r in records])
        self.truth, self.truth_at = _flat([r.arousal for r in records])
        keys = noise.key(seed, numbers, "recordings")
        order = np.array(
            [noise.uniform(noise.key(seed, numbers, f"order {i}"), 0) for i in range(len(records))]
        )
        self.order = np.argsort(order, axis=0)  # [files, n]
        if n > 1 and np.isscalar(nodes):  # neighbours begin with different people
            self.order[:, :] = _spread(self.order, len(records))
        self.turn = np.zeros(n, dtype=np.int64)
        self.playing = self.order[0].copy()
        self.since = (
            -LONGEST_START * noise.uniform(keys, 0) * self.seconds[self.playing]
        )  # when second 0 was, would be
        self.since = np.floor(self.since * library.EDA_HZ) / library.EDA_HZ
        lacking = (self.ppg_at < 0) | (self.eda_at < 0)
        self.body = Body(seed, nodes) if lacking.any() else None

    def step(self, t_s: float, dt_s: float, light) -> dict:
        """The next dt_s seconds; `light` is not looked at."""
        into = t_s - self.since
        over = into >= self.seconds[self.playing] + PAUSE_S
        if over.any():
            self.turn[over] += 1
            self.playing = np.take_along_axis(self.order, (self.turn % len(self.order))[None], axis=0)[0]
            self.since = np.where(over, np.ceil(t_s * library.EDA_HZ) / library.EDA_HZ, self.since)
            into = t_s - self.since
        now = self.playing
        last = np.floor(self.seconds[now] * library.EDA_HZ) - 1
        touching = (into >= 0) & (into < self.seconds[now] - 0.2)
        at = np.clip(np.floor(into * library.EDA_HZ + 1e-6), 0, last).astype(np.int64)
        truth_at = self.truth_at[now]
        there = truth_at >= 0
        arousal = np.where(there, self.truth[np.where(there, truth_at + at, 0)], library.REST).astype(
            np.float64
        )
        ppg = self._samples(self.ppg, self.ppg_at, library.PPG_HZ, t_s, dt_s)
        eda = self._samples(self.eda, self.eda_at, library.EDA_HZ, t_s, dt_s)
        if self.body is not None:
            made = self.body.step(t_s, dt_s, arousal, np.zeros(self.n), touching)
            ppg = np.where(self.ppg_at[now][:, None] >= 0, ppg, made[0])
            eda = np.where(self.eda_at[now][:, None] >= 0, eda, made[1])
        return {"arousal": arousal, "touching": touching, "ppg": ppg, "eda": eda}

    def _samples(
        self, flat: np.ndarray, starts: np.ndarray, rate_hz: int, t_s: float, dt_s: float
    ) -> np.ndarray:
        """float64[n, count] of this step from the files that play now; held at a file's ends."""
        first, count = noise.grid(t_s, dt_s, rate_hz)
        now = self.playing
        begun = np.rint(self.since * rate_hz).astype(np.int64)
        index = np.arange(first, first + count)[None, :] - begun[:, None]
        index = np.clip(index, 0, (self.seconds[now] * rate_hz).astype(np.int64)[:, None] - 1)
        start = starts[now][:, None]
        return flat[np.where(start >= 0, start + index, 0)].astype(np.float64)


def _flat(parts: list) -> tuple[np.ndarray, np.ndarray]:
    """All parts in one float32 array, and where each begins (-1 where there is none)."""
    sizes = [0 if p is None else len(p) for p in parts]
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    there = [p for p in parts if p is not None]
    flat = np.concatenate(there) if there else np.zeros(1, np.float32)
    return flat, np.where(np.array(sizes) > 0, starts, -1)


def _spread(order: np.ndarray, count: int) -> np.ndarray:
    """Each node's order turned so that node i begins with the i-th file of node 0's order."""
    n = order.shape[1]
    wanted = order[:, 0][np.arange(n) % count]
    place = np.argmax(order == wanted, axis=0)
    rows = (np.arange(count)[:, None] + place) % count
    return np.take_along_axis(order, rows, axis=0)

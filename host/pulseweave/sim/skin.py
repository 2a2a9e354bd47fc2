"""The conductance of a palm or two fingers: a level that drifts with arousal, and responses upon it.

In: time (s), lagged arousal 0..1, touching per node. Out: microsiemens at 8 Hz.

- Level: 1-15 uS per person, up by some tens of percent under arousal within a quarter of a minute, back within a
  minute; electrodes gain another 10-35 % while they settle (Boucsein 2012, 2.2.2 and 3.3).
- Responses: a Poisson process of 1-4 per minute at rest to 10-20 in high arousal (Boucsein 2012; Dawson et al. 2017),
  each a Bateman curve, the difference of two exponentials (Benedek, Kaernbach 2010, J Neurosci Methods 190:80).
"""

import numpy as np

from pulseweave.sim import noise

RATE_HZ = 8
NOISE_US = 0.002
SETTLE_S = 80.0
APART_S = 1.0


def _hiss(keys: np.ndarray, sample) -> np.ndarray:
    return NOISE_US * noise.normal(keys, sample)


class Skin:
    """Skin of all nodes. `scrs` int64[n]: responses so far; `level_us` float64[n]: the tonic part. Ground truth."""

    def __init__(self, seed: int, nodes: np.ndarray, person):
        self.person, n = person, len(nodes)
        self.key = noise.key(seed, nodes, "scr")
        self.wander = noise.Smooth(noise.key(seed, nodes, "scl"), 0.02)
        self.hiss = noise.Ahead(noise.key(seed, nodes, "eda noise"), _hiss)
        self.firing = noise.Ahead(self.key, noise.uniform)
        self._constants()
        self.up, self.down = np.zeros(n), np.zeros(n)
        self.lift = np.zeros(n)
        self.last_s = np.full(n, -10.0)
        self.touched_s = np.zeros(n)
        self.scrs = np.zeros(n, dtype=np.int64)
        self.level_us = person.scl_us.copy()

    def _constants(self) -> None:
        """Decay per sample of the two exponentials, the gain that gives their difference a peak of 1; how far the level goes
        with arousal."""
        p, dt = self.person, 1.0 / RATE_HZ
        peak_s = np.log(p.fall_s / p.rise_s) * p.fall_s * p.rise_s / (p.fall_s - p.rise_s)
        self.gain = 1.0 / (np.exp(-peak_s / p.fall_s) - np.exp(-peak_s / p.rise_s))
        self.rise, self.fall = np.exp(-dt / p.rise_s), np.exp(-dt / p.fall_s)
        self.reach = np.minimum(p.responds + 0.2, 1.0)

    def change(self, where: np.ndarray) -> None:
        """Other people's skin at the nodes of index `where`: dry electrodes, no response under way."""
        self._constants()
        for state in (self.up, self.down, self.lift, self.touched_s):
            state[where] = 0.0

    def step(self, t_s: float, dt_s: float, drive: np.ndarray, touching: np.ndarray) -> np.ndarray:
        """float64[n, m] microsiemens for the m samples at 8 Hz within [t_s, t_s + dt_s); 0 where nobody touches."""
        first, m = noise.grid(t_s, dt_s, RATE_HZ)
        out = np.empty((len(drive), m))
        for j in range(m):
            out[:, j] = self._sample(first + j, drive, touching)
        return out

    def _sample(self, i: int, drive: np.ndarray, touching: np.ndarray) -> np.ndarray:
        p, t, dt = self.person, i / RATE_HZ, 1.0 / RATE_HZ
        rate = (p.scr_per_min + p.scr_reach * drive) / 60.0
        rate = rate / (1.0 - np.minimum(rate * APART_S, 0.9))  # makes up for the dead time
        fires = (self.firing.at(4 * i) < rate * dt) & (t - self.last_s >= APART_S)
        if np.count_nonzero(fires):
            height = p.scr_us * np.exp(0.5 * noise.normal(self.key, 4 * i + 1)) * np.sqrt(p.scl_us / 4.5)
            height *= p.responds * (1.0 + 0.8 * drive)
            after = dt * noise.uniform(self.key, 4 * i + 2)  # the response began this long ago
            self.up += np.where(fires, self.gain * height * np.exp(-after / p.rise_s), 0.0) / self.rise
            self.down += np.where(fires, self.gain * height * np.exp(-after / p.fall_s), 0.0) / self.fall
            self.last_s = np.where(fires, t, self.last_s)
            self.scrs += fires
        self.up *= self.rise
        self.down *= self.fall
        goal = 0.8 * drive * self.reach
        self.lift += (goal - self.lift) * np.where(goal > self.lift, dt / 15.0, dt / 60.0)
        self.level_us = p.scl_us * (1.0 + self.lift + 0.05 * self.wander.at(t))
        settled = 1.0 - p.settles * np.exp(-self.touched_s / SETTLE_S)
        self.touched_s = np.where(touching, self.touched_s + dt, 0.0)
        grams = self.level_us * settled + self.down - self.up + self.hiss.at(i)
        return np.where(touching, grams, 0.0)

"""A heart and the wave it sends to a fingertip.

In: time (s), lagged arousal 0..1 per node. Out: volts at 100 Hz (one beat is about `Person.volts` peak to peak,
about zero), and as ground truth the beats.

- Beat times: integral pulse frequency modulation (Mateo, Laguna 2000, IEEE Trans Biomed Eng 47:985). The interval swings
  with respiration (RSA), at 0.1 Hz (Mayer waves) and below; with arousal the rate rises while both fall (Task
  Force 1996, Circulation 93:1043; Kim et al. 2018, Psychiatry Investig 15:235), breathing quickens (Boiten 1994).
- Wave: systolic, tidal and dicrotic components and a run-off, set off by each beat and adding up (Tang et al. 2020,
  Sci Rep 10:19254, with time since the foot in place of phase). The upstroke keeps its length in ms, diastole stretches.
- Vasoconstriction shrinks the wave under arousal (Iani, Gopher, Lavie 2004, Psychophysiology 41:789).
- Wander with breath, movements of the hand (0.5-6 Hz, up to twice the pulse), sensor noise.
"""

from functools import cache

import numpy as np

from pulseweave.sim import noise

RATE_HZ = 100
LANES = 3  # beats whose wave may still be seen
STEP_S, SPAN_S = 0.004, 1.6  # the wave's table
NOISE_V = 0.003
TWO_PI = 2 * np.pi

# component: centre (s after the foot), width rising, width falling (s)
_COMPONENTS = ((0.135, 0.046, 0.062), (0.235, 0.055, 0.080), (0.400, 0.055, 0.085), (0.480, 0.130, 0.260))


def _table() -> np.ndarray:
    """float64[4, m]: each component of a beat's wave against time since its foot, 0 at the foot and at the end."""
    t = np.arange(0.0, SPAN_S, STEP_S)
    ends = np.clip(t / 0.04, 0, 1) * np.clip((SPAN_S - t) / 0.3, 0, 1)
    rows = [np.exp(-0.5 * ((t - c) / np.where(t < c, up, down)) ** 2) * ends for c, up, down in _COMPONENTS]
    return np.array(rows)


def _waves(contour: np.ndarray) -> np.ndarray:
    """float64[n, m]: the beat's wave of each person, contour [4, n]; no matrix product, whose rounding depends on n."""
    parts = [share[:, None] * row for share, row in zip(contour, _table())]
    return np.add.reduce(parts)


def _hiss(keys: np.ndarray, sample) -> np.ndarray:
    return NOISE_V * noise.normal(keys, sample)


def _wander(keys: np.ndarray, sample) -> np.ndarray:
    return 0.07 * noise.smooth(keys, sample / RATE_HZ, 0.35)


def _push(keys: np.ndarray, counter) -> np.ndarray:
    return noise.normal(keys, counter) + 1j * noise.normal(keys, counter + 1)


@cache
def _mayer(dt_s: float) -> tuple:
    """How far the Mayer wave turns and fades in dt_s, and the size of the push that keeps its variance at 1."""
    turn = np.exp((-1 / 20.0 + TWO_PI * 0.1j) * dt_s)
    return turn, np.sqrt(1 - abs(turn) ** 2)


class Heart:
    """Hearts of all nodes. `beats` int64[n] so far; `beat_s`, `hr_bpm` float64[n]: the last foot, the present rate."""

    def __init__(self, seed: int, nodes: np.ndarray, person):
        self.person, n = person, len(nodes)
        keys = {
            name: noise.key(seed, nodes, name)
            for name in ("beat", "breath", "depth", "mayer", "slow", "noise")
        }
        self.keys = keys
        self.hiss = noise.Ahead(keys["noise"], _hiss)
        self.pushes = noise.Ahead(keys["mayer"], _push)
        self.move_keys = [noise.key(seed, nodes, name) for name in ("move", "move slow", "move fast")]
        self.fidgeting = noise.Ahead(self.move_keys[0], noise.uniform)
        self.breathing = noise.Smooth(keys["breath"], 0.1)
        self.deepening = noise.Smooth(keys["depth"], 0.05)
        self.drifting = noise.Smooth(keys["slow"], 0.03)
        self.wander = noise.Ahead(noise.key(seed, nodes, "wander"), _wander)
        self.phase = noise.uniform(keys["beat"], 1 << 40)
        self.owed = np.zeros(n)  # phase to be given back after an early beat
        self.breath = noise.uniform(keys["breath"], 1 << 40)
        self.mayer = noise.normal(keys["mayer"], 1 << 40) + 1j * noise.normal(keys["mayer"], 1 << 41)
        # of each beat whose wave may still be seen, the newest first: when it began, its size, cells of the table a second
        self.lanes = np.empty((LANES, 3, n))
        self.lanes[:] = np.array([-10.0, 0.0, 1.0 / STEP_S])[:, None]
        waves = _waves(person.contour)
        self.length = waves.shape[1]
        self.wave = waves.ravel()  # each node's own beat, one after another
        self.rise = np.ediff1d(self.wave, to_end=0.0)
        self.rows = np.arange(n) * self.length
        self.beats = np.zeros(n, dtype=np.int64)
        self.beat_s = np.full(n, -10.0)
        self.hr_bpm = person.rest_bpm.copy()
        self.move_from, self.move_to = np.full(n, -1.0), np.full(n, -1.0)
        self.move_v = np.zeros(n)

    def change(self, where: np.ndarray) -> None:
        """Other people's hearts at the nodes of index `where`."""
        self.wave.reshape(-1, self.length)[where] = _waves(self.person.contour[:, where])
        self.rise = np.ediff1d(self.wave, to_end=0.0)
        self.lanes[:, 1, where] = 0.0
        self.owed[where] = self.move_v[where] = 0.0

    def _period(self, t_s: float, dt_s: float, drive: np.ndarray, valence: np.ndarray) -> np.ndarray:
        """Seconds per beat now; moves breath and Mayer wave on by dt_s."""
        p = self.person
        pace = p.breath_hz * (1.0 + 0.45 * drive) * (1.0 + 0.10 * self.breathing.at(t_s))
        self.breath_step = pace * dt_s
        self.breath = (self.breath + self.breath_step) % 1.0
        turn, push = _mayer(dt_s)
        self.mayer = self.mayer * turn + push * self.pushes.at(2 * round(t_s * 1000))
        self.depth = 1.0 + 0.3 * self.deepening.at(t_s)
        vagal = np.exp(-0.7 * drive) * (1.0 + 0.1 * valence)
        rsa = p.rsa_s * vagal * self.depth * (0.25 / pace) * np.sin(TWO_PI * self.breath)
        mayer = p.mayer_s * np.exp(-0.5 * drive) * self.mayer.real
        slow = p.slow_s * np.exp(-0.3 * drive) * self.drifting.at(t_s)
        self.hr_bpm = p.rest_bpm + p.reach_bpm * drive
        rest = 60.0 / self.hr_bpm
        return np.maximum(rest + (rsa + mayer + slow) * (rest / 0.85), 0.3)

    def _beat(self, t_s: float, dt_s: float, period: np.ndarray, drive: np.ndarray) -> None:
        """Set off the beats that fall into this step: at most one per node, as a period is longer than a step."""
        p = self.person
        self.phase += dt_s / period
        hit = (self.phase >= 1.0).nonzero()[0]
        if not hit.size:
            return
        count, phase, period, owed = self.beats[hit], self.phase[hit], period[hit], self.owed[hit]
        keys, count = self.keys["beat"][hit], 4 * count
        jitter, vary = noise.normal(keys, np.array((count, count + 2)))
        late = (phase - 1.0) * period
        onset = t_s + dt_s - late + 0.011 + 0.003 * jitter  # transit time jitters by some ms
        early = np.where(noise.uniform(keys, count + 1) < p.ectopic[hit], 0.3, 0.0)
        small = owed > 0  # this is the early beat: the ventricle is half full
        vary = 1.0 + 0.05 * vary + 0.06 * np.sin(TWO_PI * self.breath[hit] + 1.0)
        size = p.volts[hit] * np.exp(-p.constricts[hit] * drive[hit]) * vary * np.where(small, 0.5, 1.0)
        self.phase[hit] = phase + (early - owed - 1.0)
        self.owed[hit] = early
        self.lanes[1:, :, hit] = self.lanes[:-1, :, hit]
        self.lanes[0][:, hit] = np.array((onset, size, 1.0 / (STEP_S * np.sqrt(period / 0.85))))
        self.beats[hit] += 1
        self.beat_s[hit] = onset

    def _movement(
        self, t_s: float, dt_s: float, times: np.ndarray, drive: np.ndarray, out: np.ndarray
    ) -> None:
        """Add the artefacts of hands that move now to out[n, k]; starts new movements."""
        p, key = self.person, self.move_keys[0]
        now = 8 * round(t_s * 1000)
        start = self.fidgeting.at(now) < p.fidgets_hz * (1.0 + 2.0 * drive) * dt_s
        start &= self.move_to <= t_s
        if np.count_nonzero(start):
            self.move_from = np.where(start, t_s, self.move_from)
            self.move_to = np.where(start, t_s + 0.8 + 3.0 * noise.uniform(key, now + 1), self.move_to)
            self.move_v = np.where(start, p.volts * (0.3 + 1.7 * noise.uniform(key, now + 2)), self.move_v)
        on = (self.move_to > t_s).nonzero()[0]
        if on.size:
            begin, end = self.move_from[on, None], self.move_to[on, None]
            swell = np.sin(np.pi * noise.within((times - begin) / (end - begin), 0, 1)) ** 2
            slow, fast = (noise.smooth(k[on, None], times, f) for k, f in zip(self.move_keys[1:], (3.0, 9.0)))
            out[on] += self.move_v[on, None] * swell * (slow + 0.4 * fast)

    @property
    def moving(self) -> np.ndarray:
        """float64[n]: strength of the movement that began last, as a share of the resting pulse."""
        return self.move_v / self.person.volts

    def step(self, t_s: float, dt_s: float, drive: np.ndarray, valence: np.ndarray) -> np.ndarray:
        """float64[n, k] volts for the k samples at 100 Hz within [t_s, t_s + dt_s)."""
        p = self.person
        before = self.breath
        period = self._period(t_s, dt_s, drive, valence)
        self._beat(t_s, dt_s, period, drive)
        first, k = noise.grid(t_s, dt_s, RATE_HZ)
        times = np.arange(first, first + k) / RATE_HZ
        column = times[:, None]  # sample after sample, as numpy is quickest with long rows
        onset, size, pace = self.lanes[:, :, None].swapaxes(0, 1)
        at = (column - onset) * pace  # [lanes, k, n]
        np.minimum(np.maximum(at, 0.0, out=at), self.length - 1.001, out=at)
        cell = np.floor(at)
        at -= cell
        cell = cell.astype(np.int64)
        cell += self.rows
        waves = size * (self.wave.take(cell) + self.rise.take(cell) * at)
        out = self.hiss.span(first, k) + waves[0]
        for wave in waves[1:]:
            out += wave
        breath = before + self.breath_step * ((column - t_s) / dt_s)
        sway = 0.07 * self.depth * np.sin(TWO_PI * breath) + self.wander.span(first, k)
        out += p.volts * (sway - 0.35)
        self._movement(t_s, dt_s, times, drive, out.T)
        return out.T

"""Random numbers by counter: one independent stream per node, drawn for all nodes at once.

In: a seed, node numbers, a purpose in words; then counters (which beat, which sample).
Out: numpy arrays. There is no generator state: a value depends on (seed, node, purpose, counter) alone, so a
node's stream is the same whatever the number of nodes, of workers, or the order of the calls.
The mixing function is SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
"""

import zlib

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_S11, _S16, _S32 = np.uint64(11), np.uint64(16), np.uint64(32)
_HALVES = np.uint64(0x0000FFFF_0000FFFF)  # every other 16 bits
_ADD = np.uint64(0x00000001_00000001)
_SPREAD = np.sqrt(3.0) / 65536.0


def _mix(z: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser, in place on a fresh uint64 array."""
    z ^= z >> _S30
    z *= _M1
    z ^= z >> _S27
    z *= _M2
    z ^= z >> _S31
    return z


def nodes_of(nodes) -> np.ndarray:
    """uint64[n] node numbers: 0..n-1 for a count, or those that are listed."""
    numbers = range(nodes) if isinstance(nodes, (int, np.integer)) else nodes
    return np.array(list(numbers), dtype=np.uint64)


def key(seed: int, nodes: np.ndarray, purpose: str) -> np.ndarray:
    """uint64[n]: the root of one stream per node for one purpose."""
    root = np.array([(seed & 0xFFFFFFFFFFFFFFFF) ^ (zlib.crc32(purpose.encode()) << 32)], dtype=np.uint64)
    return _mix(_mix(root) + nodes * _GOLDEN)


def bits(keys: np.ndarray, counter) -> np.ndarray:
    """uint64 random bits; keys and counters (integers >= 0) broadcast against each other."""
    return _mix(keys + np.asarray(counter).astype(np.uint64) * _GOLDEN)


def uniform(keys: np.ndarray, counter) -> np.ndarray:
    """float64 in [0, 1), 53 bits."""
    return (bits(keys, counter) >> _S11).astype(np.float64) * 2.0**-53


def normal(keys: np.ndarray, counter) -> np.ndarray:
    """float64, mean 0, variance 1: the sum of four 16-bit uniforms (Irwin-Hall), so within +-3.46."""
    b = bits(keys, counter)
    pairs = (b & _HALVES) + (b >> _S16 & _HALVES)  # two sums of two
    total = pairs * _ADD >> _S32
    return (total.astype(np.float64) - 131070.0) * _SPREAD


def smooth(keys: np.ndarray, t_s: np.ndarray | float, rate_hz) -> np.ndarray:
    """Band-limited noise, mean 0, variance about 1, at times t_s >= 0: hashed values `rate_hz` times a second,
    joined by Hermite's smooth step (value noise, Perlin 1985); its power falls away above rate_hz / 2."""
    at = t_s * rate_hz
    cell = np.floor(at)
    f = at - cell
    cell = cell.astype(np.uint64)
    left, right = normal(keys, cell), normal(keys, cell + np.uint64(1))
    return (left + (right - left) * (f * f * (3.0 - 2.0 * f))) * 1.16  # 1.16: interpolation loses a quarter


class Smooth:
    """`smooth` of one stream at one rate, at a time that moves on slowly: the two hashed values around now are kept."""

    def __init__(self, keys: np.ndarray, rate_hz: float):
        self.keys, self.rate_hz = keys, rate_hz
        self._cell = -1
        self._left = self._rise = np.zeros(0)

    def at(self, t_s: float) -> np.ndarray:
        """float64[n] at t_s >= 0, the same values as `smooth(keys, t_s, rate_hz)`."""
        at = t_s * self.rate_hz
        cell = int(at)
        if cell != self._cell:
            self._cell = cell
            self._left = normal(self.keys, cell)
            self._rise = normal(self.keys, cell + 1) - self._left
        f = at - cell
        return (self._left + self._rise * (f * f * (3.0 - 2.0 * f))) * 1.16


class Ahead:
    """`draw` (normal, uniform, a function of them) of one stream at counters that move on evenly: drawn for many steps at
    once, because numpy takes as long for one step as for ten. The values are those of `draw(keys, counter)`, whatever was
    asked before; nobody writes to them."""

    STEPS = 16

    def __init__(self, keys: np.ndarray, draw=normal):
        self.keys, self.draw = keys[:, None], draw
        self._first, self._stride, self._last = 0, 0, -1
        self._block = np.zeros((0, len(keys)))

    def at(self, counter: int) -> np.ndarray:
        """float64[n]: the values at `counter`."""
        step, rest = divmod(counter - self._first, self._stride or 1)
        if rest or not 0 <= step < len(self._block):
            stride = counter - self._last
            self._stride = stride if self._last >= 0 and stride > 0 else 1
            self._first, step = counter, 0
            self._fill(self.STEPS)
        self._last = counter
        return self._block[step]

    def span(self, first: int, count: int) -> np.ndarray:
        """float64[count, n]: the values at `first`, `first` + 1, ..."""
        at = first - self._first
        if self._stride != 1 or not 0 <= at <= len(self._block) - count:
            self._first, self._stride, at = first, 1, 0
            self._fill(self.STEPS * count)
        return self._block[at : at + count]

    def _fill(self, count: int) -> None:
        counters = self._first + self._stride * np.arange(count)
        self._block = np.ascontiguousarray(self.draw(self.keys, counters).T)


def within(a: np.ndarray, low: float, high: float) -> np.ndarray:
    """`a` (no not-a-numbers) between `low` and `high`; numpy's own clip takes three times as long for a few numbers."""
    return np.minimum(np.maximum(a, low), high)


def grid(t_s: float, dt_s: float, rate_hz: int) -> tuple[int, int]:
    """(first, count) of the sample numbers i whose time i / rate_hz lies in [t_s, t_s + dt_s), on whole milliseconds."""
    start = round(t_s * 1000)
    stop = start + round(dt_s * 1000)
    first = -(-start * rate_hz // 1000)
    return first, -(-stop * rate_hz // 1000) - first

"""A dark room and its strands, drawn from their pixels as light: threads, the glow around them, the floor that mirrors them.

In: per frame uint8[strands, pixels, 3], linear duty of red, green and blue. Out: uint8[height, width, 3], sRGB. All is
added up in linear light: each thread a row of beads, blurred once per octave of size (the bloom of a lens), the same
mirrored in the floor and softened there, then a shoulder and the screen's gamma. Eyes linger for 60 ms, which melts the
dither, and get used to the dark slowly and in part, so that a stirred room still looks brighter than a calm one.
The first pixel is at the hand, below; the strand hangs from `tops`.
"""

import numpy as np

from pulseweave.light.stand import Stand

PITCH_M = 1 / 30  # between pixels: 30 to the metre
LINGER_S = 0.06
ADAPT_S = 3.0
BRIGHT = 0.16  # mean duty that needs no getting used to
GAIN = 5.0
THREAD_M = 0.011  # how wide a thread shines
HALO = (0.50, 0.42, 0.32, 0.25, 0.19, 0.14, 0.10)  # of each octave of the bloom, the finest first
MIRROR = 0.50  # what the floor gives back at its surface
MIRROR_FADE = 0.75  # and how fast that fades, per metre of depth
ROOM = np.array([0.0010, 0.0011, 0.0019], np.float32)  # the night that is left: linear light
CORD = 0.006  # a hair of grey on the cord above
SHADES = 4096


class Cast:
    """How points of light land in a picture of width x height: their sums, pixel by pixel."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, x: np.ndarray, y: np.ndarray, light: np.ndarray, who: np.ndarray) -> None:
        """Points at x, y, each shared by the four picture pixels around it; `who` is the LED that lights it."""
        x, y = x - 0.5, y - 0.5
        i, j = np.floor(x).astype(int), np.floor(y).astype(int)
        u, v = x - i, y - j
        for di, dj, k in ((0, 0, (1 - u) * (1 - v)), (1, 0, u * (1 - v)), (0, 1, (1 - u) * v), (1, 1, u * v)):
            a, b = i + di, j + dj
            here = (a >= 0) & (a < self.width) & (b >= 0) & (b < self.height)
            self.parts.append(((b * self.width + a)[here], (light * k)[here], who[here]))

    def close(self) -> "Cast":
        """All points are there."""
        place, share, who = (np.concatenate(p) for p in zip(*self.parts))
        order = np.argsort(place, kind="stable")
        self.places, self.starts = np.unique(place[order], return_index=True)
        self.share, self.who = share[order].astype(np.float32)[:, None], who[order]
        self.parts = []
        return self

    def of(self, light: np.ndarray) -> np.ndarray:
        """float32[height, width, 3] of `light` float32[leds, 3]."""
        out = np.zeros((self.height * self.width, 3), np.float32)
        if len(self.places):
            out[self.places] = np.add.reduceat(light[self.who] * self.share, self.starts, axis=0)
        return out.reshape(self.height, self.width, 3)


class Picture:
    """Draws one room at one size; `draw` is called frame by frame."""

    def __init__(self, tops: np.ndarray, pixels: int, width: int = 960, height: int = 540):
        tops = np.asarray(tops, float)
        self.width, self.height = width, height
        length = pixels * PITCH_M
        # a strand longer than the room is high is hung higher, not shortened
        tops = np.column_stack((tops[:, :2], np.maximum(tops[:, 2], length + 0.25)))
        self.stand = Stand(tops, length, width, height)
        self.strands, self.pixels, self.length = len(tops), pixels, length
        half = (width + 1) // 2, (height + 1) // 2
        self.threads, self.near, self.floor = Cast(width, height), Cast(*half), Cast(*half)
        for i, top in enumerate(tops):
            self._hang(i, top)
        for cast in (self.threads, self.near, self.floor):
            cast.close()
        self.now: np.ndarray | None = None
        self.exposure = 0.0
        self.noise = np.random.default_rng(1).random((height, width, 1), np.float32) * np.float32(
            SHADES / 255
        )
        self.night = self._night(tops)
        shade = (np.arange(SHADES + 64) / SHADES * 2.2) ** 2  # square roots of linear light to 4.84
        shown = 1 - np.exp(-shade)
        self.shades = (
            255 * np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
        ).astype(np.uint8)

    def _hang(self, i: int, top: np.ndarray) -> None:
        """Strand `i` as points of light, in the air and in the floor."""
        stand, n = self.stand, self.pixels
        foot = top - [0, 0, self.length]
        ends, _ = stand.project(np.array([foot, top]))
        steps = max(n, int(np.hypot(*(ends[1] - ends[0])) * 1.4))
        v = (np.arange(steps) + 0.5) / steps
        points = foot + (top - foot) * v[:, None]
        who = np.minimum((v * n).astype(int), n - 1) + i * n
        f = v * n % 1 - 0.5
        xy, far = stand.project(points)
        near = stand.focal / far  # picture pixels per metre
        width = np.maximum(1.0, 2 * THREAD_M * near)
        light = (
            (0.5 + np.exp(-f * f * 16))
            * near
            * self.length
            / steps
            * np.clip(1.4 - 0.4 * far / stand.depth, 0.5, 1)
        )
        rows = max(
            1, round(float(width.mean()))
        )  # a thread wider than a picture pixel is several rows of points
        for r in range(rows):
            self.threads.add(xy[:, 0] + (r - (rows - 1) / 2) * 0.7, xy[:, 1], light * width / rows, who)
        self.near.add(xy[:, 0] / 2, xy[:, 1] / 2, light * width / 2, who)
        below = points * [1, 1, -1]
        xy, _ = stand.project(below)
        self.floor.add(
            xy[:, 0] / 2, xy[:, 1] / 2, light * width / 2 * MIRROR * np.exp(MIRROR_FADE * below[:, 2]), who
        )

    def _night(self, tops: np.ndarray) -> np.ndarray:
        """What is there without any light: the room's dark, and the cords up to the ceiling."""
        out = np.empty((self.height, self.width, 3), np.float32)
        down = np.clip((np.arange(self.height) / self.height - 0.5), 0, 1)[:, None, None]
        out[:] = ROOM * (1 + 2.2 * down).astype(np.float32)
        cords = Cast(self.width, self.height)
        for top in tops:
            points = top + np.array([0, 0, 1.0]) * np.linspace(0, 2.5, 400)[:, None]
            xy, far = self.stand.project(points)
            fade = CORD * np.exp(-1.1 * (points[:, 2] - top[2])) * self.stand.depth / far
            cords.add(xy[:, 0], xy[:, 1], fade, np.zeros(400, int))
        return out + cords.close().of(np.ones((1, 3), np.float32))

    def draw(self, frame: np.ndarray, dt_s: float = 0.04) -> np.ndarray:
        """The picture `dt_s` after the last one."""
        light = frame.astype(np.float32) / np.float32(255)
        if self.now is None:
            self.now = light
        else:
            self.now = self.now + (light - self.now) * np.float32(1 - np.exp(-dt_s / LINGER_S))
        goal = float(np.clip((BRIGHT / max(float(self.now.mean()), 1e-4)) ** 0.65, 0.8, 4.0))
        self.exposure += (goal - self.exposure) * (1 - np.exp(-dt_s / ADAPT_S) if self.exposure else 1)
        glow = self.now.reshape(-1, 3) * np.float32(GAIN * self.exposure)
        # the floor is matt: what it mirrors is smeared, and more downwards than sideways
        floor = self.floor.of(glow)
        floor = smear(soft(floor), 2 * self.height // 540 or 1)
        floor = floor * np.float32(0.6) + smear(soft(soft(floor)), 12 * self.height // 540 or 1) * np.float32(
            0.9
        )
        air = bloom(self.near.of(glow) + floor * np.float32(0.5)) + floor
        out = doubled(air, (self.height, self.width))
        out += self.night
        out += self.threads.of(glow)
        np.sqrt(out, out=out)
        out *= np.float32(SHADES / 2.2)
        out += self.noise
        return self.shades[np.minimum(out, SHADES + 63).astype(np.int16)]


def smear(a: np.ndarray, reach: int) -> np.ndarray:
    """Mean over `reach` rows up and down."""
    total = np.cumsum(np.pad(a, ((reach + 1, reach), (0, 0), (0, 0)), mode="edge"), axis=0, dtype=np.float32)
    return (total[2 * reach + 1 :] - total[: -2 * reach - 1]) / np.float32(2 * reach + 1)


def bloom(light: np.ndarray) -> np.ndarray:
    """The glow around light: one blur per octave of size, weighed by HALO."""
    levels = [soft(light)]
    while len(levels) < len(HALO) and min(levels[-1].shape[:2]) >= 8:
        levels.append(soft(halved(levels[-1])))
    out = levels[-1] * np.float32(HALO[len(levels) - 1])
    for k in range(len(levels) - 2, -1, -1):
        out = doubled(out, levels[k].shape) + levels[k] * np.float32(HALO[k])
    return out


def halved(a: np.ndarray) -> np.ndarray:
    """Half the size, mean of four."""
    a = np.pad(a, ((0, a.shape[0] % 2), (0, a.shape[1] % 2), (0, 0)), mode="edge")
    a = a[0::2] + a[1::2]
    return (a[:, 0::2] + a[:, 1::2]) * np.float32(0.25)


def soft(a: np.ndarray) -> np.ndarray:
    """Blurred with 1 4 6 4 1 in both directions."""
    for _ in range(2):
        p = np.pad(a, ((2, 2), (0, 0), (0, 0)), mode="edge")
        a = (p[:-4] + p[4:] + 4 * (p[1:-3] + p[3:-1]) + 6 * p[2:-2]) * np.float32(1 / 16)
        a = a.swapaxes(0, 1)
    return a


def doubled(a: np.ndarray, shape) -> np.ndarray:
    """Twice the size (cut to `shape`), linear between the cells' centres."""
    for axis in (0, 1):
        p = np.pad(a, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
        p = np.moveaxis(p, axis, 0)
        mine = p[1:-1] * np.float32(0.75)
        out = np.empty((2 * len(mine), *p.shape[1:]), np.float32)
        out[0::2] = mine + p[:-2] * np.float32(0.25)
        out[1::2] = mine + p[2:] * np.float32(0.25)
        a = np.moveaxis(out[: shape[axis]], 0, axis)
    return np.ascontiguousarray(a)

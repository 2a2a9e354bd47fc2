"""Flashes, counted from pixels alone: WCAG 2.x success criterion 2.3.1 for strands of light.

In: frames `[strands, pixels, rgb or rgbw]`, uint8 PWM counts or floats 0..1, each with its time in s. Out: a
`Report`. A PWM count is linear light, so relative luminance is 0.2126 R + 0.7152 G + 0.0722 B of counts / 255;
`encoding="srgb"` reads the same bytes as a screen would. White of a fourth channel is added to all three.

  general flash   a pair of opposing changes in relative luminance of 0.10 or more, the darker state below 0.80
  red flash       a pair of opposing changes of (R-G-B) x 320 by more than 20, a state of each being saturated red
                  (R / (R+G+B) >= 0.8)
Limits: three of either within any second. https://www.w3.org/TR/WCAG22/#dfn-general-flash-and-red-flash-thresholds

Counted on every pixel, on every strand's mean and on the mean of the room. WCAG excuses small areas; nothing
is excused here. The code shares nothing with the firmware's limiter.
"""

from collections import deque
from dataclasses import asdict, dataclass

import numpy as np

CHANGE = 0.10
DARKER = 0.80
RED_CHANGE = 20.0
RED_SHARE = 0.80
WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)
TOLERANCE = 1e-6  # a change of exactly a tenth counts, in 32-bit floats too
BLOCK = (
    32  # frames looked at together, fewer in large rooms, where a block shall stay in the processor's cache
)
BLOCK_SIGNALS = 1 << 16
SHADE = 16 / 255  # red below this can reach no red flash: its hue is dither, not colour


@dataclass(frozen=True)
class Report:
    """The worst second of a run. Flashes are pairs of opposing changes, so halves occur."""

    flashes_per_s_max: float
    red_flashes_per_s_max: float
    red_fraction_max: float  # largest R/(R+G+B) of a pixel with R >= 16/255
    worst_s: float  # end of the worst second, in s from the start
    worst_where: str  # "room", "strand 3" or "strand 3 pixel 17"
    reversal_ms_min: (
        float | None
    )  # shortest time between two turning points of 0.10 or more; None: fewer than two
    step_max: float  # largest change of luminance between two frames


class Zigzag:
    """Opposing changes of at least `change` in many signals at once, a block of frames at a time."""

    def __init__(self, first: np.ndarray, t_s: float, change: float, darker: float = np.inf):
        self.change, self.darker = np.float32(change - TOLERANCE), np.float32(darker)
        self.high, self.low = first.copy(), first.copy()
        self.high_at = np.full(first.shape, t_s)
        self.low_at = np.full(first.shape, t_s)
        self.way = np.zeros(first.shape, np.int8)  # of the last change: 1 up, -1 down, 0 none yet
        self.turned = np.full(first.shape, -np.inf)
        self.gap = np.inf

    def push(self, v: np.ndarray, times: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """The next frames of every signal, v[frames, signals] at `times`; (frame, indices of the signals whose opposing
        change is complete there), frames without any left out."""
        top, bottom = v.max(axis=0), v.min(axis=0)
        more, less = (top > self.high).nonzero()[0], (bottom < self.low).nonzero()[0]
        # where even the extremes are too close together nothing can be complete: most signals, in most blocks
        far = np.maximum(top, self.high) - np.minimum(bottom, self.low) >= self.change
        changes = self._follow(far.nonzero()[0], v, times) if far.any() else []
        more, less = more[~far[more]], less[~far[less]]
        if more.size:
            self.high[more], self.high_at[more] = top[more], times[v[:, more].argmax(axis=0)]
        if less.size:
            self.low[less], self.low_at[less] = bottom[less], times[v[:, less].argmin(axis=0)]
        return changes

    def _follow(self, far: np.ndarray, block: np.ndarray, times: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Frame by frame, for the signals `far`."""
        changes = []
        for i, t_s in enumerate(times.tolist()):
            v, high, low = block[i, far], self.high[far], self.low[far]
            more, less = v > high, v < low
            if more.any():
                who = far[more]
                self.high[who], self.high_at[who] = v[more], t_s
                high = np.maximum(high, v)
            if less.any():
                who = far[less]
                self.low[who], self.low_at[who] = v[less], t_s
                low = np.minimum(low, v)
            up, down = (v - low >= self.change).nonzero()[0], (high - v >= self.change).nonzero()[0]
            if up.size:
                up = up[(self.way[far[up]] <= 0) & (low[up] < self.darker)]
            if down.size:
                down = down[(self.way[far[down]] >= 0) & (v[down] < self.darker)]
            self._turn(far[up], self.low_at, 1, v[up], t_s)
            self._turn(far[down], self.high_at, -1, v[down], t_s)
            if up.size or down.size:
                changes.append((i, far[np.concatenate((up, down))]))
        return changes

    def _turn(self, done: np.ndarray, at: np.ndarray, way: int, v: np.ndarray, t_s: float) -> None:
        """Changes complete at `done`: each began at its signal's last extreme, which is a turning point."""
        if not done.size:
            return
        here = at[done]
        self.gap = min(self.gap, float((here - self.turned[done]).min()))
        # the very first change of a signal begins at no turning point
        self.turned[done] = np.where(self.way[done] == 0, -np.inf, here)
        self.way[done] = way
        self.high[done] = self.low[done] = v
        self.high_at[done] = self.low_at[done] = t_s


class Counter:
    """How many changes each signal had within the last second."""

    def __init__(self, signals: int):
        self.count = np.zeros(signals, np.int16)
        self.recent: deque[tuple[float, np.ndarray]] = deque()
        self.worst = (0, 0.0, 0)  # changes, s, signal

    def add(self, changed: np.ndarray, t_s: float) -> None:
        """Changes of one frame, by index."""
        while self.recent and self.recent[0][0] < t_s - 1.0 - TOLERANCE:
            self.count[self.recent.popleft()[1]] -= 1
        if changed.size:
            self.recent.append((t_s, changed))
            self.count[changed] += 1
            most = int(changed[self.count[changed].argmax()])
            if self.count[most] > self.worst[0]:
                self.worst = (int(self.count[most]), t_s, most)


class FlashMeter:
    """Watches a room of `strands` x `pixels` as it shines: `push` every frame, then `report`.

    Frames are looked at in blocks, which costs a tenth of looking at each: `worst` and the reports bring it up to date.
    """

    def __init__(self, strands: int, pixels: int, encoding: str = "linear"):
        """`encoding` "linear" (LED strands) or "srgb"; ValueError for anything else."""
        if encoding not in ("linear", "srgb"):
            raise ValueError(f"encoding {encoding!r} is neither 'linear' nor 'srgb'")
        self.strands, self.pixels, self.encoding = strands, pixels, encoding
        self.frames = 0
        self.red_fraction = 0.0
        self.step = 0.0
        signals = 1 + strands + strands * pixels
        self.general, self.red = Counter(signals), Counter(signals)
        self.zigzag = None
        self.block = max(2, min(BLOCK, BLOCK_SIGNALS // signals))
        self._waiting: list[np.ndarray] = []
        self._times: list[float] = []

    def push(self, frame: np.ndarray, t_s: float) -> None:
        """One frame `[strands, pixels, 3 or 4]` at `t_s`, which never goes back; the frame must stay as it is."""
        self._waiting.append(frame)
        self._times.append(t_s)
        self.frames += 1
        if len(self._times) >= self.block:
            self._look()

    def _look(self) -> None:
        """At all frames that wait."""
        if not self._times:
            return
        light, red, saturated = self._signals(np.stack(self._waiting))
        times = np.array(self._times)
        self._waiting, self._times = [], []
        if self.zigzag is None:
            self.zigzag = Zigzag(light[0], times[0], CHANGE, DARKER)
            self.reds = Zigzag(red[0], times[0], RED_CHANGE + 2 * TOLERANCE)
            self.was_red = np.zeros(len(red[0]), bool)
            self.last = light[0]
        self.step = max(self.step, float(np.abs(np.diff(light, axis=0, prepend=self.last[None])).max()))
        self.last = light[-1].copy()
        for i, changed in self.zigzag.push(light, times):
            self.general.add(changed, times[i])
        self._reds(red, saturated, times)

    def _reds(self, red: np.ndarray, saturated: np.ndarray, times: np.ndarray) -> None:
        """Changes of red count where, of the states since the change before, one at least was saturated."""
        changes = self.reds.push(red, times)
        if changes:
            at = np.where(saturated, np.arange(len(red))[:, None], -1)
            at = np.maximum.accumulate(at, axis=0)  # the last saturated frame, up to every frame
            since = np.zeros(red.shape[1], np.int64)
            for i, changed in changes:
                seen = self.was_red[changed] | (at[i, changed] >= since[changed])
                self.red.add(changed[seen], times[i])
                self.was_red[changed], since[changed] = False, i
            self.was_red |= at[-1] >= since
        else:
            self.was_red |= saturated.any(axis=0)

    @property
    def worst(self) -> tuple[float, float]:
        """(most flashes of either kind in any second so far, end of that second in s)."""
        self._look()
        most = max(self.general.worst, self.red.worst)
        return most[0] / 2, most[1]

    def _signals(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """[frames, signals]: luminance and (R-G-B) x 320 of room, strands and pixels, and where the red is saturated."""
        light = frames.astype(np.float32)
        if frames.dtype == np.uint8:
            light /= np.float32(255)
        if light.shape[-1] == 4:
            light = light[..., :3] + light[..., 3:]
        if self.encoding == "srgb":
            light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
        strands = light.mean(axis=2)
        pixels = light.reshape(len(light), -1, 3)
        every = np.concatenate((strands.mean(axis=1)[:, None], strands, pixels), axis=1)
        r, other = every[..., 0], every[..., 1] + every[..., 2]
        shade = r >= SHADE
        saturated = (r * (1 - RED_SHARE) >= RED_SHARE * other - TOLERANCE) & shade
        if shade.any():
            self.red_fraction = max(self.red_fraction, float((r[shade] / (r + other)[shade]).max()))
        return every @ WEIGHTS, np.maximum(0, r - other) * 320, saturated

    def report(self) -> dict:
        """What was seen so far, as the numbers of `Report`."""
        return asdict(self.result())

    def result(self) -> Report:
        """What was seen so far."""
        self._look()
        changes, t_s, signal = self.general.worst
        where = "room"
        if signal > self.strands:
            strand, pixel = divmod(signal - 1 - self.strands, self.pixels)
            where = f"strand {strand} pixel {pixel}"
        elif signal:
            where = f"strand {signal - 1}"
        gap = self.zigzag.gap if self.zigzag else np.inf
        return Report(
            flashes_per_s_max=changes / 2,
            red_flashes_per_s_max=self.red.worst[0] / 2,
            red_fraction_max=round(self.red_fraction, 4),
            worst_s=round(t_s, 3),
            worst_where=where,
            reversal_ms_min=round(gap * 1000, 1) if np.isfinite(gap) else None,
            step_max=round(self.step, 5),
        )


def analyse(frames: np.ndarray, fps: float, encoding: str = "linear") -> Report:
    """The report of a recording `[frames, strands, pixels, 3 or 4]` at `fps` frames per second (above 0)."""
    if fps <= 0:
        raise ValueError(f"frame rate {fps} is not above 0")
    meter = FlashMeter(frames.shape[1], frames.shape[2], encoding)
    for i, frame in enumerate(frames):
        meter.push(frame, i / fps)
    return meter.result()

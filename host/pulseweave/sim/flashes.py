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
    """Opposing changes of at least `change` in many signals at once, seen frame by frame."""

    def __init__(self, first: np.ndarray, t_s: float, change: float, darker: float = np.inf):
        self.change, self.darker = change - TOLERANCE, darker
        self.high, self.low = first.copy(), first.copy()
        self.high_at = np.full(first.shape, t_s)
        self.low_at = np.full(first.shape, t_s)
        self.way = np.zeros(first.shape, np.int8)  # of the last change: 1 up, -1 down, 0 none yet
        self.turned = np.full(first.shape, -np.inf)
        self.gap = np.inf

    def push(self, v: np.ndarray, t_s: float) -> np.ndarray:
        """The next value of every signal; returns the indices where an opposing change is complete now."""
        more, less = (v > self.high).nonzero()[0], (v < self.low).nonzero()[0]
        if more.size:
            self.high[more], self.high_at[more] = v[more], t_s
        if less.size:
            self.low[less], self.low_at[less] = v[less], t_s
        # few signals go far enough: the rest of the conditions is for those
        up = (v - self.low >= self.change).nonzero()[0]
        down = (self.high - v >= self.change).nonzero()[0]
        if up.size:
            up = up[(self.way[up] <= 0) & (self.low[up] < self.darker)]
        if down.size:
            down = down[(self.way[down] >= 0) & (v[down] < self.darker)]
        self._turn(up, self.low_at, 1, v, t_s)
        self._turn(down, self.high_at, -1, v, t_s)
        return np.concatenate((up, down))

    def _turn(self, done: np.ndarray, at: np.ndarray, way: int, v: np.ndarray, t_s: float) -> None:
        """Changes complete at `done`: each began at its signal's last extreme, which is a turning point."""
        if not done.size:
            return
        here = at[done]
        self.gap = min(self.gap, float((here - self.turned[done]).min()))
        # the very first change of a signal begins at no turning point
        self.turned[done] = np.where(self.way[done] == 0, -np.inf, here)
        self.way[done] = way
        self.high[done] = self.low[done] = v[done]
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
    """Watches a room of `strands` x `pixels` as it shines: `push` every frame, then `report`."""

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

    def frame(self, t_s: float, strands) -> None:
        """The frame on `strands` (anything with `rgb()`) at `t_s`."""
        self.push(strands.rgb(), t_s)

    def push(self, frame: np.ndarray, t_s: float) -> None:
        """One frame `[strands, pixels, 3 or 4]` at `t_s`, which never goes back."""
        light, red, saturated = self._signals(frame)
        if self.zigzag is None:
            self.zigzag = Zigzag(light, t_s, CHANGE, DARKER)
            self.reds = Zigzag(red, t_s, RED_CHANGE + 2 * TOLERANCE)
            self.was_red = saturated.copy()
        else:
            self.step = max(self.step, float(np.abs(light - self.last).max()))
            self.general.add(self.zigzag.push(light, t_s), t_s)
            # of the states since the last change of red, one at least was saturated
            self.was_red |= saturated
            changed = self.reds.push(red, t_s)
            self.red.add(changed[self.was_red[changed]], t_s)
            self.was_red[changed] = saturated[changed]
        self.last = light
        self.frames += 1

    def _signals(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Luminance and (R-G-B) x 320 of the room, strands and pixels, and where the red is saturated."""
        light = frame.astype(np.float32)
        if frame.dtype == np.uint8:
            light /= np.float32(255)
        if light.shape[-1] == 4:
            light = light[..., :3] + light[..., 3:]
        if self.encoding == "srgb":
            light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
        strands = light.mean(axis=1)
        every = np.concatenate((strands.mean(axis=0)[None], strands, light.reshape(-1, 3)))
        r, other = every[:, 0], every[:, 1] + every[:, 2]
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

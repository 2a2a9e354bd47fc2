"""Where strands hang, how their pixels look to an eye, and what each visitor sees.

Pixels are PWM duty, so they are linear light. Luminance uses the ITU-R BT.709 weights (0.2126, 0.7152, 0.0722); the
white of an RGBW strand counts as one more unit on all three.
"""

import numpy as np

from pulseweave.problem import Problem

FAINTEST = 1e-3  # of full luminance: less between level 0 and 1 is no message
WEIGHTS = np.array([0.2126, 0.7152, 0.0722])
GOLDEN = np.pi * (3 - np.sqrt(5))


def layout(kind: str, nodes: int, spacing: float) -> np.ndarray:
    """Positions float[nodes, 3] in metres: x, y on the floor, z the height of the strand's top."""
    i = np.arange(nodes)
    if kind == "canopy":
        r = spacing * np.sqrt(i + 0.5) / np.sqrt(np.pi) * 1.77
        xy = np.stack([r * np.cos(i * GOLDEN), r * np.sin(i * GOLDEN)], axis=1)
    elif kind == "grid":
        side = int(np.ceil(np.sqrt(nodes)))
        xy = np.stack([i % side, i // side], axis=1) * spacing
        xy = xy - xy.mean(axis=0)
    elif kind == "line":
        xy = np.stack([(i - (nodes - 1) / 2) * spacing, np.zeros(nodes)], axis=1)
    elif kind == "hall":
        wide = spacing * np.sqrt(nodes / 1.8)
        # Roberts' R2 sequence fills a rectangle evenly, but on no lattice
        xy = ((i[:, None] * [0.7548776662466927, 0.5698402909980532] + 0.5) % 1.0 - 0.5) * [1.8 * wide, wide]
    else:
        raise Problem(f"room layout {kind!r} is unknown: use canopy, grid, hall or line")
    z = 3.2 + 0.5 * np.sin(1.7 * i)
    return np.column_stack([xy, z])


def clusters(positions: np.ndarray, largest: int) -> np.ndarray:
    """int[nodes]: which cluster each node belongs to, none larger than `largest`; halves the room along its longer side
    until that holds, so that clusters are compact. One cluster is one Wi-Fi channel and one table of the mesh."""
    number = np.zeros(len(positions), int)
    waiting, done = [np.arange(len(positions))], []
    while waiting:
        part = waiting.pop(0)
        if len(part) <= largest:
            done.append(part)
            continue
        place = positions[part, :2]
        axis = int(np.argmax(np.ptp(place, axis=0)))
        order = part[np.argsort(place[:, axis], kind="stable")]
        waiting += [order[: len(order) // 2], order[len(order) // 2 :]]
    for i, part in enumerate(sorted(done, key=lambda p: int(p.min()))):
        number[part] = i
    return number


class Strands:
    """All strands of the room as one array of wire bytes; `order` such as "GRB" or "GRBW"."""

    def __init__(self, nodes: int, pixels: int, order: str):
        self.nodes, self.count, self.order = nodes, pixels, order
        self.wire = np.zeros((nodes, pixels, len(order)), np.uint8)
        self.bytes = pixels * len(order)  # of one strand
        self.memory = self.wire.data.cast("B")
        self.index = [order.index(c) for c in "RGB"]
        self.white = order.index("W") if "W" in order else None
        w = np.zeros(len(order))
        w[self.index] = WEIGHTS
        if self.white is not None:
            w[self.white] = 1.0
        self.weights = (w / 255.0).astype(np.float32)

    def rgb(self) -> np.ndarray:
        """uint8[nodes, pixels, 3]: what an eye gets, white folded in (clipped at full scale)."""
        rgb = np.empty((self.nodes, self.count, 3), np.uint8)
        for i, channel in enumerate(self.index):  # quicker than picking three at once
            rgb[:, :, i] = self.wire[:, :, channel]
        if self.white is None:
            return rgb
        white = self.wire[:, :, self.white, None].astype(np.uint16)
        return np.minimum(rgb + white, 255).astype(np.uint8)

    def sums(self) -> np.ndarray:
        """float32[nodes, channels]: each channel summed over the strand; exact up to 65793 pixels."""
        return np.add.reduce(self.wire, axis=1, dtype=np.float32)

    def luminance(self, sums: np.ndarray | None = None) -> np.ndarray:
        """float32[nodes]: mean linear luminance of every strand, 0..1 for RGB at full white."""
        return (self.sums() if sums is None else sums) / np.float32(self.count) @ self.weights

    def current_ma(self, sums: np.ndarray | None = None) -> np.ndarray:
        """float[nodes]: 20 mA per channel at full duty and 1 mA per pixel's controller (WS2812B, SK6812 data sheets)."""
        sums = self.sums() if sums is None else sums
        return np.add.reduce(sums, axis=1, dtype=np.float64) * (20 / 255) + self.count


class Eyes:
    """What visitors see: luminance averaged over a step, on the scale the scene itself spans between level 0 and 1."""

    def __init__(self, nodes: int, low: float, high: float):
        self.sum = np.zeros(nodes, np.float32)
        self.ticks = 0
        self.scale(low, high)

    def scale(self, low: float, high: float) -> None:
        """The scene's luminance at level 0 and at level 1; a scene that does not carry the level (vigil) says nothing."""
        self.low = low
        self.gain = 1.0 / (high - low) if high - low > FAINTEST else 0.0

    def look(self, luminance: np.ndarray) -> None:
        """One tick of light."""
        self.sum += luminance
        self.ticks += 1

    def seen(self) -> np.ndarray:
        """float64[nodes] 0..1 since the last call; what is darker or brighter than the scene's span is clipped."""
        light = (self.sum / max(self.ticks, 1) - self.low) * self.gain
        self.sum[:] = 0
        self.ticks = 0
        return np.clip(light, 0.0, 1.0).astype(np.float64)

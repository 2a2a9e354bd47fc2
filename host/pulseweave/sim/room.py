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
    """All strands of the room: wire bytes in the order of `order`, such as "GRB" or "GRBW".

    `wire` uint8[nodes, pixels, channels] is what they show now. Each picture is an array of its own, which nobody writes
    to afterwards: whoever wants to look at many of them at once keeps them, and asks with a leading axis.
    """

    def __init__(self, nodes: int, pixels: int, order: str):
        self.nodes, self.count, self.order = nodes, pixels, order
        self.shape = nodes, pixels, len(order)
        self.wire: np.ndarray = np.zeros(self.shape, np.uint8)
        self.bytes = pixels * len(order)  # of one strand
        self.index = [order.index(c) for c in "RGB"]
        self.white = order.index("W") if "W" in order else None
        w = np.zeros(len(order))
        w[self.index] = WEIGHTS
        if self.white is not None:
            w[self.white] = 1.0
        self.weights = (w / 255.0).astype(np.float32)
        # adds up the channels of a strand: whole numbers below 2**24, so that the order of a product does not matter
        self._adds = np.tile(np.eye(len(order), dtype=np.float32), (pixels, 1))

    def rgb(self, wire: np.ndarray | None = None) -> np.ndarray:
        """uint8[..., nodes, pixels, 3]: what an eye gets, white folded in (clipped at full scale)."""
        wire = self.wire if wire is None else wire
        rgb = np.empty((*wire.shape[:-1], 3), np.uint8)
        for i, channel in enumerate(self.index):  # quicker than picking three at once
            rgb[..., i] = wire[..., channel]
        if self.white is None:
            return rgb
        white = wire[..., self.white, None].astype(np.uint16)
        return np.minimum(rgb + white, 255).astype(np.uint8)

    def sums(self, wire: np.ndarray | None = None) -> np.ndarray:
        """float32[..., nodes, channels]: each channel summed over the strand; exact up to 65793 pixels."""
        wire = self.wire if wire is None else wire
        return wire.reshape(*wire.shape[:-2], self.bytes).astype(np.float32) @ self._adds

    def luminance(self, wire: np.ndarray | None = None) -> np.ndarray:
        """float32[..., nodes]: mean linear luminance of every strand, 0..1 for RGB at full white."""
        return self.sums(wire) / np.float32(self.count) @ self.weights

    def current_ma(self, wire: np.ndarray | None = None) -> np.ndarray:
        """float[..., nodes]: 20 mA per channel at full duty, 1 mA per pixel (WS2812B, SK6812 data sheets)."""
        return np.add.reduce(self.sums(wire), axis=-1, dtype=np.float64) * (20 / 255) + self.count


class Eyes:
    """What visitors see: luminance averaged over a step, on the scale the scene itself spans between level 0 and 1."""

    def __init__(self, strands: Strands, low: float, high: float):
        self.strands = strands
        self._wires: list[np.ndarray] = []
        self._ticks: list[int] = []
        self.scale(low, high)

    def scale(self, low: float, high: float) -> None:
        """The scene's luminance at level 0 and at level 1; a scene that does not carry the level (vigil) says nothing."""
        self.low = low
        self.gain = 1.0 / (high - low) if high - low > FAINTEST else 0.0

    def look(self) -> None:
        """One tick of light."""
        if self._wires and self._wires[-1] is self.strands.wire:
            self._ticks[-1] += 1
        else:
            self._wires.append(self.strands.wire)
            self._ticks.append(1)

    def seen(self) -> np.ndarray:
        """float64[nodes] 0..1 since the last call; what is darker or brighter than the scene's span is clipped."""
        ticks = np.array(self._ticks, np.float32)
        light = (ticks / ticks.sum()) @ self.strands.luminance(np.stack(self._wires))
        self._wires, self._ticks = [], []
        return np.clip((light - self.low) * self.gain, 0.0, 1.0).astype(np.float64)

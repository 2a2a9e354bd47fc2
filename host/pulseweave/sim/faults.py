"""What goes wrong with sensors: faults to be switched on and off per node.

In: converted signals (`frontend.py`), the faults that are set. Out: the signals as the broken sensor delivers them,
and `flags` uint8[n] for the shim that plays the chip's bus.

| fault | analog pulse sensor | MAX30102 |
| --- | --- | --- |
| pulse_unplugged | the pin floats: mains hum upon a slow drift | NACK: no answer at its address |
| pulse_shorted | lowest count | HANG |
| pulse_saturated | highest count | highest count |
| motion | a hand in motion: 0.3-4 Hz, larger than any pulse | the same |
| flicker_100, flicker_120 | lamps, folded to near 0 and to 20 Hz | a tenth: the chip cancels ambient light |
| skin_unplugged | the pin floats | |
| skin_shorted | lowest count: electrodes touch each other | |
| i2c_hang | | HANG: SDA held low, every transfer raises OSError |
| fifo_overflow | | OVERFLOW: the FIFO fills between readings, samples are lost and counted |
| rate_fast, rate_slow | | FAST, SLOW: one sample in twenty comes twice, or not at all |
"""

import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim import noise
from pulseweave.sim.frontend import ADC_HIGHEST, ADC_LOWEST, IR_FULL

NACK, HANG, OVERFLOW, FAST, SLOW = 1, 2, 4, 8, 16
_FLAGS = {"i2c_hang": HANG, "fifo_overflow": OVERFLOW, "rate_fast": FAST, "rate_slow": SLOW}
_BOTH = ("motion", "flicker_100", "flicker_120", "pulse_unplugged", "pulse_shorted", "pulse_saturated")
KINDS = (*_BOTH, "skin_unplugged", "skin_shorted", *_FLAGS)
LAMP_HZ = {"flicker_100": 100.04, "flicker_120": 120.05}  # mains is never quite on its frequency


class Faults:
    """The faults of all nodes. board, seed, nodes: as for `FrontEnd`."""

    def __init__(self, board: dict, seed: int, nodes):
        numbers = noise.nodes_of(nodes)
        self.optical = board["pulse"]["kind"] == "max30102"
        self.key = noise.key(seed, numbers, "faults")
        self.on = {kind: np.zeros(len(numbers), dtype=bool) for kind in KINDS}
        self.any = False  # whether some node has some fault
        self.at = 0

    def set(self, kind: str, nodes: slice | list[int] = slice(None), on: bool = True) -> None:
        """Switch a fault on or off at some nodes (index, list, mask; all by default). Raises Problem as `check`."""
        self.check(kind)
        self.on[kind][nodes] = on
        self.any = any(mask.any() for mask in self.on.values())

    def check(self, kind: str) -> None:
        """Raises Problem on a fault that is unknown, or cannot be with this board's sensors."""
        if kind not in self.on:
            raise Problem(f"fault {kind!r} is unknown: use one of {', '.join(KINDS)}")
        if kind in _FLAGS and not self.optical:
            raise Problem(f"fault {kind!r} is of a sensor on a bus: this board's pulse sensor is analog")

    @property
    def flags(self) -> np.ndarray:
        """uint8[n], the sum of NACK, HANG, OVERFLOW, FAST, SLOW; all 0 on an analog board."""
        out = np.zeros(len(self.key), dtype=np.uint8)
        for kind, flag in _FLAGS.items():
            out[self.on[kind]] |= flag
        if self.optical:
            out[self.on["pulse_unplugged"]] |= NACK
            out[self.on["pulse_shorted"]] |= HANG
        return out

    def apply(self, pulse: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pulse uint32[n, k], skin uint16[n]) with the faults in them; the inputs are left as they are."""
        k = pulse.shape[1]
        self.at += k
        if not self.any:
            return pulse, skin
        index = np.arange(self.at - k, self.at)
        lowest, highest = (0, IR_FULL) if self.optical else (ADC_LOWEST, ADC_HIGHEST)
        t, key = index / 100.0, self.key[:, None]
        out, feel = pulse.astype(np.float64), skin.astype(np.float64)
        on = self.on
        if on["motion"].any():
            hand = noise.smooth(key, t, 4.0) + noise.smooth(key, t + 1e5, 1.2)
            out += on["motion"][:, None] * hand * (30000.0 if self.optical else 1200.0)
            feel += on["motion"] * 16 * 25 * hand[:, 0]
        for kind, hz in LAMP_HZ.items():
            if on[kind].any():
                lamp = np.abs(np.sin(np.pi * hz * t)) - 2 / np.pi
                out += on[kind][:, None] * lamp * (100.0 if self.optical else 1000.0)
        if on["pulse_unplugged"].any() and not self.optical:
            floats = 1500 + 700 * noise.smooth(key, t, 0.2) + 300 * np.sin(2 * np.pi * 50.02 * t)
            out = np.where(on["pulse_unplugged"][:, None], floats, out)
        out[on["pulse_shorted"]] = lowest
        out[on["pulse_saturated"]] = highest
        if on["skin_unplugged"].any():
            drift = 900 + 500 * noise.smooth(self.key, np.full(len(feel), t[0] + 2e5), 0.3)
            feel = np.where(on["skin_unplugged"], 16 * drift, feel)
        feel[on["skin_shorted"]] = 16 * ADC_LOWEST
        return np.clip(np.rint(out), lowest, highest).astype(np.uint32), np.clip(
            np.rint(feel), 16 * ADC_LOWEST, 65535
        ).astype(np.uint16)

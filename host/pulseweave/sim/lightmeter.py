"""What strands must not do: flash, and draw too much. Looked at in blocks of pictures, a tenth of the cost of each alone.

In: wire bytes, uint8[nodes, pixels, channels], and their time. Out: the WCAG analyser's report, the largest current.
"""

import numpy as np

from pulseweave.sim.flashes import FlashMeter
from pulseweave.sim.room import Strands

BLOCK = 50  # pictures: two seconds


class LightMeter:
    """Watches `strands`: push() every picture; what it found is up to date after look()."""

    def __init__(self, strands: Strands):
        self.strands = strands
        self.flash = FlashMeter(strands.nodes, strands.count)
        self.current_ma, self.current_s = 0.0, 0.0  # the most that any strand drew, and when
        self._wires: list[np.ndarray] = []
        self._times: list[float] = []

    def push(self, wire: np.ndarray, t_s: float) -> None:
        """One picture, which nobody changes any more, at `t_s`, which never goes back."""
        self._wires.append(wire)
        self._times.append(t_s)
        if len(self._times) >= BLOCK:
            self.look()

    def look(self) -> None:
        """At all pictures that wait."""
        if not self._times:
            return
        wires = np.stack(self._wires)
        drawn = self.strands.current_ma(wires).max(axis=1)
        most = int(drawn.argmax())
        if drawn[most] > self.current_ma:
            self.current_ma, self.current_s = float(drawn[most]), self._times[most]
        for rgb, t_s in zip(self.strands.rgb(wires), self._times):
            self.flash.push(rgb, t_s)
        self._wires, self._times = [], []

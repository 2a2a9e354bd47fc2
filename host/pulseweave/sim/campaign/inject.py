"""Switching faults on and off: each class at the boundary where it happens, the firmware unchanged.

In: the campaign's room and a `Fault`. Radio and sensors are the simulator's own models; the rest are requests to the
boards (worker/rough).
"""

import numpy as np

from pulseweave.sim.campaign.faults import Fault

POWER, HARD = 1, 2
CONSOLE_WORDS = (
    "?", "status", "status -j", "mesh", "crash", "config", "watch", "watch -f", "watch off", "beats -f", "beats off", "raw",
    "raw off", "scene nowhere", "identify 9", "config nonsense 1", "config x 99999999999999", "config name", "@AAAA", "@",
)  # fmt: skip


class Injector:
    """Begins and ends faults in `room` (room.py)."""

    def __init__(self, room):
        self.room = room
        self.number = 0  # of the next name that a configuration gets
        self.rng = np.random.default_rng(0)

    def begin(self, f: Fault, number: int) -> None:
        """Fault `number` of the script: what it draws does not depend on the others."""
        self.rng = np.random.default_rng([self.room.seed, 0x1213, number])
        getattr(self, f.kind)(f, True)

    def end(self, f: Fault) -> None:
        getattr(self, f.kind)(f, False)

    def _switch(self, f: Fault, name: str, on: bool) -> None:
        self.room.tell(f.node, {"do": "switch", "name": name, "on": on})

    def _board(self, f: Fault, name: str, on) -> None:
        self.room.tell(f.node, {"do": "board_switch", "name": name, "on": on})

    def _type(self, f: Fault, data: bytes) -> None:
        self.room.tell(f.node, {"do": "line", "hex": data.hex()})

    def _configure(self, f: Fault) -> None:
        """Somebody gives the node a name, and says save."""
        self.number += 1
        self._type(f, b"\rconfig name n%d\rconfig save\r" % self.number)

    # --- the air --------------------------------------------------------------------------------------------------

    def burst_loss(self, f: Fault, on: bool) -> None:
        self.room.radio.loss = f.value / 100 if on else self.room.plan_loss

    def partition(self, f: Fault, on: bool) -> None:
        if not on:
            self.room.radio.heal()
            return
        sides: list[list[int]] = [[], []]
        for i in range(self.room.n):
            sides[f.value >> i & 1].append(i)
        self.room.radio.partition(sides)

    def hostile(self, f: Fault, on: bool) -> None:
        self.room.attacker.modes = f.value if on else 0

    # --- clocks and power -------------------------------------------------------------------------------------------

    def clock_drift(self, f: Fault, on: bool) -> None:
        ppm = f.value if on else int(self.room.ppm[f.node])
        self.room.tell(f.node, {"do": "clock", "ppm": ppm})

    def clock_jump(self, f: Fault, on: bool) -> None:
        if on:
            self.room.tell(f.node, {"do": "clock", "jump_ms": f.value})

    def reset(self, f: Fault, on: bool) -> None:
        if on:
            self.room.tell(f.node, {"do": "reset", "cause": f.value, "off": 0})

    def power_loss(self, f: Fault, on: bool) -> None:
        if on:
            self.room.tell(f.node, {"do": "reset", "cause": POWER, "off": round(f.seconds * 50)})

    def power_storm(self, f: Fault, on: bool) -> None:
        if on:
            how = {
                "count": f.value,
                "up": int(self.rng.integers(1, 50)),
                "down": int(self.rng.integers(1, 20)),
            }
            self.room.tell(f.node, {"do": "storm", "cause": POWER, **how})

    def crash_storm(self, f: Fault, on: bool) -> None:
        if on:
            how = {"count": f.value, "up": int(self.rng.integers(1, 80)), "down": 0}
            self.room.tell(f.node, {"do": "storm", "cause": HARD, **how})

    def power_cut_in_write(self, f: Fault, on: bool) -> None:
        self.room.tell(f.node, {"do": "cut", "at": f.value if on else 0})
        if on:
            self._configure(f)

    # --- sensors, radio, strand -------------------------------------------------------------------------------------

    def sensor_fault(self, f: Fault, on: bool) -> None:
        self.room.faults.set(f.name, [f.node], on)
        self.room.tell(f.node, {"do": "sensor", "flags": int(self.room.faults.flags[f.node])})

    def sensor_raises(self, f: Fault, on: bool) -> None:
        self._switch(f, "adc_raises", on)

    def radio_no_memory(self, f: Fault, on: bool) -> None:
        if on and f.value:
            self._board(f, "no_mem", f.value)
        elif on:
            self._switch(f, "no_memory", True)

    def radio_desync(self, f: Fault, on: bool) -> None:
        if on:
            self._board(f, "radio_desync", True)

    def radio_dead(self, f: Fault, on: bool) -> None:
        self._board(f, "radio_dead", on)

    def radio_raises(self, f: Fault, on: bool) -> None:
        self._switch(f, "radio_raises", on)

    def strand_raises(self, f: Fault, on: bool) -> None:
        self._switch(f, "strand_raises", on)

    # --- the console ------------------------------------------------------------------------------------------------

    def console_garbage(self, f: Fault, on: bool) -> None:
        if not on:
            self._type(f, b"\r\rwatch off\rbeats off\rraw off\r")
            return
        data = b""
        while len(data) < f.value:
            if self.rng.random() < 0.5:
                data += self.rng.bytes(int(self.rng.integers(1, 300)))
            else:
                data += CONSOLE_WORDS[int(self.rng.integers(len(CONSOLE_WORDS)))].encode() + b"\r"
        self._type(f, data)

    def console_raises(self, f: Fault, on: bool) -> None:
        if on:
            self._type(f, b"\rwatch\r")
        self._switch(f, "line_raises", on)
        if not on:
            self._type(f, b"\rwatch off\r")

    def host_away(self, f: Fault, on: bool) -> None:
        if on:
            self._type(f, b"\rwatch -f\rbeats -f\rstatus\r")
        self._switch(f, "line_closed" if f.value else "line_blocked", on)
        if not on:
            self._type(f, b"\rwatch off\rbeats off\r")

    # --- memory -----------------------------------------------------------------------------------------------------

    def flash_full(self, f: Fault, on: bool) -> None:
        self.room.tell(f.node, {"do": "fill", "on": on})
        self._configure(f)

    def flash_refuses(self, f: Fault, on: bool) -> None:
        self.room.tell(f.node, {"do": "refuse", "on": on})
        self._configure(f)

    def nvs_full(self, f: Fault, on: bool) -> None:
        """The node starts with an NVS that takes nothing, and once more when it does."""
        self._board(f, "nvs_fail", on)
        self.room.tell(f.node, {"do": "reset", "cause": 5, "off": 0})

    def no_memory(self, f: Fault, on: bool) -> None:
        if on:
            self._type(f, b"\rstatus -j\rmesh\r")
        self._switch(f, "locked", on)

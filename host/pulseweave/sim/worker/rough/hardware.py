"""Hardware that fails: the shims with switches for faults, and a count of how long each operation holds the tick.

`Rough` is a board's state of faults; `install()` puts the failing classes where the drivers look for the shims. Times in
us, from data sheets and from the ports' sources, never from a clock: a run stays a function of its seed.
"""

import espnow
import fleet
import machine
import neopixel
from streams import POLL, POLLIN, Typed
from virtual import bus

from .flash import FailingDisk

BYTE_US = 23  # nine clocks of a 400 kHz bus
PIXEL_US = 10  # a byte of WS2812B at 1.25 us a bit
REFUSED_US = 2000000  # ports/esp32/modespnow.c tries so long while ESP-IDF has no memory for a frame
RESTART_US = 150000  # Wi-Fi off and on
COMMIT_US = 20000  # a page of NVS
PRINTED = 4096


class Rough:
    """Which faults a board has now, and what its hardware took of this tick."""

    def __init__(self):
        # faults
        self.adc_raises = self.bus_hangs = self.strand_raises = False
        self.radio_raises = self.no_memory = False
        self.line_raises = self.line_closed = self.line_blocked = False
        self.locked = False  # no memory: nothing can be allocated in a tick
        self.typed = -1000  # tick at which somebody's word was read
        self.converters = []  # ADC channels of this start
        self.begin()

    def switch(self, name, on):
        """Set the fault `name`."""
        setattr(self, name, on)
        for adc in self.converters:
            adc.fail(self.adc_raises)

    def begin(self):
        """Nothing held the tick yet: us by buses and strand, flash, radio, NVS."""
        self.hold_us = self.flash_us = self.radio_us = self.nvs_us = 0


class RoughRadio(espnow.ESPNow):
    """`radio_raises`: the driver's answers make no sense. `no_memory` and the board's `no_mem`: sends are refused after 2 s,
    until a restart (esp-idf issue 18682)."""

    def active(self, on=None):
        if on is not None:
            rough = self._board.rough
            rough.no_memory = False
            self._board.no_mem = 0
            if on:
                rough.radio_us += RESTART_US
        return espnow_active(self, on)

    def recvinto(self, data, timeout_ms=None):
        if self._board.rough.radio_raises:
            raise OSError(-12388, "ESP_ERR_ESPNOW_ARG")
        return espnow_recvinto(self, data)

    def send(self, mac, msg=None, sync=True):
        rough = self._board.rough
        if rough.radio_raises:
            raise OSError(-12388, "ESP_ERR_ESPNOW_ARG")
        if rough.no_memory or self._board.no_mem:
            rough.radio_us += REFUSED_US
            if not rough.no_memory:
                self._board.no_mem -= 1
            raise OSError(-12391, "ESP_ERR_ESPNOW_NO_MEM")
        return espnow_send(self, mac, msg, sync)


espnow_active, espnow_recvinto, espnow_send = (
    espnow.ESPNow.active,
    espnow.ESPNow.recvinto,
    espnow.ESPNow.send,
)


class RoughADC(machine.ADC):
    def __init__(self, pin, atten=3):
        super().__init__(pin, atten)
        rough = bus.board.rough
        rough.converters.append(self)
        self.fail(rough.adc_raises)


class RoughI2C(machine.I2C):
    """A hung bus holds the caller until `timeout` (us) is over."""

    def __init__(self, number, scl=None, sda=None, freq=400000, timeout=50000):
        self._rough, self._timeout = bus.board.rough, timeout
        super().__init__(number, scl, sda, freq)

    def _transfer(self, n):
        rough = self._rough
        if rough.bus_hangs:
            rough.hold_us += self._timeout
            raise OSError(116)
        if rough.adc_raises:
            raise ValueError("bad SDA pin")
        rough.hold_us += BYTE_US * (n + 4)

    def readfrom_mem_into(self, address, register, buf):
        self._transfer(len(buf))
        i2c_read(self, address, register, buf)

    def writeto_mem(self, address, register, buf):
        self._transfer(len(buf))
        i2c_write(self, address, register, buf)


i2c_read, i2c_write = machine.I2C.readfrom_mem_into, machine.I2C.writeto_mem


class RoughStrand(neopixel.NeoPixel):
    def __init__(self, pin, n, bpp=3, timing=1):
        super().__init__(pin, n, bpp, timing)
        self._rough = getattr(bus.board, "rough", None) or Rough()  # a rehearsal's spare board has none
        self._us = n * bpp * PIXEL_US

    def write(self):
        rough = self._rough
        if rough.strand_raises:
            raise OSError(-258, "ESP_ERR_INVALID_STATE")
        rough.hold_us += self._us
        bus.dirty[self._slot] = 1
        bus.shown = 1


class RoughTyped(Typed):
    """Standard input: `line_closed` is at its end, `line_raises` answers with an error."""

    def __init__(self):
        super().__init__()
        self._rough = bus.board.rough

    def ioctl(self, request, flags):
        if request == POLL and self._rough.line_closed:
            return flags & POLLIN
        return typed_ioctl(self, request, flags)

    def readinto(self, buf):
        rough = self._rough
        if rough.line_raises:
            raise OSError(5)
        rough.typed = bus.tick
        return 0 if rough.line_closed else typed_readinto(self, buf)


typed_ioctl, typed_readinto = Typed.ioctl, Typed.readinto


class RoughPrinted:
    """Standard output: nothing is kept; `line_blocked` takes nothing, `line_raises` answers with an error."""

    def __init__(self):
        self._rough = bus.board.rough
        self.count = 0

    def write(self, data, n=None):
        if self._rough.line_raises:
            raise OSError(5)
        if self._rough.line_blocked:
            return None
        n = len(data) if n is None else n
        self.count = (self.count + n) & 0xFFFFFF
        return n

    def take(self):
        return b""


def nvs_commit(commit):
    def priced(self):
        if self._board.disk.dead:
            raise OSError(-4361, "ESP_ERR_FLASH_OP_FAIL")
        self._board.rough.nvs_us += COMMIT_US
        commit(self)

    return priced


class Plain:
    """What a crash note says of a fault: no lines, no paths, no free bytes, because the note's size decides what the flash
    costs, and a room shall be the same from every folder and as bytecode."""

    @staticmethod
    def print_exception(e, page):
        page.write("%s: %s" % (type(e).__name__, e))

    @staticmethod
    def mem_free():
        return 30000


def install():
    """From now on boards are made of these."""
    import esp32
    import weave.keep.notes as notes

    notes.sys = notes.gc = Plain
    espnow.ESPNow = RoughRadio
    machine.ADC = RoughADC
    machine.I2C = machine.SoftI2C = RoughI2C
    neopixel.NeoPixel = RoughStrand
    fleet.RamDisk = FailingDisk
    fleet.Typed = RoughTyped
    fleet.Printed = RoughPrinted
    esp32.NVS.commit = nvs_commit(esp32.NVS.commit)

"""MAX30102 optical pulse sensor over I2C, infrared LED only (Maxim data sheet 19-7740, registers on pages 10-22).

Out: 18-bit counts 0..262143 of reflected infrared light at 50 Hz (100 Hz, averaged by two in the chip); light falls
when blood volume rises. The clock is the chip's FIFO, never the arrival time: `rate_mhz` is the measured sample
rate x 1000. Faults: 1 = bus error or silence, 2 = wrong part, 4 = FIFO overflow (samples lost); the bus is freed and
the chip set up again by itself.
"""

from array import array
from time import ticks_diff

from machine import I2C, Pin

_BUS = const(1)
_WRONG = const(2)
_OVERFLOW = const(4)

_ADDRESS = const(0x57)
_FIFO_WR = const(0x04)
_FIFO_DATA = const(0x07)
_LED2 = const(0x0D)
_PART_ID = const(0xFF)
_PART = const(0x15)
_DEPTH = const(32)
_RETRY_MS = const(500)
_RATE_SPAN_MS = const(10000)
_SILENT_MS = const(1000)  # a chip that answers and measures nothing has lost its power for a moment

# register, value; in this order
_SETUP = (
    b"\x09\x40"  # mode: reset
    b"\x08\x30"  # FIFO: average 2, roll over
    b"\x0a\x27"  # 4096 nA full scale, 100 Hz, 411 us pulses: 18 bits
    b"\x11\x02"  # slot 1: infrared
    b"\x04\0\x05\0\x06\0"  # FIFO: pointers and overflow counter
    b"\x09\x07"  # mode: multi-LED
)


class Max30102:
    """The sensor on bus `i2c` (pins sda, scl), LED current `led_ma`; who opens it sets `contact_min`, in counts."""

    full = 262143
    pulsatile = False
    contact_max = 262000

    def __init__(self, i2c, sda, scl, led_ma):
        self.samples = array("i", bytes(4 * _DEPTH))
        self.rate_mhz = 50000
        self.fault = _BUS
        self.polled = 0  # samples taken in this tick
        self._pins = (i2c, sda, scl)
        self._led = min(255, led_ma * 5)  # 0.2 mA a step
        self._pointers = bytearray(3)
        self._data = bytearray(3)
        self._one = bytearray(1)
        self._bus = None
        self._retry = None  # time of the last attempt
        self._since = None  # start of the span over which the rate is counted
        self._heard = 0  # when the last sample came
        self._count = 0

    def _write(self, register, value):
        self._one[0] = value
        self._bus.writeto_mem(_ADDRESS, register, self._one)

    def _start(self):
        """Free a hung bus, open it, set the chip up. Raises OSError where nobody answers."""
        number, sda, scl = self._pins
        # A slave cut off in the middle of a byte holds SDA low: nine clocks let it finish (UM10204, 3.1.16).
        clock = Pin(scl, Pin.OPEN_DRAIN, value=1)
        for _ in range(9):
            clock(0)
            clock(1)
        # a hung bus must not hold the tick for the port's own 50 ms
        self._bus = I2C(number, scl=Pin(scl), sda=Pin(sda), freq=400000, timeout=5000)
        self._bus.readfrom_mem_into(_ADDRESS, _PART_ID, self._one)
        if self._one[0] != _PART:
            self.fault = _WRONG
            return
        for i in range(0, len(_SETUP), 2):
            self._write(_SETUP[i], _SETUP[i + 1])
        self._write(_LED2, self._led)
        self.fault = 0
        self._since = None

    def poll(self, now):
        """Read what the FIFO holds into `samples`; returns how many (0..32)."""
        self.polled = 0
        if self.fault & (_BUS | _WRONG):
            if self._retry is not None and 0 <= ticks_diff(now, self._retry) < _RETRY_MS:
                return 0
            self._retry = now
            try:
                self._start()
            except OSError:
                self.fault = _BUS
            return 0
        try:
            return self._drain(now)
        except OSError:
            self.fault = _BUS
            return 0

    def _drain(self, now):
        bus = self._bus
        p = self._pointers
        bus.readfrom_mem_into(_ADDRESS, _FIFO_WR, p)
        n = (p[0] - p[2]) & 31
        if p[1]:
            n = _DEPTH  # full: the pointers are equal again, and p[1] samples are gone
            self.fault = _OVERFLOW
            self._since = None
        elif n:
            self.fault = 0
        d = self._data
        out = self.samples
        for i in range(n):
            bus.readfrom_mem_into(_ADDRESS, _FIFO_DATA, d)
            out[i] = (d[0] & 3) << 16 | d[1] << 8 | d[2]
        self._measure(now, n)
        self.polled = n
        return n

    def _measure(self, now, n):
        """Count samples against the node's clock: chips run up to 5 % off, some settings are ignored."""
        if self._since is None:
            self._since = self._heard = now
            self._count = 0
            return
        self._count += n
        if n:
            self._heard = now
        elif ticks_diff(now, self._heard) > _SILENT_MS:
            self.fault = _BUS
        span = ticks_diff(now, self._since)
        if span >= _RATE_SPAN_MS:
            if self._count < 100:  # no pulse can be read below 10 Hz
                self.fault = _BUS
            elif self._count < 1074:  # 107 Hz: 1e6 * count stays inside 31 bits
                self.rate_mhz = self._count * 1000000 // span
            self._since = now
            self._count = 0

"""Skin: sums of ADC counts in, conductance, level and responses out.

In:  a sum of `oversample` readings of 12 bits per tick. Out, at 8 Hz: `g_ns` conductance, `scl_ns` its level (one-pole,
4 s), nS; `scrs` responses counted, `scr_ns` height of the last, `ok` 1 where electrodes are on and nothing has
disturbed them for 5 s; `fault` 1 where the wiring is broken.
Grove GSR, 12-bit counts a: G = gain * 100000 nS * (cal - a) / (4096 + 2a), from R = (1024 + 2a) * 10000 / (cal - a) at
10 bit (Seeed wiki). `cal` is the reading with nothing connected; `pulseweave calibrate` finds cal and gain of a node.
Rules: 0.05..60 uS, no steeper than 10 uS/s (Kleckner et al. 2018), within 1 uS and a quarter of the level, which skin
leaves in one of 2000 seconds of recordings and a loose wire in nine of ten; a response rises >= 50 nS in 0.5..5 s, peaks
>= 1 s apart (Boucsein 2012). A reading at the lower rail is electrodes that touch (42 uS is the most a Grove GSR shows).
Integer bounds: 25000 * 32760 = 8.2e8.
"""

from time import ticks_add, ticks_diff

_EVERY = const(125)  # ms
_LEAST = const(50)  # nS, smallest conductance of skin
_MOST = const(60000)
_RAIL = const(1440)  # counts x 8: an ESP32 reads no less than 142 mV; electrodes shorted
_STEP = const(1250)  # nS in 125 ms
_OPEN = const(2048)  # counts x 8 above the open reading: no Grove circuit gets there
_SWING = const(1000)  # nS
_WILD = const(240)  # eighths disturbed, less those that were not: this is no skin (30 s)
_HOLD = const(40)  # eighths of a second without trust after an artefact
_RESPONSE = const(50)  # nS
_BACK = const(12)  # nS of fall that end a rise
_RISE_MIN = const(4)
_RISE_MAX = const(40)
_APART = const(8)


class Skin:
    def __init__(self, sensor, cal_q3, gain_q12):
        """`sensor`: device/weave/README.md; `cal_q3`: open reading, counts x 8; `gain_q12`: 4096 = 1.0."""
        self.sensor = sensor
        self.cal_q3 = cal_q3
        self.gain_q12 = gain_q12
        self.wild = self.fault = self.scrs = self.acc = self.count = 0
        self.smooth = self.trough = self.top = self.age = self.rise = 0  # a tick makes no attributes
        self.since = -1
        self.clear()

    def clear(self):
        """Forget the visitor's skin. The trough and the top of a response are set anew while `hold` runs down."""
        self.ok = self.g_ns = self.scl_ns = self.scr_ns = 0
        self.level = -1  # SCL x 256, -1 = not yet
        self.hold = _HOLD
        self.rest = 0  # eighths since the last response

    def step(self, now) -> bool:
        """Once per tick; True where the values are new: eight times a second."""
        sensor = self.sensor
        if sensor.poll(now):
            self.acc += sensor.samples[0]
            self.count += 1
        if self.since < 0:
            self.since = now
        if ticks_diff(now, self.since) < _EVERY:
            return False
        self.since = ticks_add(self.since, _EVERY)
        self.fault = sensor.fault
        if self.count:
            self.measure()
        elif self.g_ns:
            self.clear()
        self.acc = self.count = 0
        return True

    def measure(self) -> None:
        """Every eighth of a second: conductance from the readings gathered, then trough to peak: a response is
        counted when its rise is over."""
        a = (self.acc << 3) // (self.count * self.sensor.oversample)  # counts x 8
        over = self.cal_q3 - a
        g = 0
        if a < _RAIL or over < -_OPEN:
            self.fault = 1
        elif 0 < over <= 32760:
            g = (25000 * over) // (8192 + (a >> 1))
            if g < 100000:
                g = ((g >> 1) * self.gain_q12) >> 11
        if not _LEAST <= g <= _MOST:
            if self.wild and not self.fault:  # nobody there: rest, as quiet skin is
                self.wild -= 1
            self.clear()
            return
        level: int = self.level
        if level < 0:
            level = g << 8
            self.smooth = g << 4
        level += ((g << 8) - level) >> 5
        self.level = level
        level >>= 8
        self.scl_ns = level
        wild: int = self.wild
        if abs(g - self.g_ns) > _STEP or abs(g - level) - (level >> 2) > _SWING:
            self.hold = _HOLD
        if wild > _WILD:
            self.fault = 1
        self.g_ns = g
        self.smooth += ((g << 4) - self.smooth) >> 1  # x 16
        g = self.smooth >> 4
        self.ok = 0
        if self.hold:
            self.hold -= 1
            if wild < 2 * _WILD:
                self.wild = wild + 1
        else:
            if wild:
                self.wild = wild - 1
            self.ok = 1 - self.fault
            self.rest += 1
            self.age += 1  # since the trough
            if g > self.trough:
                if g > self.top:
                    self.top = g
                    self.rise = self.age  # from the trough to the top
                height = self.top - self.trough
                rise: int = self.rise
                if self.top - g < _BACK and self.age - rise < 8 and rise <= _RISE_MAX:
                    return
                if height >= _RESPONSE and _RISE_MIN <= rise <= _RISE_MAX and self.rest >= _APART:
                    self.scrs = (self.scrs + 1) & 0xFFFF
                    self.scr_ns = height
                    self.rest = 0
        self.trough = self.top = g
        self.age = self.rise = 0

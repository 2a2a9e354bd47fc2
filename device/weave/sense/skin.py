"""Skin: sums of ADC counts in, conductance, level and responses out.

In:  a sum of `oversample` readings of 12 bits per tick. Out, at 8 Hz: `g_ns` conductance, `scl_ns` its level (one-pole,
4 s), nS; `scrs` responses counted, `scr_ns` height of the last, `rising_ns` of the one going on (0 = none), `ok` 1
where electrodes are on and nothing has disturbed them for 5 s.
Rules: 0.05..60 uS, no steeper than 10 uS/s (Kleckner et al. 2018); a response rises >= 50 nS in 0.5..5 s, peaks >= 1 s
apart (Boucsein 2012). A reading at either rail is no skin (42 uS is the most a Grove GSR shows).
Integer bounds: 25000 * 32760 = 8.2e8.
"""

from micropython import const
from time import ticks_add, ticks_diff

_EVERY = const(125)  # ms
_LEAST = const(50)  # nS, smallest conductance of skin
_MOST = const(60000)
_RAIL = const(1440)  # counts x 8: an ESP32 reads no less than 142 mV; electrodes shorted
_STEP = const(1250)  # nS in 125 ms
_HOLD = const(40)  # eighths of a second without trust after an artefact
_RESPONSE = const(50)  # nS
_BACK = const(12)  # nS of fall that end a rise
_RISE_MIN = const(4)
_RISE_MAX = const(40)
_APART = const(8)


class Skin:
    def __init__(self, sensor, cal):
        """`sensor`: device/weave/README.md; `cal`: a Calibration."""
        self.sensor = sensor
        self.cal = cal
        self.fault = self.scrs = self.acc = self.count = 0
        self.smooth = self.trough = self.top = self.age = self.rise = 0  # a tick makes no attributes
        self.since = -1
        self.clear()

    def clear(self):
        """Forget the visitor's skin. The trough and the top of a response are set anew while `hold` runs down."""
        self.ok = self.g_ns = self.scl_ns = self.scr_ns = self.rising_ns = 0
        self.level = -1  # SCL x 256, -1 = not yet
        self.hold = _HOLD
        self.rest = 0  # eighths since the last response

    def step(self, now):
        """Once per tick."""
        sensor = self.sensor
        if sensor.poll(now):
            self.acc += sensor.samples[0]
            self.count += 1
        if self.since < 0:
            self.since = now
        elif ticks_diff(now, self.since) >= _EVERY:
            self.since = ticks_add(self.since, _EVERY)
            self.fault = sensor.fault
            if self.count:
                self.measure()
            elif self.g_ns:
                self.clear()
            self.acc = self.count = 0

    def measure(self):
        """Every eighth of a second: conductance from the readings gathered, then trough to peak: a response is
        counted when its rise is over."""
        a = (self.acc << 3) // (self.count * self.sensor.oversample)  # counts x 8
        cal = self.cal
        over = cal.cal_q3 - a
        g = 0
        if 0 < over <= 32760 and a >= _RAIL:
            g = (25000 * over) // (8192 + (a >> 1))
            if g < 100000:
                g = ((g >> 1) * cal.gain_q12) >> 11
        if not _LEAST <= g <= _MOST:
            self.clear()
            return
        level = self.level
        if level < 0:
            level = g << 8
            self.smooth = g << 4
        level += ((g << 8) - level) >> 5
        self.level = level
        self.scl_ns = level >> 8
        if not -_STEP <= g - self.g_ns <= _STEP:
            self.hold = _HOLD
        self.g_ns = g
        self.smooth += ((g << 4) - self.smooth) >> 1  # x 16
        g = self.smooth >> 4
        if self.hold:
            self.hold -= 1
            self.ok = 0
        else:
            self.ok = 1
            self.rest += 1
            self.age += 1  # since the trough
            if g > self.trough:
                if g > self.top:
                    self.top = g
                    self.rise = self.age  # from the trough to the top
                height = self.top - self.trough
                self.rising_ns = height if height >= _RESPONSE else 0
                rise = self.rise
                if self.top - g < _BACK and self.age - rise < 8 and rise <= _RISE_MAX:
                    return
                if height >= _RESPONSE and _RISE_MIN <= rise <= _RISE_MAX and self.rest >= _APART:
                    self.scrs = (self.scrs + 1) & 0xFFFF
                    self.scr_ns = height
                    self.rest = 0
        self.trough = self.top = g
        self.age = self.rise = self.rising_ns = 0

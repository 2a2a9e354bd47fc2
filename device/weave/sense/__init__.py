"""Sense: from the two sensors to beats, intervals and conductance, once per tick.

In:  `pulse` and `skin` sensors (device/weave/README.md), the skin's calibration (skin.py). Out: the attributes set in
`__init__`.
A pulse sensor under light alone (`pulsatile` False) falls with blood: its samples are turned over. Samples are at
50 Hz by the sensor's own count (100 Hz are averaged by two); their times follow the node's clock through a loop of
0.6 s, so that a FIFO read late does not shake the beats.
"""

from time import ticks_add, ticks_diff

from .detect import Detector
from .intervals import Intervals
from .skin import Skin

_LOST = const(30)  # samples with the mean out of range: the hand is gone (0.6 s, and 0.2 s of the mean)
_BACK = const(10)  # samples in range: it is back
_LEARN = const(400)  # samples to full quality (8 s)
_SILENT = const(125)  # samples without a beat: quality is nothing (2.5 s)
_DEAD = const(700)  # ms without a sample: so is the sensor
_GROUND = const(
    240
)  # 12-bit counts: an ESP32 reads no less than 142 mV (176); an amplifier stays above its rail
_STUCK = const(100)  # samples at a rail without a hand: the sensor is shorted or blinded (2 s)
_DEAF = const(2000)  # samples touched without a trusted beat: loose wire, object (40 s)
_HELD = const(70)  # ms by which samples come late where some are missing
_HOLE = const(40)  # samples until a decided beat lies whole after a hole (0.8 s)
_RAIL = const(10)  # samples at a rail within a beat that make it doubtful


class Sense:
    def __init__(self, pulse, skin, cal_q3=16384, gain_q12=4096):
        # 31 attributes: with 29 or 37 the table of names would be full, and every method call would search all of it
        self.pulse = pulse
        self.full = pulse.full
        self.detector = Detector(32 if pulse.full < 8192 else 160)
        self.intervals = Intervals()
        self.skin = Skin(skin, cal_q3, gain_q12)
        self.beats = 0  # & 0xFFFF, counts when a beat is decided, 0.3..0.5 s after it
        self.onset = 0  # & 0xFFFF, counts upslopes within 0.15 s: provisional, for the light
        self.beat_ms = 0  # time of the last fiducial on the node's clock
        self.scrs = 0
        self.faults = 0  # 1 pulse, 2 skin: README.md
        self.deaf = 0  # samples touched in vain, less those without a hand
        self.at = self.frac = 0  # node time of the newest sample, and 1/256 ms
        self.mean = 0  # x 8
        self.clear()

    def clear(self):
        """The hand is gone: nothing of the visitor stays."""
        self.contact = 0  # 1 while a visitor touches
        self.skin_ok = self.g_ns = self.scl_ns = self.scr_ns = 0
        self.quality = 0  # 0..255
        self.good = 0  # running worth of the last beats, 0..255
        # last interval, ms x 16, 0 = none; heart rate, bpm x 16, 0 = unknown; RMSSD, ms x 16, 0 = unknown
        self.ibi_q4 = self.hr_q4 = self.rmssd_q4 = 0
        self.gap = 1  # 1 where ibi_q4 is not to be trusted
        self.turn = 0  # samples that speak for a change of contact
        self.count = 0  # samples since touch, up to _LEARN
        self.railed = 0  # samples at a rail since the last beat
        self.hole = (
            _HOLE  # samples to come in which a beat makes no interval: some are missing, or a hand just came
        )
        self.last = -1  # last fiducial, 1/256 sample
        self.odd = -1  # sample waiting for its pair at 100 Hz
        self.detector.clear(0)
        self.intervals.clear()

    def step(self, now) -> None:
        """Take what the sensors have; once per tick."""
        pulse = self.pulse
        n: int = pulse.poll(now)
        at: int = self.at
        late: int = ticks_diff(now, at)
        rate: int = pulse.rate_mhz
        period_q8 = 256000000 // rate
        lag = (n * period_q8) >> 8
        if pulse.fault or n and not -100 <= late - lag <= _HELD:  # samples are missing
            self.last = -1
            self.hole = _HOLE
        if n:
            samples = pulse.samples
            if late > 1000 or late < -100:  # the first sample, or the sensor was away
                at = ticks_add(now, -lag)
            frac: int = self.frac
            for i in range(n):
                frac += period_q8
                at = ticks_add(at, frac >> 8)
                frac &= 255
                x: int = samples[i]
                if rate > 75000:
                    odd: int = self.odd
                    if odd < 0:
                        self.odd = x
                        continue
                    x = (odd + x) >> 1
                    self.odd = -1
                self.at = at
                self.push(x)
            self.at = at
            self.frac = frac + (ticks_diff(now, at) << 3)
        elif late > _DEAD and self.contact:
            self.clear()
        skin = self.skin
        if skin.step(now):
            self.skin_ok = skin.ok
            self.g_ns = skin.g_ns
            self.scl_ns = skin.scl_ns
            self.scrs = skin.scrs
            self.scr_ns = skin.scr_ns
        self.faults = skin.fault << 1 | (1 if pulse.fault or self.railed > _STUCK or self.deaf > _DEAF else 0)

    def push(self, x: int) -> None:
        """One sample at 50 Hz."""
        pulse = self.pulse
        full: int = self.full
        wave = x if pulse.pulsatile else full - x
        detector = self.detector
        mean: int = self.mean
        mean += x - (mean >> 3)  # 0.16 s
        self.mean = mean
        contact: int = self.contact
        turn = 0
        if (pulse.contact_min <= mean >> 3 <= pulse.contact_max) != contact:
            turn = self.turn + 1
            if turn > (_LOST if contact else _BACK):
                if contact:
                    self.clear()
                    return
                contact = self.contact = 1
                detector.clear(wave)
                turn = 0
        self.turn = turn
        deaf: int = self.deaf
        if not contact:
            mean >>= 3
            if mean > pulse.contact_max or pulse.pulsatile and mean < _GROUND:
                self.railed += 1
            else:
                self.railed = 0
            if deaf:
                self.deaf = deaf - 1
            return
        if self.quality >= 128:
            self.deaf = 0
        elif deaf < 2 * _DEAF:
            self.deaf = deaf + 1
        if x <= full >> 4 or x >= full - (full >> 5):
            self.railed += 1
        if self.count < _LEARN:
            self.count += 1
        if self.hole:
            self.hole -= 1
        found: int = detector.push(wave)
        if found:
            if found > 1:  # the intervals so far were double
                self.intervals.n = 0
                self.last = -1
            self.beat()
        self.onset = detector.onset
        if detector.since > _SILENT:
            self.quality = self.good = 0
            self.gap = 1

    def beat(self):
        """A beat was decided: its time, its interval, its worth."""
        detector = self.detector
        intervals = self.intervals
        rate = self.pulse.rate_mhz
        if rate > 75000:
            rate >>= 1
        period_q8 = 256000000 // rate
        at = intervals.locate(detector.ring, detector.peak - 3)
        ms = ticks_add(self.at, -(((((detector.n << 8) - at) & 0xFFFFFFF) * period_q8) >> 16))
        self.beat_ms = ms
        last = self.last
        self.last = -1 if self.hole else at
        at = (at - last) & 0xFFFFFFF
        worth = 0
        self.gap = 1
        if last >= 0 and at < 38400:
            self.ibi_q4 = (at * period_q8) >> 12
            if intervals.add(self.ibi_q4, (ms >> 10) & 0xFFFF):
                self.gap = 0
                worth = intervals.likeness
            if intervals.median:
                detector.usual = (intervals.median << 4) // period_q8
            self.hr_q4 = intervals.hr_q4
            self.rmssd_q4 = intervals.rmssd_q4
        if not detector.agreed:
            worth >>= 1
        if self.railed > _RAIL:
            worth >>= 1
        if not 45000 <= rate <= 55000:
            worth >>= 2
        self.railed = 0
        self.good += (worth - self.good + 2) >> 2
        self.quality = (self.good * self.count) // _LEARN
        self.beats = (self.beats + 1) & 0xFFFF

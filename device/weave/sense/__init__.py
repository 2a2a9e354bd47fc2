"""Sense: from the two sensors to beats, intervals and conductance, once per tick.

In:  `pulse` and `skin` sensors (device/weave/README.md), a `Calibration`. Out: the attributes listed in `__init__`.
A pulse sensor under light alone (`pulsatile` False) falls with blood: its samples are turned over.
"""

from micropython import const
from time import ticks_add, ticks_diff

from weave.sense.calibration import Calibration
from weave.sense.detect import COUNT, Detector
from weave.sense.fiducial import Fiducial
from weave.sense.intervals import Intervals
from weave.sense.skin import Skin

_LOST = const(40)  # samples out of range that mean the hand is gone (0.8 s)
_BACK = const(10)  # samples in range that mean it is back
_LEARN = const(400)  # samples to full quality (8 s)
_SILENT = const(125)  # samples without a beat: quality is nothing (2.5 s)
PULSE_FAULT = const(1)
SKIN_FAULT = const(2)
RATE_FAULT = const(4)


class Sense:
    def __init__(self, pulse, skin, calibration=None):
        self.pulse = pulse
        self.detector = Detector()
        self.fiducial = Fiducial()
        self.intervals = Intervals()
        self.skin = Skin(skin, calibration or Calibration())
        self.contact = 0  # 1 while a visitor touches
        self.quality = 0  # 0..255
        self.beats = 0  # & 0xFFFF, counts when a beat is decided
        self.onset = 0  # & 0xFFFF, counts upslopes at once (provisional, for the light)
        self.beat_ms = 0  # time of the last fiducial on the node's clock
        self.ibi_q4 = 0  # last interval, ms x 16; 0 = none
        self.gap = 1  # 1 where ibi_q4 is not to be trusted
        self.hr_q4 = 0  # bpm x 16; 0 = unknown
        self.rmssd_q4 = 0  # ms x 16; 0 = unknown
        self.skin_ok = self.g_ns = self.scl_ns = self.scrs = self.scr_ns = self.rising_ns = 0
        self.faults = 0
        self.outside = 0
        self.inside = 0
        self.touched = 0  # samples since touch, up to _LEARN
        self.good = 0  # running quality of beats, 0..255
        self.railed = 0
        self.last = -1  # last fiducial, 1/256 sample
        self.at = 0  # node time of the newest sample
        self.odd = 0  # sample waiting for its pair at 100 Hz
        self.paired = 0

    def step(self, now):
        """Take what the sensors have; once per tick."""
        pulse = self.pulse
        n = pulse.poll(now)
        if n:
            samples = pulse.samples
            self.at = now
            twice = pulse.rate_mhz > 75000
            for i in range(n):
                x = samples[i]
                if twice:
                    if self.paired:
                        self.paired = 0
                        self.take((self.odd + x) >> 1)
                    else:
                        self.odd = x
                        self.paired = 1
                else:
                    self.take(x)
        skin = self.skin
        skin.step(now)
        self.skin_ok = skin.ok
        self.g_ns = skin.g_ns
        self.scl_ns = skin.scl_ns
        self.scrs = skin.scrs
        self.scr_ns = skin.scr_ns
        self.rising_ns = skin.rising_ns
        self.faults = (PULSE_FAULT if pulse.fault else 0) | (SKIN_FAULT if skin.fault else 0)

    def take(self, x):
        """One sample at 50 Hz."""
        pulse = self.pulse
        full = pulse.full
        if not pulse.contact_min <= x <= pulse.contact_max:
            self.railed += 1
            self.inside = 0
            self.outside += 1
            if self.outside > _LOST and self.contact:
                self.forget()
        else:
            self.outside = 0
            self.inside += 1
            if not self.contact and self.inside > _BACK:
                self.contact = 1
                self.detector.clear(x if pulse.pulsatile else full - x)
        if not self.contact:
            return
        if not pulse.pulsatile:
            x = full - x
        if self.touched < _LEARN:
            self.touched += 1
        detector = self.detector
        if detector.push(x):
            self.beat()
        self.onset = detector.onset
        if detector.since > _SILENT:
            self.quality = self.good = 0
            self.gap = 1

    def forget(self):
        """The hand is gone: nothing of the visitor stays."""
        self.contact = self.quality = self.good = self.touched = self.inside = 0
        self.ibi_q4 = self.hr_q4 = self.rmssd_q4 = 0
        self.gap = 1
        self.last = -1
        self.detector.clear(0)
        self.fiducial.clear()
        self.intervals.clear()

    def beat(self):
        """A beat was decided: its time, its interval, its worth."""
        detector = self.detector
        period_q8 = (
            256000000 // self.pulse.rate_mhz
            if self.pulse.rate_mhz <= 75000
            else 512000000 // self.pulse.rate_mhz
        )
        at = self.fiducial.locate(detector.ring, detector.peak - 3)
        age_q8 = ((detector.n << 8) - at) & 0xFFFFFFF
        self.beat_ms = ticks_add(self.at, -((age_q8 * period_q8) >> 16))
        clean = 0
        if self.last >= 0:
            gap_q8 = (at - self.last) & 0xFFFFFFF
            if gap_q8 < 25600:
                self.ibi_q4 = (gap_q8 * period_q8) >> 12
                clean = self.intervals.add(self.ibi_q4, (ticks_diff(self.beat_ms, 0) // 1000) & 0xFFFF)
        self.last = at
        intervals = self.intervals
        if intervals.median_q4:
            detector.usual = (intervals.median_q4 << 4) // period_q8
        self.hr_q4 = intervals.hr_q4
        self.rmssd_q4 = intervals.rmssd_q4
        self.gap = 0 if clean else 1
        worth = 255 if clean else 0
        if not detector.agreed:
            worth >>= 1
        if self.railed > 10:
            worth >>= 1
        self.railed = 0
        self.good += (worth - self.good) >> 2 if worth < self.good else (worth - self.good + 3) >> 2
        self.quality = (self.good * self.touched) // _LEARN
        self.beats = (self.beats + 1) & 0xFFFF

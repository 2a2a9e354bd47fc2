"""The sensors' front ends: a body's signals in, what the chips deliver out.

In: pulse volts [n, k] at 100 Hz, skin conductance uS [n, m] at 8 Hz, touching [n]; the compiled board description.
Out: `pulse` uint32[n, k] and `skin` uint16[n], per node.

| board | out | from volts or uS to counts |
| --- | --- | --- |
| pulse "analog" | 12-bit counts of 3.3 V as `ADC.read_uv` gives them | pin = 1.65 V + gain * AC(ppg); uV * 4095 / 3.3e6 |
| pulse "max30102" | 18-bit infrared counts at 100 Hz | DC * (1 - 0.02 / V * AC(ppg)), DC 65,000-150,000 |
| skin "grove_gsr" | 1/16 of a 12-bit count, to be dithered | a = (100000 cal - 4096 G) / (100000 + 2 G), G in nS |

AC(): the pulse sensor's input capacitor takes DC away (0.1 Hz), so pulse volts may be given about zero, about the
bias or about anything else. With infrared light, more blood is less light.
ESP32 ADC: reads 142 mV at least and 3134 mV at most (11 dB), is linear in 150-2450 mV, compressed above (ESP-IDF, ADC
calibration driver; Espressif hardware design guide), and noisy by some counts. MAX30102: data sheet 19-7740;
perfusion 0.5-3 % as in Allen 2007. Grove GSR: Seeed's R = (1024 + 2a) * 10000 / (cal - a) at 10 bit.
"""

import math
from functools import cache

import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim import noise

BIAS_V = 1.65
COUNTS_PER_V = 4095 / 3.3
ADC_FLOOR_V, ADC_KNEE_V, ADC_TOP_V = 0.142, 2.45, 3.134
ADC_NOISE_V = 0.003
ADC_LOWEST, ADC_HIGHEST = round(ADC_FLOOR_V * COUNTS_PER_V), round(ADC_TOP_V * COUNTS_PER_V)
COUPLING_HZ = 0.1
FOLLOW = -np.expm1(-2 * np.pi * COUPLING_HZ * 0.01)  # of the mean, a sample
OPEN_V = 0.35  # an uncovered amplifier lies near its lower rail: no light comes back
SETTLE_S = 0.5  # the amplifier swings when a finger comes or goes, and comes back with this time constant
IR_PER_V = 0.02
IR_NOISE = 25.0
IR_FULL = 262143
OPEN_IR = 1500.0
GSR_CALIBRATION = 2048


def _hiss(keys: np.ndarray, sample) -> np.ndarray:
    return ADC_NOISE_V * noise.normal(keys, sample)


def _idle(keys: np.ndarray, sample) -> np.ndarray:
    """Volts of an uncovered amplifier, about 0.05 V of flicker in them."""
    return OPEN_V + 0.05 * noise.smooth(keys, sample * 0.01, 3.0)


def _drift(keys: np.ndarray, sample) -> np.ndarray:
    return 1.0 + 0.01 * noise.smooth(keys, sample * 0.01, 0.05)


@cache
def _fades(count: int) -> tuple[np.ndarray, np.ndarray]:
    """float64[count, 1]: what is left, sample after sample, of a swing, and of the finger that came or went."""
    since = np.arange(1, count + 1)
    return (np.exp(-0.01 / SETTLE_S) ** since)[:, None], np.exp(-since / 8.0)[:, None]


class FrontEnd:
    """The sensors of all nodes. board: compiled description; seed, nodes: as for `Body`. Raises Problem on a sensor
    kind that has no model."""

    def __init__(self, board: dict, seed: int, nodes):
        numbers = noise.nodes_of(nodes)
        pulse, skin = board["pulse"], board["skin"]
        if pulse["kind"] not in ("analog", "max30102"):
            raise Problem(f"pulse sensor {pulse['kind']!r} has no model: use 'analog' or 'max30102'")
        if skin["kind"] != "grove_gsr":
            raise Problem(f"skin sensor {skin['kind']!r} has no model: use 'grove_gsr'")
        self.optical = pulse["kind"] == "max30102"
        self.calibration = skin.get("cal", GSR_CALIBRATION)
        self.n = len(numbers)
        tolerance = noise.key(seed, numbers, "front end")
        self.gain = 1.0 + 0.1 * (2 * noise.uniform(tolerance, 0) - 1)
        self.ir_dc = 65000.0 * 2.3 ** noise.uniform(tolerance, 1)  # to 150,000: skin, pressure, LED
        self.hiss = noise.Ahead(
            noise.key(seed, numbers, "adc noise"), noise.normal if self.optical else _hiss
        )
        self.drift = noise.Ahead(noise.key(seed, numbers, "ir drift"), _drift if self.optical else _idle)
        self.kick_key = noise.key(seed, numbers, "contact")
        self.at = 0  # samples so far
        self.follow = np.full(self.n, FOLLOW)
        self.dc = np.full(self.n, np.nan)  # the mean of the pulse volts; not known yet
        self.kick = np.zeros(self.n)
        self.cover = np.zeros(self.n)
        self.touched = np.zeros(self.n, dtype=bool)
        self.grams = np.zeros(self.n)  # the last conductance, uS

    def convert(self, ppg, eda, touching) -> tuple[np.ndarray, np.ndarray]:
        """(pulse uint32[n, k], skin uint16[n]); `skin` is the latest value, held where m is 0. Not-a-number reads as
        no signal. Raises Problem where a shape does not fit: signals may come from a plug-in."""
        ppg = self._numbers("ppg", ppg, 10.0)
        eda = self._numbers("eda", eda, 1000.0)
        touching = np.asarray(touching, dtype=bool)
        wave = self._couple(ppg, touching)
        pulse = (self._infrared(wave, touching) if self.optical else self._analog(wave, touching)).T
        skin = self._skin(eda, touching)
        self.at += ppg.shape[1]
        self.touched = touching
        return pulse, skin

    def _numbers(self, name: str, signal, limit: float) -> np.ndarray:
        """float64[n, any] within +-limit."""
        try:
            signal = np.asarray(signal, dtype=np.float64)
        except (TypeError, ValueError):
            raise Problem(f"visitors: {name} is no array of numbers") from None
        if signal.ndim != 2 or len(signal) != self.n:
            raise Problem(f"visitors: {name} has shape {signal.shape}: it must be ({self.n}, samples)")
        if not math.isfinite(np.add.reduce(signal, axis=None)):
            signal = np.nan_to_num(signal)
        return noise.within(signal, -limit, limit)

    def _couple(self, ppg: np.ndarray, touching: np.ndarray) -> np.ndarray:
        """float64[k, n]: pulse without its DC, with the swing after a change of contact."""
        changed = (touching != self.touched) | np.isnan(self.dc)
        if np.count_nonzero(changed) and ppg.size:
            self.dc = np.where(changed, ppg[:, 0], self.dc)
            swing = 1.2 * (2 * noise.uniform(self.kick_key, self.at) - 1)
            self.kick = np.where(changed, swing, self.kick)
        out = np.ascontiguousarray(ppg.T)  # sample after sample: each follows from the one before
        dc = self.dc.copy()
        for x in out:
            x -= dc
            dc += self.follow * x
        self.dc = dc
        swings = self.kick * _fades(len(out))[0]
        out += swings
        if len(out):
            self.kick = swings[-1]
        out *= touching
        return out

    def _covered(self, count: int, touching: np.ndarray) -> np.ndarray:
        """float64[count, n]: 0 uncovered .. 1 covered, with the 80 ms of a finger that comes or goes."""
        goal = touching.astype(np.float64)
        cover = goal + (self.cover - goal) * _fades(count)[1]
        if count:
            self.cover = cover[-1]
        return cover

    def _analog(self, wave: np.ndarray, touching: np.ndarray) -> np.ndarray:
        """12-bit counts [k, n]; an uncovered sensor sees the room's light flicker and people pass."""
        k = len(wave)
        idle = self.drift.span(self.at, k)
        volts = idle + (BIAS_V + self.gain * wave - idle) * self._covered(k, touching)
        return adc_counts(volts + self.hiss.span(self.at, k))

    def _infrared(self, wave: np.ndarray, touching: np.ndarray) -> np.ndarray:
        """18-bit counts [k, n]; an uncovered sensor reads next to nothing, as the chip cancels ambient light."""
        k = len(wave)
        cover = self._covered(k, touching)
        covered = self.ir_dc * self.drift.span(self.at, k) * (1.0 - IR_PER_V * self.gain * wave)
        light = cover * covered + (1.0 - cover) * OPEN_IR
        light += np.where(touching, IR_NOISE, IR_NOISE / 2) * self.hiss.span(self.at, k)
        return noise.within(np.rint(light), 0, IR_FULL).astype(np.uint32)

    def _skin(self, eda: np.ndarray, touching: np.ndarray) -> np.ndarray:
        if eda.shape[1]:
            self.grams = eda[:, -1]
        grams = np.where(touching, np.maximum(self.grams, 0.0), 0.0)
        return gsr_sixteenths(grams, self.calibration)


def adc_counts(volts: np.ndarray) -> np.ndarray:
    """uint32: what a calibrated ESP32 ADC at 11 dB says to a voltage, as 12-bit counts of 3.3 V."""
    high = volts > ADC_KNEE_V
    if np.count_nonzero(high):
        volts = np.where(high, ADC_KNEE_V + 0.92 * (volts - ADC_KNEE_V), volts)
    return np.rint(noise.within(volts, ADC_FLOOR_V, ADC_TOP_V) * COUNTS_PER_V).astype(np.uint32)


def gsr_sixteenths(microsiemens: np.ndarray, calibration: int = GSR_CALIBRATION) -> np.ndarray:
    """uint16: reading of the Grove GSR in 1/16 of a 12-bit count; `calibration` = its reading with open electrodes."""
    ns = 1000.0 * microsiemens
    counts = (100000.0 * calibration - 4096.0 * ns) / (100000.0 + 2.0 * ns)
    return noise.within(np.rint(16.0 * counts), 16 * ADC_FLOOR_V * COUNTS_PER_V, 65535).astype(np.uint16)

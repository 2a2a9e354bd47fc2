"""Who stands at each node: the constants of one person's heart, pulse wave and skin.

In: a seed and node numbers. Out: `Person`, one float64[n] per constant. Ranges are of healthy adults at rest, from
Nunan, Sandercock, Brodie 2010 (Pacing Clin Electrophysiol 33:1407)   resting RMSSD 42 (19-75) ms, SDNN 50 (32-93) ms
Boucsein 2012 (Electrodermal Activity, 2nd ed.), Dawson, Schell, Filion 2017 (Handbook of Psychophysiology)
                                              SCL 2-20 uS, spontaneous SCRs 1-3/min at rest, rise 1-3 s, 0.1-1 uS
Venables, Mitchell 1996 (Int J Psychophysiol 22:45)                     about one in ten hardly responds
Allen 2007 (Physiol Meas 28:R1)                                         pulse contour, dicrotic notch, its variety
The pulse contour's own numbers were set on the averaged beats of the recordings in data/ppg_ecg_50hz and neurokit_100hz.
"""

import numpy as np

from pulseweave.sim import noise


class Person:
    """Constants per node; every attribute is float64[n] unless said otherwise. `visit`: how many people came before."""

    def __init__(self, seed: int, nodes: np.ndarray, visit: int = 0):
        keys = noise.key(seed, nodes, f"person {visit}" if visit else "person")
        drawn = iter(range(1000))

        def between(lo, hi):
            return lo + (hi - lo) * noise.uniform(keys, next(drawn))

        def spread(median, sigma, lo, hi):
            return np.clip(median * np.exp(sigma * noise.normal(keys, next(drawn))), lo, hi)

        # heart
        self.rest_bpm = between(55.0, 85.0)
        self.reach_bpm = between(22.0, 36.0)  # added at arousal 1
        self.breath_hz = between(0.19, 0.30)
        self.rsa_s = spread(0.036, 0.45, 0.010, 0.110)  # amplitude of the respiratory swing of the interval
        self.mayer_s = spread(0.022, 0.35, 0.008, 0.060)  # SD of the 0.1 Hz swing
        self.slow_s = spread(0.026, 0.30, 0.010, 0.060)  # SD below 0.04 Hz
        self.ectopic = np.where(between(0, 1) < 0.1, between(0.002, 0.01), 0.0002)  # chance per beat
        # pulse wave
        self.volts = spread(0.60, 0.30, 0.25, 1.40)  # peak to peak of the sensor's amplifier at rest
        self.contour = np.array(
            [between(0.9, 1.1), between(0.35, 0.75), between(0.20, 0.42), between(0.04, 0.12)]
        )
        self.constricts = between(0.6, 1.3)  # how far the pulse shrinks with arousal
        self.fidgets_hz = spread(1 / 60, 0.6, 1 / 240, 1 / 15)  # movements per second at rest
        # skin
        self.scl_us = spread(4.5, 0.65, 1.0, 15.0)
        self.responds = np.where(between(0, 1) < 0.1, between(0.0, 0.08), between(0.75, 1.25))
        self.scr_us = spread(0.35, 0.5, 0.1, 1.5)  # median amplitude
        self.scr_per_min = between(1.0, 4.0)  # at rest
        self.scr_reach = between(9.0, 16.0)  # added per minute at arousal 1
        self.rise_s = between(0.6, 1.0)  # Bateman's two time constants
        self.fall_s = between(2.0, 4.5)
        self.settles = between(0.10, 0.35)  # share of conductance that electrodes gain in the first minutes

    def change(self, where: np.ndarray, seed: int, nodes: np.ndarray, visits: np.ndarray) -> None:
        """Other people stand at the nodes of index `where`; visits int[n], how many came before them."""
        for visit in sorted(set(visits[where].tolist())):
            here = where[visits[where] == visit]
            for name, values in vars(Person(seed, nodes[here], visit)).items():
                getattr(self, name)[..., here] = values

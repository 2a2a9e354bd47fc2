"""The built-in body model: arousal in, the two sensors' signals out.

In: time (s), and per node arousal 0..1, valence -1..1, touching. Out: pulse in volts at 100 Hz, skin conductance in
microsiemens at 8 Hz. `Body` is public: a crowd plug-in may call it, wrap it, or bring signals of its own instead.

Volts are those of an analog pulse sensor's amplifier about its bias: 0 is no pulse, up is more blood, a resting pulse is
0.25 to 1.4 V peak to peak. Front ends (`frontend.py`) turn both signals into what the chips would deliver.

Who lets go is gone: whoever touches next at that node is another person.

Everything is a function of (seed, node number, history of that node's inputs): a node's signals do not
depend on how many others there are (`noise.py`), and steps of any length that is a whole number of ms may follow each other.
"""

from functools import cache

import numpy as np

from pulseweave.sim import noise
from pulseweave.sim.heart import Heart
from pulseweave.sim.person import Person
from pulseweave.sim.skin import Skin

RISE_S, FALL_S = (
    4.0,
    8.0,
)  # the body follows arousal: sympathetic lag (Berger et al. 1989, Am J Physiol 256:H142)
PRESS_S = 0.7  # a finger that has just come down needs this long to lie still
LEAVE_S = 0.05


@cache
def _share(dt_s: float, of_s: float) -> np.ndarray:
    """Of its way to a goal, how much is gone in dt_s with the time constant of_s."""
    return -np.expm1(-dt_s / np.array(of_s))


def _ambient(keys: np.ndarray, sample) -> np.ndarray:
    return 0.02 * noise.smooth(keys, sample / 100.0, 2.0)


class Body:
    """Bodies of all nodes.

    seed: any integer; nodes: how many, or a sequence of node numbers (for a part of a larger room).
    Ground truth after each step: `hr_bpm`, `beats`, `beat_s` (last foot of a pulse, s), `scrs`, `level_us`, each [n].
    """

    def __init__(self, seed: int, nodes):
        numbers = noise.nodes_of(nodes)
        self.n, self.seed, self.numbers = len(numbers), seed, numbers
        self.person = Person(seed, numbers)
        self.heart = Heart(seed, numbers, self.person)
        self.skin = Skin(seed, numbers, self.person)
        self.ambient = noise.Ahead(noise.key(seed, numbers, "ambient"), _ambient)
        self.drive = np.zeros(self.n)
        self.press = np.zeros(self.n)
        self.here = np.zeros(self.n, bool)  # who touched in the last step
        self.open = False  # somebody has touched a sensor of this room
        self.visits = np.full(self.n, -1)  # how many people came to this node before this one

    def step(self, t_s: float, dt_s: float, arousal, valence, touching) -> tuple[np.ndarray, np.ndarray]:
        """(ppg float64[n, k] volts, eda float64[n, m] uS): the samples whose times i/100 and i/8 s lie in
        [t_s, t_s + dt_s); with dt_s = 0.1, k is 10 and m is 0 or 1. Inputs hold for the whole step; steps follow
        each other without gap. Raises ValueError where a shape does not fit."""
        arousal = noise.within(np.asarray(arousal, dtype=np.float64), 0.0, 1.0)
        valence = noise.within(np.asarray(valence, dtype=np.float64), -1.0, 1.0)
        touching = np.asarray(touching, dtype=bool)
        if not arousal.shape == valence.shape == touching.shape == (self.n,):
            shapes = f"{arousal.shape}, {valence.shape}, {touching.shape}"
            raise ValueError(f"arousal, valence, touching have shapes {shapes}: each must be ({self.n},)")
        if not self.open:
            self.drive = arousal.copy()
        self._meet(touching, arousal)
        self.drive += (arousal - self.drive) * np.where(
            arousal > self.drive, _share(dt_s, RISE_S), _share(dt_s, FALL_S)
        )
        ppg = self.heart.step(t_s, dt_s, self.drive, valence)
        self.press += (touching - self.press) * np.where(
            touching, _share(dt_s, PRESS_S), _share(dt_s, LEAVE_S)
        )
        if np.count_nonzero(touching) < self.n:  # an uncovered sensor sees the room
            ambient = self.ambient.span(*noise.grid(t_s, dt_s, 100))
            ppg = np.where(touching[:, None], ppg, ambient.T)
        ppg *= np.where(touching, self.press, 1.0)[:, None]
        return ppg, self.skin.step(t_s, dt_s, self.drive, touching)

    def _meet(self, touching: np.ndarray, arousal: np.ndarray) -> None:
        """Whoever comes back to a sensor is somebody else."""
        came = touching & ~self.here
        self.here = touching.copy()
        if not np.count_nonzero(came):
            return
        self.open = True
        self.visits += came
        where = (came & (self.visits > 0)).nonzero()[0]
        if not where.size:
            return
        self.person.change(where, self.seed, self.numbers, self.visits)
        self.drive[where] = arousal[where]  # a body comes in as aroused as it is
        self.heart.change(where)
        self.skin.change(where)

    @property
    def hr_bpm(self) -> np.ndarray:
        """Mean heart rate now, beats per minute, without its variability."""
        return self.heart.hr_bpm

    @property
    def beats(self) -> np.ndarray:
        return self.heart.beats

    @property
    def beat_s(self) -> np.ndarray:
        return self.heart.beat_s

    @property
    def scrs(self) -> np.ndarray:
        return self.skin.scrs

    @property
    def level_us(self) -> np.ndarray:
        return self.skin.level_us

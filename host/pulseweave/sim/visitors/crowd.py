"""What every crowd model shares: people, a schedule of events, and eyes that see with a delay.

In:  `step(t_s, dt_s, light)` with light[nodes] 0..1, what each visitor saw over the step.
Out: dict(arousal=float[nodes] 0..1, the truth; touching=bool[nodes]).
A model adds `rate(x, drive, seen, gain)`: dx/dt in 1/s from arousal x, outside drive, seen light and gain K.
Small-signal law of all of them: tau*x' = -x + drive + K*seen, so that one K means one loop gain.
"""

import numpy as np

from pulseweave.problem import Problem

PRESETS = {
    "calm": {"gain": 0.6},
    "contagion": {"gain": 2.0, "shock": {"at_s": 120.0, "seconds": 10.0, "size": 0.6, "fraction": 0.5}},
    "stress": {"gain": 0.6, "stress": {"at_s": 120.0, "seconds": 300.0, "size": 0.35}},
}
EVENTS = {
    "shock": {"at_s": 120.0, "seconds": 10.0, "size": 0.6, "fraction": 0.5},
    "stress": {"at_s": 120.0, "seconds": 300.0, "size": 0.35, "fraction": 1.0},
    "jump": {"at_s": 120.0, "gain": 2.0},
}
LONGEST_DELAY_S = 30.0


class Crowd:
    """A crowd of `nodes` visitors, one at each node; a pure function of seed, scenario and the light.

    Keys of `scenario` (all optional): `scenario` a preset's name (calm, contagion, stress); `gain` K; `delay`
    s; `tau` s; `heterogeneity` relative half-width of K and tau over visitors; `noise` (stationary deviation
    x sqrt 2); `baseline`, `baseline_spread` outside drive at rest; `shock`, `stress` {at_s, seconds, size,
    fraction}; `jump` {at_s, gain}. Keys it does not know are other parts' and are ignored. Raises Problem on
    values no crowd can have.
    """

    def __init__(self, seed: int, nodes: int, **scenario):
        preset = scenario.get("scenario", "")
        if not isinstance(preset, str) or (preset and preset not in PRESETS):
            raise Problem(f"visitors: scenario = {preset!r}: use one of {', '.join(PRESETS)}")
        s = {**PRESETS.get(preset, {}), **scenario}
        self.nodes = nodes
        self.gain = number(s, "gain", 0.6, 0.0, 10.0)
        self.delay_s = number(s, "delay", 2.0, 0.0, LONGEST_DELAY_S)
        self.tau_s = number(s, "tau", 8.0, 0.1, 600.0)
        spread = number(s, "heterogeneity", 0.2, 0.0, 0.9)
        self.noise = number(s, "noise", 0.08, 0.0, 1.0)
        baseline = number(s, "baseline", 0.05, 0.0, 1.0)
        events = {k: event(s, k) for k in EVENTS}
        self.shock, self.stress, self.jump = events["shock"], events["stress"], events["jump"]

        self.rng = np.random.default_rng([seed & 0xFFFFFFFF, 0x5EED])
        self.tau = self.tau_s * self.rng.uniform(1 - spread, 1 + spread, nodes)
        self.person = self.rng.uniform(1 - spread, 1 + spread, nodes)  # this visitor's share of K
        self.base = self.rng.normal(baseline, number(s, "baseline_spread", 0.03, 0.0, 1.0), nodes).clip(0)
        self.order = self.rng.permutation(nodes)  # whom a shock to a fraction hits
        self.arousal = self.base.copy()
        self.touching = np.ones(nodes, bool)
        self.upsets: list[list[float]] = []  # [seconds left or not yet started, size, fraction]
        self.seen: np.ndarray | None = None  # ring of light over the delay
        self.at = 0
        self.prepare()

    def prepare(self):
        """A model's own constants, after the people are drawn."""

    def rate(self, x: np.ndarray, drive: np.ndarray, seen: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """dx/dt in 1/s."""
        raise NotImplementedError

    def step(self, t_s: float, dt_s: float, light: np.ndarray) -> dict:
        """Advance to t_s + dt_s, having seen `light` (float[nodes], 0..1) during the step."""
        light = np.asarray(light, float)
        if self.seen is None:
            self.seen = np.tile(light, (round(self.delay_s / dt_s) + 1, 1))
        self.seen[self.at % len(self.seen)] = light
        self.at += 1
        seen = self.seen[self.at % len(self.seen)]  # the oldest: `delay` ago

        gain = self.jump["gain"] if self.jump and t_s >= self.jump["at_s"] else self.gain
        noise = self.noise * np.sqrt(dt_s / self.tau) * self.rng.standard_normal(self.nodes)
        drift = self.rate(self.arousal, self.drive(t_s, dt_s), seen, gain * self.person)
        self.arousal = (self.arousal + dt_s * drift + noise).clip(0, 1)
        return {"arousal": self.arousal.copy(), "touching": self.touching.copy()}

    def drive(self, t_s: float, dt_s: float) -> np.ndarray:
        """Outside drive of each visitor at t_s."""
        w = self.base.copy()
        for e in (self.shock, self.stress):
            if e and e["at_s"] <= t_s < e["at_s"] + e["seconds"]:
                w[self.some(e["fraction"])] += e["size"]
        for u in self.upsets:
            w[self.some(u[2])] += u[1]
            u[0] -= dt_s
        self.upsets = [u for u in self.upsets if u[0] > dt_s / 1000]  # tenths add up to a little more
        return w

    def some(self, fraction: float) -> np.ndarray:
        """The visitors whom an event to `fraction` of the crowd hits: always the same ones, drawn by the seed."""
        return self.order[: round(fraction * self.nodes)]

    def upset(self, fraction: float = 0.5, size: float = 0.6, seconds: float = 10.0):
        """Upset a part of the crowd from now on: the live page's button."""
        self.upsets.append([seconds, size, fraction])

    def release(self, node: int):
        """The visitor at `node` lifts the finger."""
        self.touching[node] = False

    def touch(self, node: int):
        """The visitor at `node` puts the finger back."""
        self.touching[node] = True


def number(scenario: dict, key: str, default: float, lo: float, hi: float) -> float:
    """scenario[key] as a number in lo..hi. Raises Problem."""
    value = scenario.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not lo <= value <= hi:
        raise Problem(f"visitors: {key} = {value!r}: a number from {lo:g} to {hi:g} is needed")
    return float(value)


def event(scenario: dict, name: str) -> dict | None:
    """A scheduled event with its defaults filled in, None where the scenario has none. Raises Problem."""
    given = scenario.get(name)
    if not given:
        return None
    if not isinstance(given, dict) or (unknown := set(given) - set(EVENTS[name])):
        extra = "" if not isinstance(given, dict) else f", not {', '.join(sorted(unknown))}"
        raise Problem(f"visitors: {name} takes {', '.join(EVENTS[name])}{extra}")
    e = {**EVENTS[name], **given}
    limits = {"at_s": (0, 1e9), "seconds": (0, 1e9), "size": (-1, 10), "fraction": (0, 1), "gain": (0, 10)}
    return {k: number(e, k, 0.0, *limits[k]) for k in e}

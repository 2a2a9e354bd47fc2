"""What a run is measured by: everything in the JSON of `pulseweave sim`, gathered while it runs.

In: the simulation after every tick, its records once a second. Out: `report()`, the object of the contract.
"""

import numpy as np

from pulseweave.sim.engine import Simulation, Tick
from pulseweave.sim.lightmeter import LightMeter

SETTLED = 0.24
WARM_UP_S = 70.0  # the estimators learn their baselines before anything is correlated
PING_GRACE_S = 5.0  # a ping this old has been heard, or never will be


class Measures:
    """Accumulates over a run of `sim`."""

    def __init__(self, sim: Simulation):
        self.sim = sim
        self.series: list[dict] = []
        self.truth_all: list[np.ndarray] = []
        self.estimate_all: list[np.ndarray] = []
        self.g_last = np.zeros(sim.n)
        self.g_max = 0.0
        self.rho_min = 1.0
        self.light = LightMeter(sim.strands)
        self.clock_errors: list[np.ndarray] = []
        self.state_ages: list[int] = []
        self.pings_due = 0
        self.pings_heard = 0
        self.ping_ms: list[float] = []
        self._open: dict[int, np.ndarray] = {}
        self.sent = self.received = self.rejected = self.duplicates = 0
        self._counters: dict[str, np.ndarray] = {}
        self.records = None
        self.seconds = 0.0

    def tick(self, done: Tick) -> None:
        """After every tick."""
        sim = self.sim
        self.seconds = (done.number + 1) * 0.02
        if done.number % 2:  # every strand renders on every second tick
            self.light.push(sim.strands.wire, self.seconds)
        if done.pinged is not None:
            self._pings(done)
        if done.records is not None:
            self._second(done)

    def _pings(self, done: Tick) -> None:
        t = self.seconds
        for number, (_origin, at) in list(self.sim.ping_log.items()):
            waiting = self._open.get(number)
            if waiting is None:
                waiting = self.sim.powered & (self.sim.cluster == self.sim.cluster[_origin])
                self._open[number] = waiting
                waiting[_origin] = False
                self.pings_due += int(waiting.sum())
            heard = waiting & (done.pinged == number)
            if heard.any():
                waiting &= ~heard
                late = (done.number * 20.0 + self.sim.phase_ms - at * 1000)[heard]
                self.pings_heard += int(heard.sum())
                self.ping_ms.extend(late.tolist())
            if not waiting.any() or t - at > PING_GRACE_S:
                del self.sim.ping_log[number], self._open[number]

    def _second(self, done: Tick) -> None:
        sim, r = self.sim, done.records
        self.records = r
        here = sim.touching
        truth = float(sim.truth[here].mean()) if here.any() else 0.0
        felt = (r.contact > 0) & here
        arousal = r.arousal / 4096
        estimate = float(arousal[felt].mean()) if felt.any() else 0.0
        g = r.g / 4096
        self.g_last = g
        self.g_max = max(self.g_max, float(g.max()))
        self.rho_min = (
            min(self.rho_min, float(r.rho[sim.powered].min()) / 4096) if sim.powered.any() else self.rho_min
        )
        self.series.append({
            "t_s": round(self.seconds, 2),
            "truth": round(truth, 4),
            "estimate": round(estimate, 4),
            "collective": round(float(r.collective.mean()) / 4096, 4),
            "light": round(float(sim.seen.mean()), 4),
            "g": round(float(g.mean()), 4),
        })  # fmt: skip
        if self.seconds > WARM_UP_S and felt.any():
            self.truth_all.append(sim.truth[felt])
            self.estimate_all.append(arousal[felt])
        self._clock(done)
        for name in ("rejected", "duplicates"):
            now = r[name].astype(np.int64)
            before = self._counters.get(name, np.zeros_like(now))
            step = np.where(now >= before, now - before, now)  # a reboot starts a counter anew
            setattr(self, name, getattr(self, name) + int(step.sum()))
            self._counters[name] = now
        if len(self.series) % 5 == 0:
            for answer in sim.ask({"do": "ages"}):
                self.state_ages.extend(answer["ages"])

    def _clock(self, done: Tick) -> None:
        """Mesh time of every synced node against that of the lowest id in its cluster, at one true instant."""
        r, sim = done.records, self.sim
        true_ms = done.number * 20.0 + sim.phase_ms
        offset = r.mesh_ms - true_ms
        good = (r.synced > 0) & sim.powered
        for c in range(len(sim.heads)):
            these = offset[good & (sim.cluster == c)]
            if len(these) > 1:
                self.clock_errors.append(np.abs(these - these[0]))

    def report(self, wall_s: float, workers: int) -> dict:
        """The JSON object of contract.md."""
        sim = self.sim
        start, end = sim.scenario.shock_start_s, sim.scenario.shock_end_s
        after = [p for p in self.series if p["t_s"] >= start] or self.series
        truth = [p["truth"] for p in after]
        answers = sim.ask({"do": "report"})
        ticks: dict[int, int] = {}
        for a in answers:
            for us, count in a["histogram"]:
                ticks[us] = ticks.get(us, 0) + count
        lat = np.array(self.ping_ms or [np.nan])
        errors = np.concatenate(self.clock_errors) if self.clock_errors else np.array([np.nan])
        late = self.clock_errors[
            len(self.clock_errors) // 4 :
        ]  # after the first quarter everybody has a clock
        errors = np.concatenate(late) if late else errors
        ages = np.array(self.state_ages or [np.nan]) / 1000
        radio = sim.radio.statistics()
        self.light.look()
        flash = self.light.flash.report()
        return {
            "scenario": sim.scenario.name,
            "nodes": sim.n,
            "seconds": round(self.seconds, 2),
            "seed": sim.seed,
            "workers": workers,
            "wall_s": round(wall_s, 3),
            "cpu_s": None,  # known to the caller once the workers have ended
            "node_seconds_per_cpu_s": None,
            "digest": sim.digest.hexdigest(),
            "arousal": {
                "peak": max(truth, default=None),
                "mean": round(float(np.mean(truth)), 4) if truth else None,
                "settle_s": settle(self.series, end),
                "truth_correlation": correlation(self.truth_all, self.estimate_all),
            },
            "collective": self.series,
            "damping": {
                "g_final_mean": round(float(self.g_last.mean()), 4),
                "g_max": round(self.g_max, 4),
                "unmediated_share_min": round(self.rho_min, 4),
            },
            "light": {
                "flashes_per_s_max": flash["flashes_per_s_max"],
                "red_fraction_max": flash["red_fraction_max"],
                "red_flashes_per_s_max": flash["red_flashes_per_s_max"],
                "worst_s": flash["worst_s"],
                "worst_where": flash["worst_where"],
                "current_ma_max": round(self.light.current_ma, 1),
                "fps_mean": round(float(sim.frames_shown.mean()) / max(self.seconds, 0.02), 2),
            },
            "mesh": {
                "sent": radio["sent"],
                "received": radio["received"],
                "lost": radio["lost"],
                "rejected": self.rejected,
                "duplicates": self.duplicates,
                "airtime_fraction_max": round(float(radio["airtime_fraction_max"]), 4),
                "event_delivery": round(self.pings_heard / self.pings_due, 5) if self.pings_due else None,
                "event_latency_ms": percentiles(lat, (50, 99)),
                "state_age_s": percentiles(ages, (50, 99)),
            },
            "clock_error_ms": percentiles(errors, (50, 99, 100)),
            "tick_us": histogram(ticks),
            "allocated_bytes_per_tick": self.allocated(),
            "privacy": {"raw_samples_sent": sum(a["raw"] for a in answers)},
        }

    def allocated(self) -> float:
        """Bytes a node's tick leaves on the heap, from the workers' own measurement of whole ticks."""
        answers = self.sim.ask({"do": "allocated"})
        ticks = sum(a["ticks"] for a in answers)
        return round(sum(a["bytes"] for a in answers) / ticks, 3) if ticks else 0.0


def settle(series: list[dict], end_s: float) -> float | None:
    """Seconds after `end_s` from which the truth stays below SETTLED; None where it never does."""
    late = [p for p in series if p["t_s"] >= end_s]
    if not late or late[-1]["truth"] >= SETTLED:
        return None
    last = end_s
    for p in late:
        if p["truth"] >= SETTLED:
            last = p["t_s"] + 1
    return round(last - end_s, 2)


def correlation(truth: list[np.ndarray], estimate: list[np.ndarray]) -> float | None:
    """Pearson's r over all visitors and seconds; None where one of them never moves."""
    if not truth:
        return None
    a, b = np.concatenate(truth), np.concatenate(estimate)
    if a.std() < 1e-9 or b.std() < 1e-9:
        return None
    return round(float(np.corrcoef(a, b)[0, 1]), 4)


def percentiles(values: np.ndarray, which: tuple[int, ...]) -> dict:
    """{"p50": ..} with `max` for 100; None where there was nothing to measure."""
    out = {}
    for q in which:
        v = float(np.nanpercentile(values, q)) if np.isfinite(values).any() else None
        out["max" if q == 100 else f"p{q}"] = None if v is None else round(v, 3)
    return out


def histogram(counts: dict[int, int]) -> dict:
    """Percentiles of tick_us from {microseconds: count}."""
    if not counts:
        return {"p50": None, "p99": None, "max": None}
    keys = sorted(counts)
    total = np.cumsum([counts[k] for k in keys])
    pick = lambda q: keys[int(np.searchsorted(total, q * total[-1]))]  # noqa: E731
    return {"p50": pick(0.5), "p99": pick(0.99), "max": keys[-1]}

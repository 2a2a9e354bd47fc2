"""Whole rooms, sensors to pixels and eyes: runaways, calm evenings, honest stress and a jump of the gain, damped and not.

24 visitors, 30 % loss. A runaway is a loop gain of 2.5 with half the crowd startled, the light answered after 2 s and
after 4 s; its control is undamped at a gain of 2. A figure is the worst of all seeds. `damping` is the same law without
sensors, mesh and light, a hundred times as quick.
"""

import os
from concurrent.futures import Executor
from typing import NamedTuple

from pulseweave.figures.figure import Figure
from pulseweave.sim import lived
from pulseweave.sim.closed_loop import after
from pulseweave.sim.lived import Lived
from pulseweave.sim.making import prepare
from pulseweave.sim.pool import processes, stay

NODES, LOSS = 24, 0.3
CROWDS = ("ou", "bosse_treur", "sisa")
PEAK_MAX, SETTLE_MAX, SHOWN_MIN, G_MAX = 0.45, 30.0, 0.8, 0.2
JUMP_PEAK_MAX, JUMP_OVER_MAX = 0.6, 60.0
UNTIL_S, CALM_S, UNDAMPED_S, STRESS_END_S, JUMP_AT_S, JUMP_END_S = 240.0, 300.0, 420.0, 420.0, 420.0, 540.0
NOTE = "worst of all rooms; shown: of the undamped room's, in the fifth minute of honest stress; 110 s: never settled"


class Room(NamedTuple):
    """A built-in scenario with another crowd; `crowd` holds what differs from the scenario's."""

    scenario: str
    seconds: float
    seed: int
    model: str = "ou"
    crowd: tuple[tuple[str, float], ...] = ()
    damping: bool = True


def through(room: Room) -> Lived:
    """Live through one room, in a process of a pool."""
    stay()
    damping = "on" if room.damping else "off"
    s = prepare(
        room.scenario,
        {"nodes": NODES, "loss": LOSS, "visitors": room.model, "board": None, "damping": damping},
    )
    s.crowd = {**s.crowd, **dict(room.crowd)}
    return lived.live(s, room.seed, room.seconds)


def measure(quick: bool) -> list[Figure]:
    with processes(min(2, os.cpu_count() or 1)) as pool:
        return [*runaways(pool, quick), *calm(pool, quick), *stress(pool, quick), *jump(pool, quick)]


def runaways(pool: Executor, quick: bool) -> list[Figure]:
    """Peak of the mean true arousal, seconds from the shock's end until it stays below 0.24, how many do so in time."""
    rooms = [
        Room("contagion", UNTIL_S, seed, model, (("gain", 2.5), ("delay", delay)))
        for model in CROWDS[: 1 if quick else 3]
        for delay in (2.0, 4.0)
        for seed in range(1, 2 if quick else 21)
    ]
    control = Room("contagion", UNDAMPED_S, 1, damping=False)
    (free, free_settled), *held = (
        after(one.arousal, 120, 130) for one in pool.map(through, [control, *rooms])
    )
    never = UNTIL_S - 130
    settled = [never if s is None else s for _, s in held]
    free_settled = never if free_settled is None else free_settled
    soon = sum(s <= SETTLE_MAX for s in settled) / len(settled)
    undamped = "undamped, gain 2"
    return [
        Figure("runaway_peak", max(p for p, _ in held), "arousal", undamped, free, limit=PEAK_MAX),
        Figure("runaway_settle_s", max(settled), "s", undamped, free_settled, limit=SETTLE_MAX),
        Figure("runaway_settled", soon, f"of rooms within {SETTLE_MAX:g} s", limit=1.0, more=True),
    ]


def calm(pool: Executor, quick: bool) -> list[Figure]:
    """The largest damping of any node in a room at rest."""
    rooms = [Room("calm", CALM_S, seed) for seed in range(1, 2 if quick else 19)]
    return [Figure("calm_g", max(float(one.g.max()) for one in pool.map(through, rooms)), "g", limit=0.0)]


def stress(pool: Executor, quick: bool) -> list[Figure]:
    """Damping after five minutes of honest stress; arousal and light of the fifth minute, of the undamped room's."""
    seeds = (
        (("ou", 1),) if quick else (("ou", 1), ("ou", 2), ("bosse_treur", 1), ("bosse_treur", 2), ("sisa", 1))
    )
    rooms = [
        Room("stress", STRESS_END_S, seed, model, (), law) for model, seed in seeds for law in (True, False)
    ]
    all_of_them = list(pool.map(through, rooms))
    g, arousal, light = [], [], []
    for damped, free in zip(all_of_them[::2], all_of_them[1::2], strict=True):
        g.append(float(damped.g[-1].mean()))
        arousal.append(fifth_minute(damped.arousal) / fifth_minute(free.arousal))
        light.append(fifth_minute(damped.light) / fifth_minute(free.light))
    return [
        Figure("stress_g", max(g), "g", limit=G_MAX),
        Figure("stress_arousal_shown", min(arousal), "share", limit=SHOWN_MIN, more=True),
        Figure("stress_light_shown", min(light), "share", limit=SHOWN_MIN, more=True),
    ]


def fifth_minute(series) -> float:
    """Mean of the last minute of stress that began at 120 s, from 10 Hz."""
    return float(series[int(STRESS_END_S - 60) * 10 :].mean())


def jump(pool: Executor, quick: bool) -> list[Figure]:
    """The peak after the gain jumped under honest stress, and when it was above 0.6 for the last time."""
    rooms = [Room("jump", JUMP_END_S, seed) for seed in range(1, 2 if quick else 6)]
    seen = [after(one.arousal, JUMP_AT_S, JUMP_AT_S, below=JUMP_PEAK_MAX) for one in pool.map(through, rooms)]
    over = max(JUMP_END_S - JUMP_AT_S if s is None else s for _, s in seen)
    return [
        Figure("jump_peak", max(peak for peak, _ in seen), "arousal", limit=JUMP_PEAK_MAX),
        Figure("jump_over_s", over, "s", limit=JUMP_OVER_MAX),
    ]

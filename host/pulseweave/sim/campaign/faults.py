"""What goes wrong in a room, drawn from a seed: the classes of faults, and a script of them.

In: a seed and virtual seconds. Out: a `Plan`: how many nodes on which board, what their clocks read at power-up, and the
faults in order of time. The last ends `TAIL_S` before the end, so that every room has time to recover.
"""

import json

import msgspec
import numpy as np

from pulseweave.problem import Problem

START_S = 20.0
TAIL_S = 130.0
SHORTEST_S = 180.0
GAP_S = 36.0  # mean time from one fault to the next
WRAP_MS = 1 << 30  # where ticks_ms() starts anew: after 12.4 days
ANALOG = (
    "pulse_unplugged",
    "pulse_shorted",
    "pulse_saturated",
    "motion",
    "flicker_100",
    "skin_unplugged",
    "skin_shorted",
)
OPTICAL = (*ANALOG, "i2c_hang", "fifo_overflow", "rate_fast", "rate_slow")

# class: shortest and longest seconds, lowest and highest value, what the value is
CLASSES: dict[str, tuple[float, float, int, int, str]] = {
    "burst_loss": (5, 40, 70, 100, "percent of frames lost"),
    "partition": (5, 60, 1, 30, "bits: who is on the other side"),
    "hostile": (5, 40, 1, 127, "bits: attack.MODES"),
    "clock_drift": (20, 80, -500, 500, "ppm"),
    "clock_jump": (1, 1, 1, 20000, "ms forward"),
    "reset": (4, 4, 2, 5, "machine.reset_cause(): 2 panic, 3 watchdog, 5 soft"),
    "crash_storm": (4, 4, 2, 7, "crashes in a row"),
    "power_loss": (0.4, 15, 0, 0, ""),
    "power_storm": (4, 4, 4, 10, "cuts in a row"),
    "power_cut_in_write": (6, 6, 1, 24, "flash operation in which the power goes"),
    "sensor_fault": (5, 40, 0, 0, "name: see sim/faults.py"),
    "sensor_raises": (1, 30, 0, 0, ""),
    "radio_no_memory": (5, 5, 0, 2, "sends refused, 0: until a restart"),
    "radio_desync": (1, 1, 0, 0, ""),
    "radio_dead": (1, 40, 0, 0, ""),
    "radio_raises": (1, 20, 0, 0, ""),
    "strand_raises": (1, 25, 0, 0, ""),
    "console_garbage": (2, 10, 20, 1500, "bytes"),
    "console_raises": (1, 30, 0, 0, ""),
    "host_away": (5, 30, 0, 1, "1: the line is closed, 0: nobody reads"),
    "flash_full": (5, 40, 0, 0, ""),
    "flash_refuses": (5, 40, 0, 0, ""),
    "nvs_full": (8, 30, 0, 0, ""),
    "no_memory": (1, 25, 0, 0, ""),
}
WHOLE_ROOM = ("burst_loss", "partition", "hostile")


class Fault(msgspec.Struct, frozen=True):
    """One fault: `kind` of CLASSES at `at_s` for `seconds` on `node` (-1: the room)."""

    kind: str
    at_s: float
    seconds: float
    node: int
    value: int = 0
    name: str = ""

    @property
    def end_s(self) -> float:
        return self.at_s + self.seconds


class Plan(msgspec.Struct):
    """A room and what happens to it; the same seed and seconds always draw the same."""

    seed: int
    seconds: float
    nodes: int
    board: str
    loss: float | None
    boot_ms: list[int]
    faults: list[Fault]
    numbers: list[int] = []  # place of each fault in the script as it was drawn


def draw(
    seed: int, seconds: float, nodes: int | None = None, kinds: tuple[str, ...] = tuple(CLASSES)
) -> Plan:
    """The plan of a seed. `nodes` fixes their number (else 1 to 5); `kinds` are the classes to draw from, none: a calm room.

    Raises Problem where the time is too short to break anything and to recover.
    """
    if seconds < SHORTEST_S:
        raise Problem(
            f"--hours {seconds / 3600:.4g}: a room needs at least {SHORTEST_S / 3600:g} (3 minutes)"
        )
    rng = np.random.default_rng([seed, 0xFA017])
    n = int(rng.choice([1, 2, 3, 4, 5], p=[0.28, 0.34, 0.22, 0.1, 0.06]))
    board = "virtual" if rng.random() < 0.7 else "virtual-max30102"
    loss = [None, 0.0, 0.3][int(rng.integers(3))]
    n = nodes or n
    boot = [int(rng.integers(1000, 200_000)) for _ in range(n)]
    if rng.random() < 0.3:  # some clock passes its end in this run
        boot[int(rng.integers(n))] = WRAP_MS - int(rng.integers(1000, int(seconds * 900)))
    faults: list[Fault] = []
    t = START_S
    while kinds:
        t += float(rng.exponential(GAP_S))
        if t > seconds - TAIL_S - 5:
            break
        kind = kinds[int(rng.integers(len(kinds)))]
        if kind == "partition" and n < 2:
            continue
        faults.append(one(rng, kind, round(t, 2), n, board, seconds - TAIL_S))
    return Plan(seed, seconds, n, board, loss, boot, faults, list(range(len(faults))))


def one(rng: np.random.Generator, kind: str, at_s: float, n: int, board: str, latest_s: float) -> Fault:
    """One fault of a class, at `at_s`, over by `latest_s`."""
    short, long, low, high, _ = CLASSES[kind]
    seconds = float(rng.uniform(short, long))
    value = int(rng.integers(low, high + 1))
    node = -1 if kind in WHOLE_ROOM else int(rng.integers(n))
    name = ""
    names = OPTICAL if board == "virtual-max30102" else ANALOG
    pick = names[int(rng.integers(len(names)))]
    if kind == "sensor_fault":
        name = pick
    elif kind == "partition":
        value = int(rng.integers(1, 1 << (n - 1)))  # the last node's side has bit 0: never everybody
    elif kind == "reset":
        value = [2, 3, 5][int(rng.integers(3))]
    elif kind in ("crash_storm", "power_storm"):
        seconds = value * (4.0 if kind == "crash_storm" else 3.2) + 1
    return Fault(kind, at_s, round(min(seconds, max(1.0, latest_s - at_s)), 2), node, value, name)


def keep(plan: Plan, numbers: list[int]) -> Plan:
    """The same room with only these faults of its script. Raises Problem on a number that it does not have."""
    have = dict(zip(plan.numbers, plan.faults))
    wrong = [k for k in numbers if k not in have]
    if wrong:
        raise Problem(
            f"--faults {wrong[0]}: seed {plan.seed} has faults 0 to {len(plan.faults) - 1} (--show lists them)"
        )
    chosen = sorted(set(numbers))
    return msgspec.structs.replace(plan, faults=[have[k] for k in chosen], numbers=chosen)


def lines(plan: Plan) -> list[str]:
    """The script for a person, one line a fault."""
    head = f"seed {plan.seed}: {plan.nodes} nodes on {plan.board}, {plan.seconds:g} s"
    out = [head + (f", {plan.loss:.0%} of all frames lost" if plan.loss else "")]
    for k, f in zip(plan.numbers, plan.faults):
        where = "the room" if f.node < 0 else f"node {f.node}"
        word = f.name or (f"{f.value} {CLASSES[f.kind][4]}" if CLASSES[f.kind][4] else "")
        out.append(f"{k:4d}  {f.at_s:8.2f} s for {f.seconds:6.2f} s  {where:9} {f.kind:19} {word}")
    return out


def as_json(plan: Plan) -> dict:
    """The plan for a report."""
    return json.loads(msgspec.json.encode(plan))

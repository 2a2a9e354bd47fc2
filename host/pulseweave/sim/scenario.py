"""Scenarios: what happens in a simulated room, as TOML.

Built-in ones lie in scenarios/; any other file of the same form works. Raises Problem with file, key and remedy.
"""

import difflib
from pathlib import Path
from typing import Annotated

import msgspec

from pulseweave.problem import Problem

BUILT_IN = Path(__file__).parent / "scenarios"
MOST_NODES = 2000
LONGEST_S = 1e9
OURS = ("seed", "nodes", "spec", "folder", "self")  # what a crowd is made of besides [crowd]

ACTIONS = (
    "upset",
    "partition",
    "heal",
    "scene",
    "ping",
    "reboot",
    "lift",
    "touch",
    "fault",
    "damping",
    "jam",
    "off",
    "on",
)


Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]
Decibels = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Room(msgspec.Struct, forbid_unknown_fields=True):
    """Where the strands hang: `layout` canopy (a sunflower spiral, even at any number), grid, hall (1.8
    times as long as wide, on no lattice) or line; metres. More nodes
    than `cluster` make several clusters, each on a channel of its own: 64 is what a node's table holds unless
    `cluster` says more: the nodes are then configured for it (`cluster_max`, 51 bytes of heap each)."""

    layout: str = "canopy"
    spacing_m: Annotated[float, msgspec.Meta(gt=0, le=100)] = 1.4
    cluster: Annotated[int, msgspec.Meta(ge=1, le=254)] = 64


class Radio(msgspec.Struct, forbid_unknown_fields=True):
    """The radio model's keys, as radio.Radio explains them; only checked: what is left out has its default there."""

    loss: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    range_m: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = 1
    tx_dbm: Annotated[float, msgspec.Meta(ge=-100, le=100)] = 0
    exponent: Annotated[float, msgspec.Meta(ge=1, le=10)] = 1
    shadow_db: Decibels = 0
    skew_db: Decibels = 0
    fade_db: Decibels = 0
    bursts: tuple[
        Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)],
        Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)],
        Annotated[float, msgspec.Meta(ge=0, le=1)],
    ] = (1, 1, 0)
    mbps: Annotated[float, msgspec.Meta(ge=0.1, le=1000)] = 1


class Action(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happens once at `at_s`, or every `every_s` from then on."""

    at_s: Seconds
    do: str
    every_s: Seconds = 0
    node: int = -1  # -1: drawn by the seed
    fraction: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    size: Annotated[float, msgspec.Meta(ge=-1, le=10)] = 0.6
    seconds: Seconds = 10
    name: str = ""
    on: bool = True


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A room, its crowd and what happens to them; all but the title has a default."""

    title: str
    name: str = ""
    nodes: int = 24
    seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)] = 300
    board: str = "virtual"
    visitors: str = "synthetic"
    crowd: dict = {}  # keys of the crowd model: gain, delay, tau, shock, stress, jump ...
    damping: bool = True
    scene: str = "hearth"
    room: Room = msgspec.field(default_factory=Room)
    radio: dict = {}  # keys of the radio model: range_m, loss ...
    faults: dict[str, str] = {}  # node -> sensor fault from the start
    script: list[Action] = []

    @property
    def shock_start_s(self) -> float:
        """When the shock (or stress) begins: from here on `arousal.peak` counts."""
        if (s := self._outside) is not None:
            return s[0]
        return min((a.at_s for a in self.script if a.do == "upset"), default=0.0)

    @property
    def shock_end_s(self) -> float:
        if (s := self._outside) is not None:
            return s[1]
        return min((a.at_s + a.seconds for a in self.script if a.do == "upset"), default=0.0)

    @property
    def _outside(self) -> tuple[float, float] | None:
        """(begin, end) of the crowd's shock or stress; None without one, or where a plug-in means something else by it."""
        for key in ("shock", "stress"):
            s = self.crowd.get(key)
            if isinstance(s, dict) and s:
                at_s, seconds = s.get("at_s", 120.0), s.get("seconds", 10.0)
                if all(isinstance(v, int | float) for v in (at_s, seconds)):
                    return float(at_s), float(at_s) + float(seconds)
        return None


def names() -> list[str]:
    """Built-in scenarios, sorted."""
    return sorted(p.stem for p in BUILT_IN.glob("*.toml"))


def load(name: str) -> Scenario:
    """A built-in scenario by name, or a TOML file by path."""
    path = BUILT_IN / f"{name}.toml"
    if "/" in name or "\\" in name or name.endswith(".toml"):
        path = Path(name)
    if not path.is_file():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise Problem(
            f"scenario {name!r} is unknown: {hint}`pulseweave sim --list` names them, or give a TOML file"
        )
    try:
        s = msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise Problem(f"{path.name}: {e}: see host/pulseweave/sim/README.md for the keys") from None
    try:
        msgspec.convert(s.radio, Radio)
    except msgspec.ValidationError as e:
        raise Problem(f"{path.name}: [radio]: {e}: see host/pulseweave/sim/README.md for the keys") from None
    if taken := sorted(set(OURS) & set(s.crowd)):
        raise Problem(f"{path.name}: [crowd] {taken[0]}: this is not the crowd's to choose: leave it out")
    for a in s.script:
        if a.do not in ACTIONS:
            raise Problem(f"{path.name}: script does {a.do!r}: use one of {', '.join(ACTIONS)}")
    s.name = path.stem
    return s

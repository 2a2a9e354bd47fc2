"""Reading the device's weight file on the host: the same integers, by name."""

import math
import re
from functools import cache

from pulseweave.paths import DEVICE

FILE = DEVICE / "weave" / "affect" / "weights.py"


@cache
def constants() -> dict[str, int]:
    """NAME -> value of every const in the device's weights.py."""
    return {k: int(v) for k, v in re.findall(r"^([A-Z]+) = const\((-?\d+)\)", FILE.read_text(), re.M)}


def threshold() -> float:
    """The arousal (0..1) from which a minute counts as aroused."""
    return 1 / (1 + math.exp(-constants()["CUT"] / 1024))

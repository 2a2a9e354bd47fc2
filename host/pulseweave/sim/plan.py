"""What every node of a run is before its first tick, drawn from the seed: its place, its clock, its settings, its keys.

In: the seed, positions in metres, a board. Out: the plan that workers build their boards from (worker/fleet.py).
"""

import hashlib
from functools import cache

import numpy as np

from pulseweave.network import Network
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem

FARTHEST_M = 1000  # what a node's settings can say of its place


@cache
def source() -> str:
    """What simulated nodes call their release: the first digits of a hash over all of device/."""
    said = hashlib.sha256()
    for path in sorted(DEVICE.rglob("*.py")):
        said.update(f"{path.relative_to(DEVICE).as_posix()}\0".encode() + path.read_bytes())
    return said.hexdigest()[:8]


def plan(seed: int, positions: np.ndarray, board, gateways: list[int], cluster_max: int = 64) -> dict:
    """{"boards", "network", "nodes"}; ids count from 1. `cluster_max`: rows of a node's table.

    Clocks drift up to 40 ppm, ticks have any phase, boots are up to 200 s ago. Raises Problem where a strand is too far out.
    """
    far = float(np.abs(positions).max())
    if far > FARTHEST_M:
        raise Problem(
            f"a strand would hang {far:.0f} m out, {FARTHEST_M} m is the most: "
            "give the room a smaller spacing_m or fewer nodes"
        )
    rng = np.random.default_rng([seed, 0xB0A4D])
    nodes = []
    for i, place in enumerate(positions):
        x, y, z = (int(v * 1000) for v in place)
        nodes.append({
            "node": i + 1,
            "board": board.name,
            "mac": f"025057{i + 1:06x}",
            "ppm": int(rng.integers(-40, 41)),
            "phase_us": int(rng.integers(0, 20000)),
            "boot_us": int(rng.integers(1, 200_000)) * 1000,
            "settings": {"node": i + 1, "x": x, "y": y, "z": z, "cluster_max": cluster_max},
        })  # fmt: skip
    return {
        "boards": {board.name: {**board.device_dict(), "release": source()}},
        "network": keys(seed, gateways),
        "nodes": nodes,
    }


def keys(seed: int, gateways: list[int]) -> dict:
    """The network of a simulated room, from its seed: key blobs in hex; the nodes in `gateways` may command."""

    def key(what: str) -> bytes:
        return hashlib.sha256(f"pulseweave simulated {what} {seed}".encode()).digest()[:16]

    network = Network("simulated", 1 + seed % 254, {1: key("network")}, {1: key("command")})
    return {"node": network.blob().hex(), "gateway": network.blob(True).hex(), "gateways": gateways}

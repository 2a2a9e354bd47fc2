"""A small room on disk for `parts/`: the plan of its nodes and the samples their visitors' sensors would deliver.

In: a folder, nodes, pixels, seconds. Out: plan.json and samples.bin in it. Visitors are synthetic (`pulseweave.sim.body`)
through the sensors' front end, half aroused, one hand each on every node from the first moment.
"""

import json
from pathlib import Path

import numpy as np

from pulseweave import boards
from pulseweave.sim.body import Body
from pulseweave.sim.frontend import FrontEnd
from pulseweave.sim.plan import keys

SEED = 5


def stage(folder: Path, nodes: int, pixels: int, seconds: float, board: str = "virtual") -> None:
    """Write plan.json and samples.bin. `board` names the description whose strand gets `pixels`."""
    description = boards.load(board).device_dict()
    description["strand"] = {**description["strand"], "pixels": pixels, "budget_ma": max(2000, 20 * pixels)}
    body, front = Body(SEED, nodes), FrontEnd(description, SEED, nodes)
    touching = np.ones(nodes, bool)
    with (folder / "samples.bin").open("wb") as f:
        for k in range(round(seconds * 10) + 10):
            arousal = np.full(nodes, 0.15 + 0.35 * (k % 600 > 300))
            ppg, eda = body.step(k * 0.1, 0.1, arousal, np.zeros(nodes), touching)
            pulse, skin = front.convert(ppg, eda, touching)
            f.write(
                np.ascontiguousarray(pulse, "<u4").tobytes() + np.ascontiguousarray(skin, "<u2").tobytes()
            )
    (folder / "plan.json").write_text(json.dumps(plan(board, description, nodes)))


def plan(board: str, description: dict, nodes: int) -> dict:
    """`nodes` provisioned nodes on one kind of board, with clocks and phases apart: what sim/worker/fleet.py builds."""
    return {
        "boards": {board: description},
        "network": keys(1, [1]),
        "nodes": [
            {
                "node": i + 1,
                "board": board,
                "mac": f"02505700{i:04x}",
                "ppm": 20 * i - 20,
                "phase_us": 3000 * i,
                "boot_us": 10**6 * (i + 1),
                "settings": {"node": i + 1},
            }
            for i in range(nodes)
        ],
    }

"""What a page is told of a simulated room: plain numbers for `meta()` and `state()` of `Source` (gather/README.md)."""

import numpy as np

from pulseweave.sim import scenario as scenarios
from pulseweave.sim.engine import Simulation
from pulseweave.sim.plan import source


def plan(sim: Simulation) -> dict:
    """What stays as it is until another order comes: scenario, scenes, where the strands hang."""
    return {
        "scenario": sim.scenario.name,
        "title": sim.scenario.title,
        "scenarios": scenarios.names(),
        "nodes": sim.n,
        "pixels": sim.strands.count,
        "damping": sim.damping,
        "scene": sim.scene,
        "scenes": [n for n in sim.scenes if n not in ("identify", "fault")],
        "strands": [
            {
                "node": i,
                "name": str(i + 1),
                "x": float(p[0]),
                "y": float(p[1]),
                "z": float(p[2]),
                "pixels": sim.strands.count,
            }
            for i, p in enumerate(sim.positions)
        ],
    }


def room(sim: Simulation, r: np.recarray) -> dict:
    """The crowd and its light as a whole; `r`: the nodes' records."""
    here = sim.touching
    contact = r.contact > 0
    return {
        "truth": mean(sim.truth[here]),
        "estimate": mean(r.arousal[contact] / 4096),
        "collective": mean(r.collective / 4096),
        "light": mean(sim.seen),
        "g": mean(r.g / 4096),
        "ratio": round(float(np.median(r.ratio_q8)) / 256, 3),
        "contagion": bool(r.contagion.mean() > 0.5),
        "synchrony": mean(r.synchrony / 4096),
        "spread": mean(r.spread / 4096),
    }


def nodes(sim: Simulation, r: np.recarray, near: list, notes: list) -> dict:
    """One column a quantity, one row a node; `near`: [node, dBm] of everybody in a node's earshot; `notes`: of crashes."""
    nobody: list = [[]] * sim.n  # where the room was changed between two looks
    return {
        "hr": (r.hr_q4 / 16).round(1).tolist(),
        "confidence": (r.confidence / 255).round(3).tolist(),
        "quality": (r.quality / 255).round(3).tolist(),
        "contact": (r.contact > 0).astype(int).tolist(),
        "arousal": (r.arousal / 4096).round(3).tolist(),
        "valence": (r.valence / 4096).round(3).tolist(),
        "level": (r.level / 4096).round(3).tolist(),
        "g": (r.g / 4096).round(3).tolist(),
        "rho": (r.rho / 4096).round(3).tolist(),
        "opted_out": r.opted_out.tolist(),
        "beats": r.beats.tolist(),
        "ma": r.ma.tolist(),
        "notes": notes if len(notes) == sim.n else nobody,
        "release": [source()] * sim.n,
        "neighbours": [[[n - 1, rssi] for n, rssi in row] for row in near] if len(near) == sim.n else nobody,
        "health": [health(r, i, sim.powered[i]) for i in range(sim.n)],
    }


def mesh(sim: Simulation, r: np.recarray) -> dict:
    """What the air carried so far."""
    radio = sim.radio.statistics()
    return {
        "sent": int(radio["sent"]),
        "received": int(radio["received"]),
        "lost": int(radio["lost"]),
        "synced": int((r.synced > 0).sum()),
        "airtime": round(float(radio["airtime_fraction_max"]), 4),
    }


def mean(values: np.ndarray) -> float:
    """To four places; 0 of nobody."""
    return round(float(values.mean()), 4) if values.size else 0.0


def health(r, i: int, powered) -> str:
    """One word or two on how a node is; empty where all is well."""
    if not powered:
        return "off"
    said = []
    if r.sense_faults[i]:
        said.append("sensor fault")
    if not r.synced[i]:
        said.append("no mesh time")
    if r.faults[i]:
        said.append(f"{int(r.faults[i])} faults")
    if r.limited[i]:
        said.append("power limited")
    return ", ".join(said)

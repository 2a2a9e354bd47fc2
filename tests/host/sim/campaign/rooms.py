"""Plans of rooms whose faults a test chooses."""

from pulseweave.sim.campaign.faults import Fault, Plan


def plan_of(*faults: Fault, nodes: int = 1, seconds: float = 180.0, board: str = "virtual") -> Plan:
    return Plan(3, seconds, nodes, board, None, [0] * nodes, list(faults), list(range(len(faults))))

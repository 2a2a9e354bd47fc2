"""One room of a campaign: the simulator with boards to which everything happens, its script, and the look once a second."""

from pathlib import Path

import numpy as np

from pulseweave.paths import DEVICE
from pulseweave.sim.campaign.attack import MODES, Attacker
from pulseweave.sim.campaign.faults import Plan
from pulseweave.sim.campaign.guests import Guests
from pulseweave.sim.campaign.inject import Injector
from pulseweave.sim.engine import BLOCK, TICK_S, Simulation
from pulseweave.sim.scenario import Scenario

PING_TICKS = 250
PING_IDS = 60000  # of 16 bits; the first comes again after 83 hours
ROGUE = 1 << MODES.index("rogue")
# columns of what `look` says of every board
ON, FAULT, WAITS, KNOWN, STRANGE, SYNCED, SENSE, CONTACT, BOOTS = range(9)


class CampaignRoom(Simulation):
    """The room of `plan`. `native`: machine code, quicker and without tracebacks; several workers are spread."""

    def __init__(
        self, plan: Plan, firmware: Path = DEVICE, workers: int = 1, native: bool = True, recorder=None
    ):
        scenario = Scenario(
            title="campaign",
            name="campaign",
            nodes=plan.nodes,
            seconds=plan.seconds,
            board=plan.board,
            radio={"attackers": [(0.7, 0.4, 1.5)], **({} if plan.loss is None else {"loss": plan.loss})},
        )
        scenario.room.spacing_m = 1.2
        self.plan_loss = plan.loss
        extra = {"rough": {"boot_ms": plan.boot_ms}}
        super().__init__(scenario, plan.seed, workers, recorder, native, firmware, extra, spread=True)
        self.eyes = None  # guests do not look
        self.guests = Guests(plan.seed, plan.nodes, plan.board)
        self.injector = Injector(self)
        self.attacker = self.radio.attack = Attacker(plan.seed, self.n)
        self.pings: dict[int, int] = {}  # id -> tick at which it was last sent
        edges = [(round(f.at_s / TICK_S), 1, k, f) for k, f in zip(plan.numbers, plan.faults)]
        edges += [(round(f.end_s / TICK_S), 0, k, f) for k, f in zip(plan.numbers, plan.faults)]
        self.edges = sorted(edges, key=lambda e: e[:3], reverse=True)
        self.draw = np.random.default_rng([plan.seed, 0x9146])

    def _sense(self, k: int):
        """The next 100 ms of samples."""
        pulse, skin = self.faults.apply(*self.guests.step(k * TICK_S))
        self.touching = self.guests.here > 0
        return np.ascontiguousarray(pulse, np.uint32), np.ascontiguousarray(skin, np.uint16)

    def _script(self, k: int) -> None:
        """What the plan says for this tick, and a ping every five seconds."""
        while self.edges and self.edges[-1][0] <= k:
            _, begins, number, f = self.edges.pop()
            if begins:
                self.injector.begin(f, number)
            else:
                self.injector.end(f)
        if k and k % PING_TICKS == 0:
            self.ping = self.ping % PING_IDS + 1
            self.pings[self.ping] = k
            self.tell(int(self.draw.integers(self.n)), {"do": "ping", "id": self.ping})
        if self.attacker.modes & ROGUE and k % 25 == 0:
            frame = self.tell(int(self.draw.integers(self.n)), {"do": "rogue"})["frame"]
            self.attacker.rogue = bytes.fromhex(frame)

    def _free(self, k: int) -> int:
        """Until the next fault begins or ends."""
        return self.edges[-1][0] - k if self.edges else BLOCK

    def look(self) -> tuple[list, list, np.ndarray]:
        """(found, obeyed, int[nodes, 9]) since the last look; the first entry of each item is the node."""
        found, obeyed, boards = [], [], []
        for first, answer in self.nodes.ask({"do": "look"}, self.tick):
            found += [[what, first + slot, tick, text] for what, slot, tick, text in answer["found"]]
            obeyed += [[first + slot, *rest] for slot, *rest in answer["obeyed"]]
            boards += answer["boards"]
        return found, obeyed, np.array(boards, np.int64)

    def floor(self) -> int:
        """Bytes in use in all workers after a collection."""
        return sum(answer["used"] for answer in self.ask({"do": "floor"}))

"""What happens in a room: its scenario's script, and orders from the page.

In: a running room, actions (scenario.py). Out: requests to nodes, wishes to the crowd, a changed air.
"""

import numpy as np

from pulseweave.problem import Problem
from pulseweave.sim.scenario import Action

TICK_S = 0.02
PING_TICKS = 250  # a ping every five seconds measures how events travel
SETTLED_S = 20.0  # before that a mesh is still finding itself


class Script:
    """The script of `room`, an engine.Simulation."""

    def __init__(self, room):
        self.room = room
        self.rng = np.random.default_rng([room.seed, 0xAC7])  # who is meant where a script leaves it open
        # when each action of the script is due: (first tick, every so many; 0: once)
        self.times = [(round(a.at_s / TICK_S), round(a.every_s / TICK_S)) for a in room.scenario.script]
        self.faulty: list[tuple[float, str, int]] = []  # until when, which fault, which node
        self.cut(False)

    def begin(self) -> None:
        """What holds from the first moment on."""
        plan = self.room.scenario
        for node, kind in plan.faults.items():
            if not str(node).isdecimal() or int(node) >= self.room.n:
                raise Problem(
                    f"{plan.name}: [faults] {node} = {kind!r}: this room has nodes 0 to {self.room.n - 1}"
                )
            self.room.faults.set(kind, [int(node)])
        if plan.faults:
            self._flags()
        for a in plan.script:
            try:
                self.check(a)
            except Problem as e:
                raise Problem(f"{plan.name}: [[script]] at {a.at_s:g} s: {e}") from None
        if not plan.damping:
            self.do(Action(0, "damping", on=False))
        if plan.scene != "hearth":
            self.do(Action(0, "scene", name=plan.scene))

    def due(self, k: int) -> list[Action]:
        """The scenario's actions at tick k."""
        if not self.times:
            return []
        return [
            a
            for a, (first, every) in zip(self.room.scenario.script, self.times)
            if k == first or (every and k > first and (k - first) % every == 0)
        ]

    def step(self, k: int) -> None:
        """What tick k brings."""
        t = k * TICK_S
        for a in self.due(k):
            self.do(a)
        if k and k % PING_TICKS == 0 and t >= SETTLED_S:
            self.do(Action(t, "ping"))
        for end, kind, node in [f for f in self.faulty if f[0] <= t]:
            self.room.faults.set(kind, [node], False)
            self._flags()
            self.faulty.remove((end, kind, node))

    def free(self, k: int, most: int) -> int:
        """How many ticks from k on, at most `most`, until the script does something again."""
        for j in range(k + 1, k + most):
            if j % PING_TICKS == 0 or self.due(j) or any(f[0] <= j * TICK_S for f in self.faulty):
                return j - k
        return most

    def check(self, a: Action) -> None:
        """Raises Problem on what cannot be done in this room."""
        room = self.room
        if a.node >= room.n:
            raise Problem(f"node {a.node}: this room has nodes 0 to {room.n - 1}")
        if a.do == "scene" and a.name not in room.scenes:
            raise Problem(f"scene {a.name!r} is unknown: use one of {', '.join(room.scenes)}")
        if a.do == "fault":
            room.faults.check(a.name)

    def do(self, a: Action) -> None:
        """Do something in the room now; `a.node` -1 lets the seed choose. Raises Problem on what cannot be."""
        self.check(a)
        room = self.room
        node = a.node if a.node >= 0 else int(self.rng.integers(room.n))
        getattr(self, f"_{a.do}")(a, node)
        if a.do != "ping":
            text = f"{a.do} {a.name}".strip()
            room.events.append({"t_s": round(room.t_s, 2), "kind": a.do, "node": node, "text": text})

    # --- the crowd ------------------------------------------------------------------------------------------------

    def _crowd(self, what: str, *args) -> None:
        """A wish to the crowd, where it is a crowd that can be asked."""
        f = getattr(self.room.crowd, what, None)
        if f:
            f(*args)

    def _upset(self, a: Action, node: int) -> None:
        self._crowd("upset", a.fraction, a.size, a.seconds)

    def _lift(self, a: Action, node: int) -> None:
        self._crowd("release", node)

    def _touch(self, a: Action, node: int) -> None:
        for i in range(self.room.n) if a.node < 0 else [node]:
            self._crowd("touch", i)

    # --- the air --------------------------------------------------------------------------------------------------

    def _partition(self, a: Action, node: int) -> None:
        self.cut(True)

    def _heal(self, a: Action, node: int) -> None:
        self.cut(False)

    def _jam(self, a: Action, node: int) -> None:
        self.room.radio.jam(self.room.positions[node], a.seconds)

    def cut(self, halves: bool) -> None:
        """Who can hear whom: clusters are on different channels; `halves` also cuts each of them in two by position."""
        room = self.room
        groups = []
        for members in room.members:
            if halves:
                order = [members[i] for i in np.argsort(room.positions[members, 0], kind="stable")]
                groups += [sorted(order[: len(order) // 2]), sorted(order[len(order) // 2 :])]
            else:
                groups.append(members)
        if len(groups) > 1:
            room.radio.partition(groups)
        else:
            room.radio.heal()

    # --- the nodes ------------------------------------------------------------------------------------------------

    def _fault(self, a: Action, node: int) -> None:
        self.room.faults.set(a.name, [node])
        self._flags()
        self.faulty.append((self.room.t_s + a.seconds, a.name, node))

    def _flags(self) -> None:
        for node, flag in enumerate(self.room.faults.flags.tolist()):
            self.room.tell(node, {"do": "sensor", "flags": flag})

    def _ping(self, a: Action, node: int) -> None:
        room = self.room
        if not room.powered[node]:
            return  # nobody waits for what was never sent
        room.ping = room.ping % 60000 + 1
        room.ping_log[room.ping] = (node, room.t_s)
        room.tell(node, {"do": "ping", "id": room.ping})

    def _damping(self, a: Action, node: int) -> None:
        self.room.damping = a.on
        for head, members in zip(self.room.heads, self.room.members):
            # only the head has the keys for it: while that is off, each of the others is told by itself
            for told in [head] if self.room.powered[head] else self._awake(members):
                self.room.tell(told, {"do": "damping", "on": a.on})

    def _scene(self, a: Action, node: int) -> None:
        self.room.scene = a.name
        for members in self.room.members:
            for told in self._awake(members)[:1]:
                self.room.tell(told, {"do": "scene", "name": a.name})
        if self.room.eyes:
            self.room.eyes.scale(*self.room.span(a.name))

    def _awake(self, members: list[int]) -> list[int]:
        """Those of a cluster that have power, the lowest first."""
        return [i for i in members if self.room.powered[i]]

    def _reboot(self, a: Action, node: int) -> None:
        if self.room.powered[node]:
            self.room.tell(node, {"do": "reboot"})

    def _off(self, a: Action, node: int) -> None:
        self.room.powered[node] = a.do == "on"
        self.room.tell(node, {"do": a.do})

    _on = _off

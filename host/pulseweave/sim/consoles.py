"""Consoles of simulated nodes, open to somebody outside the room: bytes in and out, carried between ticks.

In: a node (0-based), from any thread. Out: a `Console` with put(bytes) and take() -> bytes. What is typed is recorded with
the run as any other request, and changes neither pixels nor radio frames where it only asks.
"""

import threading

EVERY = 5  # ticks


class Console:
    """One console of node `node`; `open` False once the room has begun anew or another has opened it."""

    def __init__(self, node: int):
        self.node = node
        self.open = True
        self._typed, self._said = bytearray(), bytearray()
        self._lock = threading.Lock()

    def put(self, data: bytes) -> None:
        """Type."""
        with self._lock:
            self._typed += data

    def take(self) -> bytes:
        """What the node has printed since."""
        with self._lock:
            said = bytes(self._said)
            self._said.clear()
        return said

    def carry(self, sim) -> None:
        """Between two ticks, in the simulation's thread."""
        with self._lock:
            typed = bytes(self._typed)
            self._typed.clear()
        said = bytes.fromhex(sim.tell(self.node, {"do": "console", "hex": typed.hex()})["hex"])
        with self._lock:
            self._said += said
            del self._said[: -(1 << 20)]


class Consoles:
    """Those that are open; `step(sim)` after every tick. A console belongs to whoever opened it last."""

    def __init__(self):
        self._open: dict[int, Console] = {}

    def open(self, node: int) -> Console:
        """The console of a node from now on."""
        if node in self._open:
            self._open[node].open = False
        self._open[node] = console = Console(node)
        return console

    def anew(self) -> None:
        """Another room has begun: these consoles' nodes are gone."""
        for console in self._open.values():
            console.open = False
        self._open.clear()

    def close(self, console: Console) -> None:
        """Nobody listens there any more."""
        if self._open.get(console.node) is console:
            del self._open[console.node]

    def step(self, sim) -> None:
        """Carry bytes, every few ticks."""
        if self._open and sim.tick % EVERY == 0:
            for console in list(self._open.values()):
                if console.node < sim.n:
                    console.carry(sim)

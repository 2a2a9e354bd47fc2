"""Real meshes (bridge.py, in MicroPython) on the simulated air (pulseweave.sim.radio): the figures of the mesh."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import ports  # noqa: E402
from pulseweave import micropython  # noqa: E402
from pulseweave.sim.radio import Radio  # noqa: E402

HERE = Path(__file__).parent


def strip(n: int, seed: int, hops: float = 11.0, degree: float = 14.0):
    """n places in a long room, at random but not too close; earshot 10 m, so that it takes about `hops` hops across."""
    rng = np.random.default_rng([seed, 77])
    reach = 10.0
    length = hops * reach * 0.82
    width = n * np.pi * reach**2 / (degree * length)
    k = int(np.ceil(np.sqrt(n * length / width)))
    rows = int(np.ceil(n / k))
    grid = np.array([((i % k + 0.5) * length / k, (i // k + 0.5) * width / rows) for i in range(n)])
    return grid + rng.uniform(-0.25, 0.25, (n, 2)) * [length / k, width / rows], reach


class Air:
    """`n` meshes and a Radio; run(), tell(), query()."""

    def __init__(self, radio: Radio, seed: int = 1, flood: bool = False):
        self.radio, self.tick, self.sent = radio, 0, []
        env = micropython.environment(ports.DEVICE, HERE)
        command = micropython.command(
            HERE / "bridge.py", str(radio.n), str(seed), str(int(flood)), heap="256m"
        )
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ids = 0

    def run(self, seconds: float):
        """Virtual seconds."""
        out, into = self.process.stdin, self.process.stdout
        for _ in range(round(seconds * 50)):
            k = self.tick
            arrived = self.radio.step(k, (k - 1) * 20.0, self.sent) if k else []
            parts = [b"T", struct.pack("<IH", k, len(arrived))]
            for dst, src, rssi, at, frame in arrived:
                parts += [struct.pack("<HHbIB", dst, src, max(rssi, -120), int(at * 100), len(frame)), frame]
            out.write(b"".join(parts))
            out.flush()
            (count,) = struct.unpack("<H", into.read(2))
            self.sent = []
            for _ in range(count):
                node, at, n = struct.unpack("<HHB", into.read(5))
                self.sent.append((node, at / 100.0, into.read(n)))
            self.tick += 1

    def tell(self, node: int):
        self.ids += 1
        self.process.stdin.write(b"E" + struct.pack("<HH", node, self.ids))

    def reboot(self, node: int):
        self.process.stdin.write(b"O" + struct.pack("<H", node))

    def off(self, node: int):
        """Cut a node's power; its silence counts against nobody."""
        self.process.stdin.write(b"X" + struct.pack("<H", node))

    def query(self) -> dict:
        self.process.stdin.write(b"Q")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def figures(n=200, loss=0.3, seed=1, seconds=40, pings=15, flood=False, degree=14.0, hops=11.0):
    """One run: warm up, then pings two a second."""
    places, reach = strip(n, seed, hops, degree)
    radio = Radio(seed, places, loss=loss, range_m=reach)
    air = Air(radio, seed, flood)
    try:
        air.run(seconds)
        rng = np.random.default_rng([seed, 5])
        before = radio._busy.copy(), radio._elapsed
        air.run(10)
        quiet = ((radio._busy - before[0]).max()) / (radio._elapsed - before[1])
        state = air.query()
        for _ in range(pings):
            air.tell(int(rng.integers(n)))
            air.run(1)
        air.run(6)
        after = air.query()
    finally:
        air.close()
    return {
        "hops": radio.hops(),
        "degree": float(radio.degree().mean()),
        "airtime": round(float(quiet), 4),
        "airtime_all": round(radio.statistics()["airtime_fraction_max"], 4),
        "collisions": radio.stats.collisions / max(1, radio.stats.received),
        "age": state["age"],
        "clock": state["clock"],
        **{
            k: after[k]
            for k in ("ping", "missed", "twice", "due", "roots", "dropped", "throttled", "stale", "full")
        },
    }


def healing(seconds: float, seed=2) -> tuple[dict, dict]:
    """50 nodes at 30 % loss, cut in two halves for some seconds: the state at the cut's end, and 10 s later."""
    places, reach = strip(50, seed, hops=5.0, degree=12.0)
    radio = Radio(seed, places, loss=0.3, range_m=reach)
    air = Air(radio, seed)
    try:
        air.run(12)
        order = places[:, 0].argsort()
        radio.partition([order[:25], order[25:]])
        air.run(seconds)
        cut = air.query()
        radio.heal()
        air.run(10)
        return cut, air.query()
    finally:
        air.close()


def succession(n=60, seed=3, hops=6.0) -> tuple[dict, list[dict]]:
    """The root's power is cut: the state before, and each second of the 10 s after."""
    places, reach = strip(n, seed, hops, 12.0)
    air = Air(Radio(seed, places, loss=0.3, range_m=reach), seed)
    try:
        air.run(40)
        before = air.query()
        air.off(before["root"])
        after = []
        for _ in range(10):
            air.run(1)
            after.append(air.query())
        return before, after
    finally:
        air.close()


if __name__ == "__main__":
    arguments = {k: float(v) if "." in v else int(v) for k, v in (a.split("=") for a in sys.argv[1:])}
    print(json.dumps(figures(**arguments)))

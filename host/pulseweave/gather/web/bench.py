"""What the live page costs the machine that serves it: `python -m pulseweave.gather.web.bench`.

In: nodes, pixels, pages. Out: a dict with the share of one core that the server takes, and beside it, measured in the
same way, the cheapest peer we know: `websockets.broadcast` of the same bytes at the same rate, with no state, no checks
and no skipping.
The pages that listen run in a process of their own and are not counted.
"""

import asyncio
import json
import queue
import subprocess
import sys
import threading
import time
from importlib.metadata import version

import numpy as np
import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import broadcast
from websockets.asyncio.server import serve as serve_websockets

from pulseweave.gather.web.server import serve

FPS = 25


class Still:
    """A source that has made its pictures beforehand, so that only the server is measured."""

    def __init__(self, nodes: int, pixels: int):
        rng = np.random.default_rng(1)
        self.nodes, self.pixels = nodes, pixels
        self.pictures = [rng.integers(0, 255, nodes * pixels * 3, np.uint8).tobytes() for _ in range(8)]
        self.began = time.monotonic()
        strands = [
            {"node": i, "x": i % 16, "y": i // 16, "z": 3, "pixels": pixels, "name": f"{i}"}
            for i in range(nodes)
        ]
        self.description = {
            "nodes": nodes,
            "pixels": pixels,
            "scenario": "bench",
            "speed": 1,
            "strands": strands,
        }
        columns = ("hr", "confidence", "quality", "arousal", "valence", "level", "g", "beats", "contact")
        self.columns = {name: rng.random(nodes).round(3).tolist() for name in columns}
        self.columns["neighbours"] = [[[j, -60] for j in range(16)] for _ in range(nodes)]

    def meta(self) -> dict:
        return self.description

    def frame(self) -> tuple[float, bytes]:
        k = int((time.monotonic() - self.began) * FPS)
        return k / FPS, self.pictures[k % 8]

    def state(self) -> dict:
        return {
            "t_s": time.monotonic() - self.began,
            "room": {"collective": 0.3, "g": 0.1},
            "nodes": self.columns,
        }

    def events(self) -> list:
        return []

    def command(self, order: dict) -> dict:
        return {}


def measure(nodes: int = 200, pixels: int = 60, pages: int = 3, seconds: float = 8.0) -> dict:
    """Share of one core taken by the page's server and by its peer, and pictures per second that each page received."""
    source = Still(nodes, pixels)
    with serve(source, port=0) as server:
        cpu, rate = listened(f"ws://127.0.0.1:{server.port}/live", pages, seconds)
    size = 24 + nodes * pixels * 3
    stop, ready = threading.Event(), queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(bare(bytes(size), stop, ready)), daemon=True)
    thread.start()
    peer, peer_rate = listened(f"ws://127.0.0.1:{ready.get()}/", pages, seconds)
    stop.set()
    thread.join()
    return {
        "nodes": nodes,
        "pixels": pixels,
        "pages": pages,
        "server_cpu": round(cpu, 4),
        "pictures_per_s": round(rate, 2),
        "peer": f"websockets {version('websockets')} broadcast",
        "peer_cpu": round(peer, 4),
        "peer_pictures_per_s": round(peer_rate, 2),
        "ratio": round(cpu / max(peer, 1e-6), 2),
        "limit_cpu": 0.35,
    }


def listened(url: str, pages: int, seconds: float) -> tuple[float, float]:
    """(share of a core this process took, pictures per second and page) while `pages` listen elsewhere."""
    command = [sys.executable, "-m", "pulseweave.gather.web.bench", "listen", url, str(pages), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listeners:
        assert listeners.stdout is not None
        listeners.stdout.readline()  # all are connected
        wall, cpu = time.monotonic(), time.process_time()
        got = json.loads(listeners.stdout.readline())
        return (time.process_time() - cpu) / (time.monotonic() - wall), got / pages / seconds


async def bare(message: bytes, stop: threading.Event, ready: "queue.SimpleQueue[int]") -> None:
    """The peer: the same bytes to everybody, FPS times a second; puts its port into `ready`."""
    there = set()

    async def hold(socket):
        there.add(socket)
        await socket.wait_closed()
        there.discard(socket)

    async with serve_websockets(hold, "127.0.0.1", 0, compression=None) as server:
        ready.put(server.sockets[0].getsockname()[1])
        while not stop.is_set():
            broadcast(there, message)
            await asyncio.sleep(1 / FPS)


async def listen(url: str, pages: int, seconds: float) -> None:
    """Pages that only count pictures; prints a line when all are connected and one with the count."""
    sockets = [await connect(url, max_size=None, compression=None) for _ in range(pages)]
    print("ready", flush=True)
    end = time.monotonic() + seconds

    async def count(socket) -> int:
        n = 0
        while (left := end - time.monotonic()) > 0:
            try:
                n += isinstance(await asyncio.wait_for(socket.recv(), left), bytes)
            except (TimeoutError, websockets.ConnectionClosed):
                break
        return n

    print(sum(await asyncio.gather(*map(count, sockets))), flush=True)
    for socket in sockets:
        await socket.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        asyncio.run(listen(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    else:
        print(json.dumps(measure(), indent=1))

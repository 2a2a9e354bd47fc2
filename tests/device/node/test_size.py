"""What the firmware weighs: on flash as .mpy for the ESP32, in memory as a running node on a 32-bit port."""

import ports
from conftest import missing
from pulseweave.figures.size import FLASH_LIMIT, HEAP_LIMIT, NEIGHBOURS, by_room, compiled, heap


def test_flash(tmp_path, record_property):
    rooms = by_room(compiled(tmp_path))
    total = sum(rooms.values())
    print(f"\n.mpy for xtensawin: {total} bytes of {FLASH_LIMIT}: {rooms}")
    record_property("mpy_bytes", total)
    assert total <= FLASH_LIMIT, rooms


def test_heap(tmp_path, record_property):
    if why := ports.wasm_missing():
        missing(why)
    used, known = heap(tmp_path)
    print(f"\nheap of a running node, code included: {used} bytes of {HEAP_LIMIT}, {known} nodes known")
    record_property("heap_bytes", used)
    assert known >= NEIGHBOURS
    assert used <= HEAP_LIMIT

"""What the firmware weighs: on flash as .mpy for the ESP32, in memory as a running node on a 32-bit port."""

import ports
import pytest
from ports import missing
from pulseweave.figures.size import FLASH_LIMIT, HEAP_LIMIT, NEIGHBOURS, by_room, compiled, heap

ELSEWHERE = "/opt/weave/device/"  # mpy-cross writes the path it was given into every file


@pytest.fixture(scope="module")
def rooms(tmp_path_factory) -> dict[str, int]:
    found = by_room(compiled(tmp_path_factory.mktemp("mpy")))
    print(f"\n.mpy for xtensawin: {sum(found.values())} bytes of {FLASH_LIMIT}: {found}")
    return found


def test_flash(rooms):
    assert sum(rooms.values()) <= FLASH_LIMIT, rooms


def test_flash_compiled_from_elsewhere(tmp_path):
    assert sum(compiled(tmp_path, ELSEWHERE).values()) <= FLASH_LIMIT


def test_heap(tmp_path, record_property):
    if why := ports.wasm_missing():
        missing(why)
    used, known = heap(tmp_path)
    print(f"\nheap of a running node, code included: {used} bytes of {HEAP_LIMIT}, {known} nodes known")
    record_property("heap_bytes", used)
    assert known >= NEIGHBOURS
    assert used <= HEAP_LIMIT

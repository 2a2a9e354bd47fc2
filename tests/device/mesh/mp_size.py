"""What a mesh costs in heap. Measured on the 64-bit unix port (the wasm port collects only between programs), where
every pointer is twice as wide as on the ESP32: an upper bound."""

import gc

import world
from weave.mesh import Mesh
from weave.mesh.seal import Keys

PORTS = ("unix",)


def weigh(make, n=8):
    """Mean bytes that one result of make() keeps."""
    make()
    gc.collect()
    a = gc.mem_alloc()
    kept = [make() for _ in range(n)]
    gc.collect()
    return (gc.mem_alloc() - a) // len(kept)


def test_heap_of_a_mesh_with_64_rows():
    nvs = world.Nvs()
    blob = world.blob()
    keys = Keys(blob)
    radio = world.Radio(1, 2)
    one = weigh(lambda: Keys(blob))
    small = weigh(lambda: Mesh(radio, nvs, keys, 1, 64))
    big = weigh(lambda: Mesh(radio, nvs, keys, 1, 200))
    print("bytes: keys", one, "mesh of 64", small, "mesh of 200", big)
    assert big - small < 136 * 66
    assert one + small < 20 * 1024

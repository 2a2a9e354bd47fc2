"""The whole node in its steady tick: not a byte of heap, on 64 and on 32 bits, with a recorded visitor."""

import json
import re

import numpy as np
import ports
import pytest
from ports import missing
from pulseweave import boards
from pulseweave.figures.stage import plan
from pulseweave.paths import ROOT, WORKER
from pulseweave.sim.frontend import FrontEnd
from pulseweave.sim.visitors.recordings import Recordings

NODES = 3
WARM, STEADY = 4500, 10_000
SECONDS = (WARM + STEADY) // 50 + 60
APART = 100  # blocks of 100 ms
PARTS = ROOT / "host" / "pulseweave" / "figures" / "parts"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A folder with plan.json per board and the recorded visitor's samples as the front end delivers them, ten seconds
    apart from node to node."""
    from pulseweave.paths import data

    folder = data() / "stress_predict"
    if not folder.is_dir():
        missing(f"recorded data not found at {data()}: set PULSEWEAVE_DATA")
    place = tmp_path_factory.mktemp("stage")
    for name in ("virtual", "virtual-max30102"):
        board = boards.load(name).device_dict()
        visitor, front = Recordings(5, 1, folder=str(folder)), FrontEnd(board, 5, 1)
        pulses, skins = [], []
        for k in range(SECONDS * 10 + APART * NODES):
            out = visitor.step(k * 0.1, 0.1, np.zeros(1))
            pulse, skin = front.convert(out["ppg"], out["eda"], out["touching"])
            pulses.append(np.asarray(pulse, "<u4").tobytes())
            skins.append(np.asarray(skin, "<u2").tobytes())
        with (place / f"{name}.bin").open("wb") as f:
            for k in range(SECONDS * 10):
                these = [k + APART * node for node in range(NODES)]
                f.write(b"".join([pulses[i] for i in these] + [skins[i] for i in these]))
        (place / f"{name}.json").write_text(json.dumps(plan(name, board, NODES)))
    return place


def run(port: str, stage, board: str, plant: bool, steady: int = STEADY) -> str:
    def script(worker, device, parts, place) -> str:
        files = f"{str(place)!r} + '/{board}.json', {str(place)!r} + '/{board}.bin'"
        where = f"{str(worker)!r}, {str(device)!r}, {str(parts)!r}"
        return f"import steady\nsteady.run({where}, {files}, {WARM}, {steady}, {plant})\n"

    here = ports.TESTS / "device" / "node"
    if port == "wasm":
        if why := ports.wasm_missing():
            missing(why)
        snippet = "sys.path.insert(0, '/here')\n" + script("/worker", "/device", "/parts", "/stage")
        mounts = {here: "/here", WORKER: "/worker", PARTS: "/parts", stage: "/stage"}
        done = ports.wasm(snippet, mounts, heap=4 << 20)
    else:
        go = stage / "go.py"
        go.write_text(script(WORKER, ports.DEVICE, PARTS, stage))
        done = ports.unix(go, paths=(here,))
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, said
    return said


def number(said: str, word: str) -> int:
    return int(re.search(rf"^{word} (\d+)", said, re.M)[1])


@pytest.mark.parametrize("board", ["virtual", "virtual-max30102"])
@pytest.mark.parametrize("port", ["unix", "wasm"])
def test_steady_ticks_allocate_nothing(port, board, stage):
    said = run(port, stage, board, plant=False)
    assert "\nfaults {}" in said, said
    assert "MemoryError" not in said, said
    assert number(said, "ticks") == WARM + STEADY
    assert number(said, "frames") == STEADY // 2
    assert number(said, "beats") > 100, said  # the visitor was there
    assert number(said, "received") > 300, said  # and the neighbours talked
    assert re.search(r"contact 1 visitor [1-9]\d* neighbours 2", said), said


def test_the_check_bites_on_32_bits(stage):
    said = run("wasm", stage, "virtual", plant=True, steady=50)
    assert "(0, 'sense')" in said or "MemoryError" in said, said


def test_64_bits_would_not_notice(stage):
    said = run("unix", stage, "virtual", plant=True, steady=50)
    assert "\nfaults {}" in said, said

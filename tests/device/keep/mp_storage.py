"""The driver of NVS where its partition is full: set raises there already (esp32_nvs.c), and the board lives on."""

PORTS = ("unix",)

import sys

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")

from memory import Files
from virtual import bus
from weave.drivers.storage import Nvs
from weave.keep import Keep


class Board:
    def __init__(self):
        self.nvs = {}
        self.nvs_fail = False


def test_a_full_nvs_is_told_by_commit():
    bus.board = Board()
    nvs = Nvs("weave")
    nvs.set("boots", 1)
    assert nvs.commit()
    bus.board.nvs_fail = True
    nvs.set("boots", 2)
    assert not nvs.commit()
    bus.board.nvs_fail = False
    nvs.set("boots", 3)
    assert nvs.commit() and Nvs("weave").get("boots") == 3


def test_a_node_starts_with_a_full_nvs():
    bus.board = Board()
    bus.board.nvs_fail = True
    k = Keep(Files(), Nvs("weave"), None, 2)
    assert not k.safe and k.bad == 1
    k.leaving()

"""main.py before the first tick: the strand is black before anything takes time, and one that raises does not stop it."""

PORTS = ("unix",)

import json
import os
import sys

_HERE = __file__[: __file__.rfind("/tests/")]
sys.path.insert(0, _HERE + "/host/pulseweave/sim/worker/shims")

import machine
from memory import Flash

happened = []


class Start:
    """Stands where weave.start is imported from: a technician's Ctrl-C instead of a node."""

    def start(self, board, fs, stdin, stdout, cause):
        happened.append("start")
        raise KeyboardInterrupt


def power_on(strand):
    """What happens in main.py's first moments, in order, with `strand` as its Strand driver."""
    import time

    import weave.drivers.strand as driver

    happened.clear()
    cause, machine.reset_cause = machine.reset_cause, lambda: 1
    usual, waits, place = driver.Strand, getattr(time, "sleep_ms", None), os.getcwd()
    flash = Flash()
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), "/board")
    os.chdir("/board")
    driver.Strand = strand
    time.sleep_ms = lambda ms: happened.append(ms)
    sys.modules["weave.start"] = Start()
    sys.modules.pop("main", None)
    try:
        with open("board.json", "w") as f:
            json.dump({"strand": {"pin": 13, "pixels": 60, "order": "GRB"}}, f)
        import main  # noqa: F401
    finally:
        os.chdir(place)
        os.umount("/board")
        driver.Strand = usual
        machine.reset_cause = cause
        time.sleep_ms = waits
        del sys.modules["weave.start"]
    return happened


def test_black_before_anything_else():
    assert power_on(lambda *a: happened.append(a)) == [(13, 60, "GRB", 1), 2000, "start"]


def test_drivers_that_do_not_import_end_in_a_reset():
    """On trial such firmware gives way to the old one by itself: each reset is counted by boot.py."""

    class Reset(Exception):
        pass

    def reset():
        raise Reset

    usual, machine.reset = machine.reset, reset
    kept = sys.modules.get("weave.drivers.storage")
    sys.modules["weave.drivers.storage"] = Start()  # has no Flash
    try:
        power_on(lambda *a: happened.append(a))
        assert False
    except Reset:
        assert happened[:2] == [(13, 60, "GRB", 1), 2000]
    finally:
        machine.reset = usual
        del sys.modules["weave.drivers.storage"]
        if kept:
            sys.modules["weave.drivers.storage"] = kept


def test_a_strand_that_raises_is_left_to_the_start_that_counts_it():
    def broken(*a):
        raise OSError("no such pin")

    assert power_on(broken) == [2000, "start"]

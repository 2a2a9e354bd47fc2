"""`time` for virtual boards: each board's own drifting clock; ticks wrap at 2**30 as on the chip."""

import sys

from virtual import bus

_path = sys.path[:]
sys.path.clear()  # with no folder to look in, the name means the built-in module
import time as _real

sys.path[:] = _path

real_ticks_us = _real.ticks_us  # for the worker's own measurements


def ticks_ms():
    return bus.board.now


def ticks_us():
    return bus.board.us


if _real.ticks_diff(5, (1 << 30) - 5) == 10:  # a 31-bit port wraps where the chip does
    ticks_diff = _real.ticks_diff
    ticks_add = _real.ticks_add
else:
    from ticks64 import ticks_add, ticks_diff  # noqa: F401


def sleep_ms(ms):
    raise RuntimeError("a node never sleeps inside its tick")


sleep = sleep_us = sleep_ms


def time():
    return bus.board.now // 1000

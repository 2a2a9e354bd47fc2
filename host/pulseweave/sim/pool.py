"""Processes that compute rooms side by side, and end as they should.

In: how many. Out: an executor; after an exception in its `with`, or when one of its processes is asked to end, no room is
begun any more and those that run are left with their interpreters and scratch.
"""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context

from pulseweave.sim.cores import settle

_leaving: list[bool] = []


def stay() -> None:
    """Before a room begins: not where this process was asked to end."""
    if _leaving:
        sys.exit(1)


def _begin(places) -> None:
    """In a process of the pool: Ctrl-C is its parent's to handle; asked to end, it leaves its room at once."""
    with places.get_lock():
        place = places.value
        places.value += 1
    settle(place)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)


def _leave(*_) -> None:
    _leaving.append(True)
    sys.exit(1)


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """`workers` processes that start afresh, each on a core; after an exception here nobody waits for them any more."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _begin, (spawn.Value("i", os.getpid()),)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise

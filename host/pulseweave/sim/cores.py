"""Which cores a process keeps to, where a system has such a thing and allows it; elsewhere nothing happens.

A room and its only interpreter take turns: on one core they do so in two thirds of the time, because neither wakes a core
that sleeps and what one has written is still in the cache when the other reads it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def mine() -> list[int]:
    """The cores that this process may use; none where that cannot be told."""
    with suppress(OSError, AttributeError):
        return sorted(os.sched_getaffinity(0))
    return []


def keep(pid: int, cores: list[int]) -> None:
    """The process `pid`, 0 for this one, stays on `cores`."""
    with suppress(OSError, AttributeError):
        os.sched_setaffinity(pid, cores)


def settle(k: int) -> None:
    """This process and those that it will start stay on the k-th of its cores (modulo their number)."""
    cores = mine()
    if cores:
        keep(0, [cores[k % len(cores)]])


@contextmanager
def settled(k: int) -> Iterator[None]:
    """`settle` for a while."""
    cores = mine()
    settle(k)
    try:
        yield
    finally:
        if cores:
            keep(0, cores)

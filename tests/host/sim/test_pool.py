"""Where the processes of many rooms run."""

import os
import time

from pulseweave.sim.cores import settled
from pulseweave.sim.pool import processes


def here(_):
    time.sleep(0.5)  # the other one begins meanwhile
    return os.getpid(), tuple(sorted(os.sched_getaffinity(0)))


def test_each_process_keeps_to_a_core_of_its_own():
    cores = os.sched_getaffinity(0)
    with processes(2) as pool:
        found = dict(pool.map(here, range(4)))
    assert len(found) == 2 and all(len(c) == 1 for c in found.values())
    assert len(set(found.values())) == min(2, len(cores))
    assert os.sched_getaffinity(0) == cores


def test_one_room_gives_the_other_cores_back():
    cores = os.sched_getaffinity(0)
    with settled(7):
        assert os.sched_getaffinity(0) == {sorted(cores)[7 % len(cores)]}
    assert os.sched_getaffinity(0) == cores


def test_where_cores_cannot_be_chosen_rooms_run_all_the_same(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    with settled(1):
        pass
    monkeypatch.delattr(os, "sched_getaffinity")  # as on other systems
    with settled(1):
        pass

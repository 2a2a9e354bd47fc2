"""Runs under MicroPython: nanoseconds per tick of node 0, part by part.

timed.py PLAN SAMPLES WARM TICKS PATHS... Out: JSON {parts: [mean ns of 7 parts], whole: mean ns of the tick, shims: ns
that a tick's conversions take in the simulator's stand-in for the ADC, ...result of the walk}. Means leave out the
slowest 0.3 %: there the operating system had something else to do.
"""

import json
import sys
from array import array

plan_path, samples, warm, ticks, *paths = sys.argv[1:]
sys.path[:] = paths + sys.path

from time import _real  # noqa: E402

from walk import Walk  # noqa: E402

clock = _real.time_ns
warm, ticks = int(warm), int(ticks)
taken = [array("I", bytes(4 * ticks)) for _ in range(8)]
at = 0


def timer(step, k):
    mine = taken[k]

    def timed(now):
        t = clock()
        step(now)
        mine[at] = clock() - t

    return timed


def empty(now):
    pass


def mean(values):
    kept = sorted(values)[: max(1, len(values) * 997 // 1000)]
    return sum(kept) / len(kept)


def conversions(hardware):
    """ns of a tick's ADC conversions here: Python that stands for hardware. The shortest of many."""
    pulse = hardware.pulse._read
    skin = hardware.skin._read
    shortest = 1 << 60
    for _ in range(200):
        t = clock()
        pulse()
        pulse()
        for _ in range(hardware.skin.oversample):
            skin()
        t = clock() - t
        if t < shortest:
            shortest = t
    return shortest


def main():
    global at
    with open(plan_path) as f:
        walk = Walk(json.loads(f.read()), samples)
    for _ in range(warm):
        walk.tick(None)
    node = walk.fleet.boards[0].node
    # the clock's own cost
    nothing = timer(empty, 0)
    for i in range(min(ticks, 1000)):
        at = i
        nothing(0)
    own = mean(taken[0][: min(ticks, 1000)])
    plain = node._steps
    whole = timer(node.tick, 7)
    timers = tuple(timer(step, k) for k, step in enumerate(plain))

    def look(board, now):
        if at & 2:  # two ticks whole, two by parts, so that the clock's calls do not count twice
            node._steps = plain
            whole(now)
        else:
            node._steps = timers
            board.step(now)

    for i in range(ticks):
        at = i
        walk.tick(look)
    node._steps = plain
    out = walk.result()
    out["parts"] = [mean([v for i, v in enumerate(taken[k]) if not i & 2]) - own for k in range(7)]
    out["whole"] = mean([v for i, v in enumerate(taken[7]) if i & 2]) - own
    out["shims"] = conversions(node.hardware)
    print(json.dumps(out))


main()

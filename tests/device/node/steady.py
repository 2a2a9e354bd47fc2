"""The whole node in its steady tick: a small room (figures/parts/walk.py) whose nodes tick with the heap locked."""

import json
import sys

from heap import locked


def run(worker, device, parts, plan_path, samples_path, warm, steady, plant):
    """`warm` ticks free, then `steady` ticks under the heap lock; prints what was seen, for the test to judge.

    worker, device, parts: folders of the simulator's worker (shims first), the firmware, and of walk.py.
    """
    sys.path[:] = [worker + "/shims", worker, device, parts] + sys.path
    from walk import Walk

    with open(plan_path) as f:
        plan = json.loads(f.read())
    room = Walk(plan, samples_path, range(len(plan["nodes"])))
    for _ in range(warm):
        room.tick(None)
    print("warm faults", room.faults())
    node = room.fleet.boards[0].node
    if plant:
        big = [1 << 28]
        steps = list(node._steps)

        def overflow(now):
            big[0] = big[0] * 8 >> 3  # beyond 31 bits for a moment
            steps_0(now)

        steps_0 = steps[0]
        node._steps = tuple([overflow] + steps[1:])
    frames = node.light.frames
    beats = node.sense.beats
    received = node.mesh.received

    def look(board, now):
        locked(board.step, now)

    try:
        for _ in range(steady):
            room.tick(look)
    except MemoryError as e:
        print("MemoryError outside the parts", e)
    print("faults", room.faults())
    print("ticks", room.number)
    print("frames", node.light.frames - frames)
    print("beats", (node.sense.beats - beats) & 0xFFFF)
    print("received", node.mesh.received - received)
    print("contact", node.sense.contact, "visitor", node.affect.visitor, "neighbours", node.mesh.neighbours)

"""A node and the visitors who come one after the other, ticked by hand (figures/parts/walk.py): what is known of whom."""

import json
import sys

PARTS = ("sense", "affect", "mesh", "damp", "light", "console", "keep")
FROM, UNTIL = 30, 38  # seconds in which a part raises; it is tried again after 1, 2, 4 and 8 s, at 45 s


def run(worker, device, parts, plan_path, samples_path, seconds, broken, typed, held):
    """Prints a line of JSON a second, of its end. `broken`: the part that raises, or ""; `typed`: {second: line};
    `held`: seconds in which the button is held down.

    worker, device, parts: folders of the simulator's worker (shims first), the firmware, and of walk.py.
    """
    sys.path[:] = [worker + "/shims", worker, device, parts] + sys.path
    from walk import Walk

    with open(plan_path) as f:
        room = Walk(json.loads(f.read()), samples_path)
    board = room.fleet.boards[0]
    node = board.node
    well = node._steps

    def fail(now):
        raise OSError(-258, "ESP_ERR_INVALID_STATE")

    ill = tuple(fail if name == broken else step for name, step in zip(PARTS, well))
    for second in range(seconds):
        board.button = second in held
        node._steps = ill if FROM <= second < UNTIL else well
        if second in typed:
            board.stdin.put(typed[second].encode() + b"\n")
        for _ in range(50):
            room.tick(None)
        sense, affect, damp, mine = node.sense, node.affect, node.damp, node.mesh.room
        state = {
            "contact": sense.contact,
            "visitor": affect.visitor,
            "arousal": affect.arousal,
            "skin": affect.skin.base,
            "heart": affect.heart.base,
            "measured": [sense.skin_ok, sense.scl_ns, sense.skin.level],
            "raw": node.console.raw,
            "bytes": len(board.stdout.take()),
            "opted_out": damp.opted_out,
            "level": damp.level,
            "flags": mine.flags[0],
            "told": mine.confidence[0],
            "aside": [PARTS[i] for i in range(7) if node.supervisor.wait[i]],
        }
        print(json.dumps(state))

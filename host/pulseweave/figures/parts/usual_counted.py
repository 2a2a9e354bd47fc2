"""Runs under CPython: operations of a frame written the usual way, by class.

    python -m pulseweave.figures.parts.usual_counted PIXELS SHIMS WORKER DEVICE

Prints a JSON list, per frame, in the order of prices.CLASSES. Floats are counted as the integers that they are not: boxing
each result, which is most of their price on a chip, and the heap's collections come on top.
"""

import json
import sys
from pathlib import Path

from pulseweave.figures.parts import prices, stand_ins

FRAMES = 5
COUNTED = ("usual.py", "neopixel.py")


def main() -> None:
    pixels, shims, worker, device = sys.argv[1:]
    stand_ins.install(shims, worker, device)
    from pulseweave.figures.parts.usual import Hearth, play, strip

    hearth = Hearth(strip(int(pixels)))
    row = [0] * len(prices.CLASSES)
    tables: dict = {}

    def trace(frame, event, _):
        code = frame.f_code
        if Path(code.co_filename).name not in COUNTED:
            return None
        if code not in tables:
            tables[code] = prices.classes(code)
        table = tables[code]
        row[prices.CALL] += 1
        row[prices.BUILTIN] -= 1
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def step(frame, event, _):
            if event == "opcode" and (kind := table.get(frame.f_lasti)) is not None:
                row[kind] += 1
            return step

        return step

    sys.settrace(trace)
    for k in range(10, 10 + FRAMES):
        play(hearth, k)
    sys.settrace(None)
    print(json.dumps([n / FRAMES for n in row]))


if __name__ == "__main__":
    main()

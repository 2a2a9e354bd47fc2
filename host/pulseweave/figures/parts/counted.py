"""Runs under CPython: how many operations of each class a tick of node 0 executes, part by part.

    python -m pulseweave.figures.parts.counted PLAN SAMPLES WARM TICKS SHIMS WORKER DEVICE OUT

Writes OUT (.npy): int32[ticks, 8, classes]; parts 0..6 are the node's steps, 7 is the tick around them. Class `free` counts
instructions that cost nothing of their own. Prints the walk's result as JSON.
"""

import json
import sys

import numpy as np

from pulseweave.figures.parts import prices, stand_ins
from pulseweave.figures.parts.prices import AES, BUILTIN, CALL, CLASSES, LOOP, VIPER

PARTS = 8
AROUND = 7


class Counter:
    """`look` for the walk: ticks node 0 with every executed instruction of the firmware counted."""

    def __init__(self, ticks: int):
        self.counts = np.zeros((ticks, PARTS, len(CLASSES)), np.int32)
        self.at = 0
        self.row = [0] * len(CLASSES)
        self.rows: list[list[int]] = []
        self.tables: dict = {}

    def _trace(self, frame, event, _):
        code = frame.f_code
        known = self.tables.get(code)
        if known is None:
            known = False
            if "/weave/" in code.co_filename:
                known = (prices.classes(code), prices.is_native(code))
            self.tables[code] = known
        if not known:
            return None
        table, native = known
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        row = self.row
        if not code.co_name.startswith("ptr"):  # casts to a pointer: C calls in viper
            row[CALL] += 1
            row[BUILTIN] -= 1
        get = table.get

        def step(frame, event, _):
            if event == "opcode":
                kind = get(frame.f_lasti)
                if kind is not None:
                    if native and kind == LOOP:
                        row[VIPER] += 2
                    else:
                        row[kind] += 1
            return step

        return step

    def look(self, board, now):
        """One tick of `board`, counted."""
        node = board.node
        rows = [[0] * len(CLASSES) for _ in range(PARTS)]
        rows[AROUND][BUILTIN] = 1  # the call of the tick itself
        plain = node._steps

        def wrap(step, k):
            def counted(now):
                before = self.row
                self.row = rows[k]
                rows[k][BUILTIN] += 1  # the call was counted around; here it enters the part
                rows[AROUND][BUILTIN] -= 1
                blocks = stand_ins.Aes.blocks
                try:
                    step(now)
                finally:
                    rows[k][AES] += stand_ins.Aes.blocks - blocks
                    self.row = before

            return counted

        node._steps = tuple(wrap(s, k) for k, s in enumerate(plain))
        self.row = rows[AROUND]
        sys.settrace(self._trace)
        try:
            board.step(now)
        finally:
            sys.settrace(None)
            node._steps = plain
        self.counts[self.at] = rows
        self.at += 1


def main() -> None:
    plan, samples, warm, ticks, shims, worker, device, out = sys.argv[1:]
    with open(plan) as f:
        plan = json.load(f)
    stand_ins.install(shims, worker, device)
    from pulseweave.figures.parts.walk import Walk

    walk = Walk(plan, samples)
    for _ in range(int(warm)):
        walk.tick(None)
    counter = Counter(int(ticks))
    for _ in range(int(ticks)):
        walk.tick(counter.look)
    np.save(out, counter.counts)
    print(json.dumps(walk.result()))


if __name__ == "__main__":
    main()

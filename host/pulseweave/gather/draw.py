"""Strands drawn from what the mesh tells, by the device's own code in a MicroPython of its own (draw_strands.py).

In: the strands' places, and per picture the room's clock and the table. Out: pixels, and what the damping of each strand
makes of the room. Pulses are missing: heart beats do not travel through the mesh.
"""

import contextlib
import json
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pulseweave import micropython
from pulseweave.gather.table import Row
from pulseweave.paths import DEVICE, WORKER
from pulseweave.problem import Problem

ROW = np.dtype("<u2, u1, u1, u1, u1, u1, u1")
TOLD = np.dtype(
    [("level", "<i2"), ("collective", "<u2"), ("ratio", "<u2"), ("synchrony", "<u2"), ("contagion", "u1")]
)
HEAD = struct.Struct("<IBBH")
UNKNOWN = 65535
MOST = 250  # ticks drawn at once after a pause


class Draw:
    """`strands`: [(node, x, y, z in metres)]; each of `pixels`. Raises Problem where MicroPython does not start."""

    def __init__(self, strands: list[tuple[int, float, float, float]], pixels: int):
        self.nodes = [s[0] for s in strands]
        self.pixels = pixels
        script = Path(__file__).with_name("draw_strands.py")
        self.process = subprocess.Popen(
            micropython.command(script, heap=f"{32 + len(strands) // 4}m"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, and we end it
            env=micropython.environment(DEVICE, WORKER),
        )
        plan = {"pixels": pixels, "strands": [[n, *(int(v * 1000) for v in at)] for n, *at in strands]}
        self._write(json.dumps(plan).encode() + b"\n")
        assert self.process.stdout is not None
        self.scenes: list[str] = json.loads(self.process.stdout.readline() or b"{}").get("scenes", [])
        if not self.scenes:
            raise Problem(
                "strands cannot be drawn: the device code did not start under MicroPython: run `make setup`",
                1,
            )

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError:
            raise Problem("strands cannot be drawn any more: MicroPython has ended", 1) from None

    def picture(
        self,
        room_ms: int,
        now_ms: int,
        rows: Mapping[int, Row],
        scene: int,
        damping: bool,
        ticks: int,
        afresh=False,
    ) -> tuple[bytes, np.ndarray]:
        """(pixels as r, g, b, an array with the fields of TOLD): what `ticks` of 20 ms up to now make of the table."""
        table = np.zeros(len(self.nodes), ROW)
        table["f0"] = UNKNOWN
        for i, node in enumerate(self.nodes):
            if row := rows.get(node):
                s = row.state
                age = min(max(0, now_ms - row.at_ms), UNKNOWN)
                table[i] = (age, s.arousal, s.fast, s.confidence, s.g, s.flags, 0)
        flags = int(damping) | 2 * afresh
        self._write(HEAD.pack(room_ms & 0x3FFFFFFF, scene, flags, min(max(1, ticks), MOST)) + table.tobytes())
        size = len(self.nodes) * self.pixels * 3
        wire = self.process.stdout.read(size + len(self.nodes) * TOLD.itemsize)  # type: ignore[union-attr]
        if len(wire) != size + len(self.nodes) * TOLD.itemsize:
            raise Problem(f"strands cannot be drawn: {wire[-300:].decode(errors='replace').strip()}", 1)
        return wire[:size], np.frombuffer(wire[size:], TOLD)

    def close(self) -> None:
        """End MicroPython."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

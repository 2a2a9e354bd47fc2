"""A frame of light: projected to the ESP32, and timed here beside the same scene written the usual way.

Ours is the whole path: scene, fade, limiter, power, gamma, dither. The usual way is `neopixel` with floats and a tuple a
pixel (`parts/usual.py`), without limiter, budget and dither. Projection as in `tick`; floats are priced as integers there,
so that the usual way's figure is what it costs at least.
"""

import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from pulseweave import micropython
from pulseweave.figures.figure import Figure
from pulseweave.figures.parts import prices
from pulseweave.figures.tick import HERE, WIRE_US, child, frame_ms
from pulseweave.paths import DEVICE, WORKER

STRANDS = (30, 60, 144, 300)
FRAME_MS = 1.8
HEAP = "2m"  # twice the objects of a 32-bit board, twice a large board's heap: collections come as often as there
USUAL = "neopixel and floats"
NOTE = (
    "ESP32: counts x prices, as in `tick`; the wire's time (30 us a pixel) comes on top of both and is the peer of ours. "
    "The usual way is priced as if its floats were integers. `here`: this machine's unix port, kernel in viper; bytes are "
    "what a frame leaves on the heap."
)


def measure(quick: bool) -> list[Figure]:
    here = child(micropython.command(HERE / "primitives.py"), micropython.environment())
    chip = prices.table(prices.ESP32, here)
    paths = [str(p) for p in (WORKER / "shims", WORKER, DEVICE)]
    line = micropython.command(
        HERE / "frames.py",
        "200" if quick else "1000",
        ",".join(map(str, STRANDS)),
        str(HERE),
        *paths,
        heap=HEAP,
    )
    timed = child(line, micropython.environment())
    table = Table(title="a frame by length", title_justify="left", header_style="bold")
    for c in (
        "pixels",
        "wire ms",
        "ESP32 ms",
        "usual, at least",
        "here us",
        "usual",
        "ratio",
        "bytes",
        "usual",
    ):
        table.add_column(c, justify="right")
    out = []
    for n in STRANDS:
        ms = frame_ms(n, chip, 200 if quick else 600)
        counts = child([sys.executable, "-m", "pulseweave.figures.parts.usual_counted", str(n), *paths])
        usual_ms = float(np.array(counts) @ np.array(chip)) / 1000
        ours_us, usual_us, left, usual_left = timed[str(n)]
        table.add_row(
            str(n), f"{n * WIRE_US / 1000:.1f}", f"{ms:.2f}", f"{usual_ms:.1f}", f"{ours_us:.1f}", f"{usual_us:.0f}",
            f"{usual_us / ours_us:.1f}", f"{left:.0f}", f"{usual_left:.0f}",
        )  # fmt: skip
        limit = FRAME_MS if n == 60 else None
        out.append(
            Figure(
                f"light_frame_esp32_{n}px_ms",
                ms,
                "ms",
                "its time on the wire",
                n * WIRE_US / 1000,
                limit=limit,
            )
        )
        out.append(Figure(f"light_frame_esp32_{n}px_beside_usual_ms", ms, "ms", USUAL, usual_ms))
        out.append(Figure(f"light_frame_here_{n}px_us", ours_us, "us", USUAL, usual_us))
        if n == 60:
            out.append(Figure("light_frame_allocated_bytes", left, "bytes", USUAL, usual_left, limit=0))
    Console(width=140).print(table)
    return out

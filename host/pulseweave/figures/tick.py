"""What a tick costs, part by part: measured on the unix port, projected to the ESP32 from counts of primitives.

The same walk (a visited node with three talking neighbours, `parts/walk.py`) runs twice over the same samples: under
MicroPython with a clock around every part, and under CPython with every executed instruction of the device's code counted
and priced (`parts/prices.py`). Both must end with the same digest over all pixels and frames. The same counts priced for
the unix port, beside what the clock says there, show how far the method can be trusted.

Assumptions: prices of prices.py; hardware that makes the CPU wait is not in the parts and listed apart: an ADC
conversion 30 us (13 a tick), the strand's wire 30 us a pixel every second tick. Flash writes, garbage collection (none
in the steady tick) and the system's own interrupts are not counted. p99 is over ticks.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pulseweave import micropython
from pulseweave.figures.figure import Figure, shown
from pulseweave.figures.parts import prices
from pulseweave.figures.parts.prices import CLASSES, VIPER
from pulseweave.figures.stage import stage
from pulseweave.paths import DEVICE, WORKER
from pulseweave.problem import Problem

HERE = Path(__file__).parent / "parts"
PARTS = ("sense", "affect", "mesh", "damp", "light", "console", "keep", "(tick)")
NODES, PIXELS = 4, 60
ADC_US, CONVERSIONS, WIRE_US = 30.0, 13, 30.0
MEAN_MS, P99_MS, FEEL_MS, MESH_MS = 5.0, 12.0, 1.5, 1.0
NOTE = (
    "ESP32: 240 MHz, bytecode with the light's kernel in viper, counts x prices of parts/prices.py; hardware waits "
    f"apart: {CONVERSIONS} ADC conversions x {ADC_US:g} us a tick, {WIRE_US:g} us a pixel on the wire every second tick. "
    "Bytecodes are CPython's for the same source. `laptop` and `here`: the same counts at the unix port's prices (the "
    "published laptop's, this machine's) over what the clock says; the ADC's stand-ins are taken off sense."
)


def child(line: list[str], env=None) -> dict:
    """The JSON a measuring process prints. Raises Problem with its last words."""
    done = subprocess.run(line, capture_output=True, text=True, env=env, timeout=1800)
    if done.returncode:
        raise Problem(f"{Path(line[-1]).name}: {(done.stderr or done.stdout).strip()[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def timed(folder: Path, warm: int, ticks: int) -> dict:
    """Nanoseconds by part on the unix port."""
    paths = [str(p) for p in (HERE, WORKER / "shims", WORKER, DEVICE)]
    files = [str(folder / "plan.json"), str(folder / "samples.bin")]
    line = micropython.command(HERE / "timed.py", *files, str(warm), str(ticks), *paths)
    return child(line, micropython.environment())


def counted(folder: Path, warm: int, ticks: int) -> tuple[dict, np.ndarray]:
    """(result, int32[ticks, parts, classes]) of the same ticks."""
    out = folder / "counts.npy"
    files = [str(folder / "plan.json"), str(folder / "samples.bin")]
    rest = [str(WORKER / "shims"), str(WORKER), str(DEVICE), str(out)]
    line = [sys.executable, "-m", "pulseweave.figures.parts.counted", *files, str(warm), str(ticks), *rest]
    return child(line), np.load(out)


def frame_ms(pixels: int, chip: list[float], ticks: int) -> float:
    """ms of CPU that one frame of light costs on the chip: what the light does in the two ticks of a frame."""
    with tempfile.TemporaryDirectory() as place:
        stage(Path(place), 2, pixels, (1500 + ticks) / 50)
        _, counts = counted(Path(place), 1500, ticks)
    return float((counts[:, PARTS.index("light")] @ np.array(chip)).mean() * 2 / 1000)


def show(unix: dict, counts: np.ndarray, chip: list[float], laptop: list[float], here: list[float]) -> None:
    """The table by part."""
    t = Table(title="a tick by part", title_justify="left", header_style="bold")
    t.add_column("part")
    for c in ("bytecodes", "viper ops", "unix us", "laptop", "here", "ESP32 us mean", "p99", "most in"):
        t.add_column(c, justify="right" if c != "most in" else "left")
    times = [*unix["parts"], unix["whole"] - sum(unix["parts"])]
    rows = [(name, counts[:, k], times[k] / 1000) for k, name in enumerate(PARTS)]
    rows.append(("all", counts.sum(axis=1), unix["whole"] / 1000))
    for name, c, us in rows:
        mean = c.mean(axis=0)
        cost = c @ np.array(chip)
        codes = mean.sum() - mean[VIPER] - mean[prices.AES]
        most = np.argsort(-mean * np.array(chip))[:3]
        words = ", ".join(f"{CLASSES[i]} {mean[i]:.0f}" for i in most if mean[i] * chip[i] > 1)
        t.add_row(
            name,
            f"{codes:.0f}",
            f"{mean[VIPER]:.0f}",
            f"{us:.1f}",
            *(f"{mean @ np.array(p) / us:.2f}" if us > 0.2 else "-" for p in (laptop, here)),
            f"{cost.mean():.0f}",
            f"{np.percentile(cost, 99):.0f}",
            words,
        )
    Console(width=140).print(t)


def measure(quick: bool) -> list[Figure]:
    warm, ticks = (2000, 600) if quick else (3750, 3000)
    here = child(micropython.command(HERE / "primitives.py"), micropython.environment())
    chip = prices.table(prices.ESP32, here)
    unix_prices = prices.measured(here)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stage(folder, NODES, PIXELS, (warm + ticks) / 50)
        unix = timed(folder, warm, ticks)
        result, counts = counted(folder, warm, ticks)
    if unix["digest"] != result["digest"]:
        raise Problem("the counted run is not the timed one: their pixels or frames differ")
    if not (result["contact"] and result["beats"] > 20 and result["neighbours"] == NODES - 1):
        raise Problem(f"the node was not in the situation to be measured: {result}")
    unix["parts"][0] -= unix["shims"]
    unix["whole"] -= unix["shims"]
    laptop_prices = prices.table(prices.LAPTOP, here)
    show(unix, counts, chip, laptop_prices, unix_prices)
    cost = counts @ np.array(chip) / 1000  # ms[ticks, parts]
    mean, whole = cost.mean(axis=0), cost.sum(axis=1)
    waits = CONVERSIONS * ADC_US / 1000
    wire = np.where(
        np.arange(len(whole)) % 2 == np.argmax([cost[i::2, 4].mean() for i in (0, 1)]),
        PIXELS * WIRE_US / 1000,
        0.0,
    )
    whole_us = unix["whole"] / 1000
    by_laptop, by_here = (
        float((counts.sum(axis=1) @ np.array(p)).mean()) for p in (laptop_prices, unix_prices)
    )
    out = [
        Figure("tick_esp32_mean_ms", float(whole.mean()), "ms", "budget", MEAN_MS, limit=MEAN_MS),
        Figure("tick_esp32_p99_ms", float(np.percentile(whole, 99)), "ms", "budget", P99_MS, limit=P99_MS),
        Figure("tick_esp32_with_waits_mean_ms", float((whole + waits + wire).mean()), "ms", "the tick", 20.0),
        Figure("tick_esp32_with_waits_p99_ms", float(np.percentile(whole + waits + wire, 99)), "ms", "the tick", 20.0,
               limit=20.0),
        Figure("tick_esp32_sense_affect_ms", float(mean[0] + mean[1]), "ms", "budget", FEEL_MS, limit=FEEL_MS),
        Figure("tick_esp32_mesh_ms", float(mean[2]), "ms", "budget", MESH_MS, limit=MESH_MS),
        Figure("tick_unix_us", whole_us, "us", "its counts at the laptop's prices", by_laptop),
        Figure("tick_method_here", by_here, "us", "the clock's", whole_us),
        Figure("tick_bytecodes", round(float(counts.sum(axis=1).mean(axis=0)[:VIPER].sum())), "per tick"),
    ]  # fmt: skip
    console = Console(width=140)
    console.print(
        "primitives on this unix port, ns: " + ", ".join(f"{k} {shown(v)}" for k, v in here.items()),
        highlight=False,
    )
    return out

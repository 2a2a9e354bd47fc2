"""No storm makes light that harms: WCAG 2.3.1 on pixels, strands and the room, and never over the power budget.

`storm.py` runs the device code; the flashes are counted by the independent analyser. `python test_storm.py SEED`
prints what one seed does.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import ports
import pytest
from pulseweave import micropython
from pulseweave.sim.flashes import FlashMeter

HERE = Path(__file__).parent
STRANDS = 48
FPS = 50.0


def storm(seed: int, ticks: int, reboots: bool, channels: int = 3, strands: int = STRANDS):
    """(report of the flash meter, most mA over budget of any strand, number of things that happened)."""
    words = (str(seed), str(strands), str(ticks), str(int(reboots)), str(channels))
    command = micropython.command(
        HERE / "storm.py", *words, native=True
    )  # what is hot is viper on every port anyway
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=micropython.environment(ports.DEVICE, HERE),
    )
    head = run.stdout.readline().split()
    assert head, run.stderr.read().decode()
    pixels = int(head[0])
    budget = np.array([int(b) for b in head[2:]])
    meter = FlashMeter(strands, pixels)
    over = -np.inf
    size = strands * pixels * channels
    for t in range(ticks):
        wire = np.frombuffer(run.stdout.read(size), np.uint8).reshape(strands, pixels, channels)
        meter.push(wire[..., [1, 0, 2, 3][:channels]], t / FPS)
        over = max(over, float((wire.sum(axis=(1, 2), dtype=np.int64) * 20 / 255 + pixels - budget).max()))
    happened = int(run.stdout.readline())
    assert run.wait() == 0, run.stderr.read().decode()
    return meter.result(), over, happened


def check(report, over, reboots):
    assert report.flashes_per_s_max <= 3, report
    assert report.red_flashes_per_s_max == 0 and report.red_fraction_max < 0.8, report
    if not reboots:
        assert report.reversal_ms_min >= 400, report
        assert report.step_max <= 0.0188 + 0.0079, report  # 1/16 of full light per 40 ms, and the dither
    # one frame's slew: a sixteenth of full light, 11 pixels of 41 mA at most; two milliamperes of rounding
    assert over <= 11 * 41 / 16 + 2, over


@pytest.mark.parametrize("seed, reboots, channels", [(1, False, 3), (2, True, 3), (3, False, 4)])
def test_storm(seed, reboots, channels):
    report, over, happened = storm(seed, 3000, reboots, channels)
    assert happened > 10000
    check(report, over, reboots)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_long_storms(seed):
    """Ten of these are more than 10^6 random events."""
    reboots = seed % 2 == 1
    report, over, happened = storm(seed, 30000, reboots, channels=4 if seed % 3 == 0 else 3)
    print(f"seed {seed}: {happened} things happened; {report}; {over:.1f} mA over the budget at most")
    assert happened > 100000
    check(report, over, reboots)


if __name__ == "__main__":
    print(*storm(int(sys.argv[1]), 3000, "reboots" in sys.argv), sep="\n")

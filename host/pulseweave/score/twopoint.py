"""Two-point calibration of a node's skin input, over its console: two resistors in the place of skin, two numbers kept.

Two readings settle the two unknowns of the formula in device/weave/sense/skin.py: open reading and gain. Integers like the
node's. The node keeps them in its configuration (`skin_cal`, `skin_gain`) and reads them when it starts.
"""

import sys
import time

import rich_click as click

from pulseweave import ports
from pulseweave.problem import Problem
from pulseweave.results import tell

G1 = 10000  # nS of 100 kOhm
G2 = 2128  # nS of 470 kOhm
WIDE = 4095  # counts: with this open reading every resistor is within the node's range
STEADY = 0.003  # a reading counts when it moves by less than this share
WAIT_S, BETWEEN_S = 60.0, 2.0


def two_point(a100k_q3: int, a470k_q3: int) -> tuple[int, int]:
    """(cal_q3, gain_q12) from readings (counts x 8) with 100 kOhm and with 470 kOhm across the electrodes.

    cal_q3: open reading, counts x 8; gain_q12: 4096 = 1.0. ValueError where the readings are impossible.
    """
    # G1 / G2 = (cal - a1) (4096 + 2 a2) / ((4096 + 2 a1) (cal - a2)), solved for cal
    p = G1 * (32768 + 2 * a100k_q3)
    q = G2 * (32768 + 2 * a470k_q3)
    if not 0 <= a100k_q3 < a470k_q3 < 32760 or p <= q:
        raise ValueError("readings must be 0 <= a(100k) < a(470k) < 4095: check the resistors")
    cal = (p * a470k_q3 - q * a100k_q3 + (p - q) // 2) // (p - q)
    g = (25000 * (cal - a100k_q3)) // (8192 + (a100k_q3 >> 1))
    gain = (G1 * 4096 + g // 2) // g
    if not (1024 <= gain <= 16384 and a470k_q3 < cal <= 32760):
        raise ValueError("readings do not fit a Grove circuit: check wiring and resistors")
    return cal, gain


def counts_q3(g_ns: float, cal: int = WIDE) -> int:
    """The reading (counts x 8) from which a node with open reading `cal` and gain 1 makes a conductance."""
    return round(8 * (100000 * cal - 4096 * g_ns) / (100000 + 2 * g_ns))


def answer(device: str, baud: int, text: str, seconds: float = 20.0) -> dict:
    """What the node says to a command, also one that is just starting. Raises Problem."""
    from pulseweave.bench import talk

    end = time.monotonic() + seconds
    while True:
        said = talk.ask(device, text, baud)
        if isinstance(said, dict):
            return said
        if time.monotonic() > end:
            raise Problem(
                f"{device}: no node answers: press RESET and try again, or flash and deploy it first"
            )


def reading(device: str, baud: int) -> int:
    """The skin input's reading, counts x 8, once it stands still. Raises Problem."""
    end, last = time.monotonic() + WAIT_S, -1.0
    while time.monotonic() < end:
        g = 1000 * float(answer(device, baud, "status").get("skin_us", 0))
        if g > 0 and abs(g - last) <= STEADY * g:
            return counts_q3(g)
        last = g
        time.sleep(BETWEEN_S)
    raise Problem(
        f"{device}: the skin input never stands still: is the resistor firmly across both electrodes?"
    )


def keep(device: str, baud: int, cal: int, gain: int) -> None:
    """Write both to the node and start it anew. Raises Problem."""
    for text in (f"config skin_cal {cal}", f"config skin_gain {gain}", "config save", "reboot"):
        answer(device, baud, text)


@click.command()
@click.option("--port", required=True, metavar="P", help="The node: a serial port, or what pyserial opens.")
@click.option("--baud", type=ports.SPEED, default=ports.BAUD, show_default=True, metavar="N")
@click.option("--json", "json_file", metavar="FILE", help="Write what was kept as JSON (`-` = stdout).")
def calibrate(port, baud, json_file):
    """Calibrate a node's skin input with two resistors in the place of a hand.

    They are of 100 kOhm and 470 kOhm (1 %).

    Example: pulseweave calibrate --port /dev/ttyUSB0
    """
    aside = json_file == "-"  # stdout is the JSON's: a person is talked to on stderr
    with ports.Claim(port, "calibrate"):
        said = measured(port, baud, aside)
    cal, gain = said["skin_cal"], said["skin_gain"]
    tell(json_file, said, f"kept: skin_cal {cal}, skin_gain {gain} ({gain / 4096:.3f})")


def measured(port: str, baud: int, aside: bool) -> dict:
    """Both readings, and what the node keeps of them. Raises Problem: it has what it had before."""
    before = answer(port, baud, "config")
    try:
        keep(port, baud, WIDE, 4096)
        seen = []
        for ohm in ("100", "470"):
            click.echo(f"{ohm} kOhm across the electrodes, then Enter: ", nl=False, err=aside)
            sys.stdin.readline()
            seen.append(reading(port, baud))
            click.echo(f"reads {seen[-1] / 8:.1f} counts", err=aside)
        try:
            cal, gain = two_point(*seen)
        except ValueError as e:
            raise Problem(f"{port}: {e}", 1) from None
    except BaseException:
        keep(port, baud, before["skin_cal"], before["skin_gain"])  # nothing half done
        raise
    cal = (cal + 4) >> 3
    keep(port, baud, cal, gain)
    return {"port": port, "skin_cal": cal, "skin_gain": gain, "counts": [a / 8 for a in seen]}

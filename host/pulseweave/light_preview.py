"""`pulseweave scene`: look at a scene before the room does, rendered by the device's own code.

In: a scene, strands, pixels, level, heart rate. Out: the strands in the terminal, in 24-bit colour, as they would move.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import rich_click as click

from pulseweave import micropython
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem

SCENES = ("hearth", "tide", "murmuration", "echo", "vigil", "identify", "fault")
FPS = 25


def frames(scene: str, strands: int, pixels: int, seconds: int, level: float = 0.5, bpm: int = 66):
    """Yield uint8[strands, pixels, rgb], linear duty, 25 a second. Problem for a scene that does not exist."""
    if scene not in SCENES:
        raise Problem(f"no scene {scene!r}: there are {', '.join(SCENES)}")
    numbers = (strands, pixels, seconds, round(4096 * level), bpm)
    script = Path(__file__).with_name("light_frames.py")
    run = subprocess.Popen(
        micropython.command(script, scene, *map(str, numbers)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=micropython.environment(DEVICE),
    )
    assert run.stdout is not None and run.stderr is not None
    size = strands * pixels * 3
    try:
        while len(wire := run.stdout.read(size)) == size:
            yield np.frombuffer(wire, np.uint8).reshape(strands, pixels, 3)
        if run.wait():
            raise Problem(
                f"the scene did not render: {run.stderr.read().decode().strip().splitlines()[-1]}", 1
            )
    finally:
        run.kill()
        run.wait()


def picture(frame: np.ndarray, gain: float = 2.5) -> str:
    """The strands upright, two pixels to a character cell, first pixel at the bottom; linear duty shown as sRGB."""
    light = np.clip(frame / 255 * gain, 0, 1)
    screen = (255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(
        int
    )
    if screen.shape[1] % 2:
        screen = np.concatenate((screen, np.zeros_like(screen[:, :1])), axis=1)
    lines = []
    for i in range(screen.shape[1] - 2, -1, -2):
        cells = ("\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m▀\x1b[0m".format(*s[i + 1], *s[i]) for s in screen)
        lines.append("  " + "   ".join(cells))
    return "\n".join(lines)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def scene():
    """Scenes of the light.

    Example: pulseweave scene preview hearth
    """


@scene.command()
@click.argument("name")
@click.option("--strands", type=click.IntRange(1, 40), default=9, show_default=True)
@click.option("--pixels", type=click.IntRange(2, 300), default=48, show_default=True)
@click.option("--seconds", type=click.IntRange(1, 3600), default=20, show_default=True)
@click.option(
    "--level", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Light level, 0..1."
)
@click.option(
    "--bpm", type=click.IntRange(0, 180), default=66, show_default=True, help="Heart rate; 0 for none."
)
def preview(name, strands, pixels, seconds, level, bpm):
    """Show a scene in the terminal.

    Example: pulseweave scene preview tide --seconds 30
    """
    begin = time.monotonic()
    live = sys.stdout.isatty()
    for i, frame in enumerate(frames(name, strands, pixels, seconds, level, bpm)):
        if live:
            print(("\x1b[H\x1b[2J" if i == 0 else "\x1b[H") + picture(frame), flush=True)
            time.sleep(max(0.0, begin + i / FPS - time.monotonic()))
    if not live:
        print(picture(frame))

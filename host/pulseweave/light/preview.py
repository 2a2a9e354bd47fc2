"""`pulseweave scene`: look at a scene before the room does, played by the device's own code.

In the terminal, in 24-bit colour; on the live page with --web; into a file with --render.
"""

import signal
import sys
import time
from collections.abc import Iterable, Iterator

import numpy as np
import rich_click as click

from pulseweave.light.film import Film
from pulseweave.light.page import TOP_M, Page
from pulseweave.light.scene import APART_M, FPS, Play, frames
from pulseweave.problem import Problem
from pulseweave.results import write_json


def picture(frame: np.ndarray, gain: float = 2.5) -> str:
    """The strands upright, two pixels to a character cell, first pixel at the bottom; linear duty shown as sRGB."""
    light = np.clip(frame / 255 * gain, 0, 1)
    screen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    screen = (255 * screen).astype(int)
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
@click.option("--level", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Light level.")
@click.option(
    "--bpm", type=click.IntRange(0, 180), default=66, show_default=True, help="Heart rate; 0: none."
)
@click.option(
    "--web",
    is_flag=False,
    flag_value="127.0.0.1:8080",
    metavar="[HOST:PORT]",
    help="On a page, until Ctrl-C.",
)
@click.option("--render", metavar="FILE", help="Into FILE.mp4, .gif or .png (extra: film).")
@click.option("--json", "json_file", metavar="FILE", help="Write what was shown as JSON (`-` = stdout).")
def preview(name, strands, pixels, seconds, level, bpm, web, render, json_file):
    """Show a scene in the terminal, on a page or in a film.

    Example: pulseweave scene preview tide --seconds 30
    """
    if not 0 <= level <= 1:  # not a number is in no range, and out of none
        raise Problem(f"--level {level:g}: a number from 0 to 1 is needed")
    if web and not render:
        if json_file:
            raise Problem("--json: a page has no end to tell of: leave --web or --json out")
        on_page(web, name, strands, pixels, level, bpm)
        return
    told = Told(frames(name, strands, pixels, seconds, level, bpm))
    if render:
        into_film(render, told, strands, pixels)
    else:
        in_terminal(told, json_file == "-")
    said = {
        "scene": name,
        "strands": strands,
        "pixels": pixels,
        "seconds": seconds,
        "level": level,
        "bpm": bpm,
    }
    write_json(json_file, {**said, "file": render, **told.figures()})


class Told:
    """Frames on their way to who shows them, counted: `figures()` are those of --json, duty 0..1 and linear."""

    def __init__(self, source: Iterable[np.ndarray]):
        self.source, self.count, self.sum, self.most = source, 0, 0.0, 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in self.source:
            self.count += 1
            self.sum += float(frame.mean())
            self.most = max(self.most, int(frame.max()))
            yield frame

    def figures(self) -> dict:
        mean = self.sum / 255 / max(1, self.count)
        return {"frames": self.count, "duty_mean": round(mean, 4), "duty_max": round(self.most / 255, 4)}


def in_terminal(film: Iterable[np.ndarray], silent: bool) -> None:
    """Frame by frame where a person looks; the last frame alone where a file does; nothing where `silent`."""
    begin, frame = time.monotonic(), None
    live = sys.stdout.isatty() and not silent
    for i, frame in enumerate(film):
        if live:
            print(("\x1b[H\x1b[2J" if i == 0 else "\x1b[H") + picture(frame), flush=True)
            time.sleep(max(0.0, begin + i / FPS - time.monotonic()))
    if not live and not silent and frame is not None:
        print(picture(frame))


def on_page(web, name, strands, pixels, level, bpm) -> None:
    """The live page shows the scene and may change it, until Ctrl-C."""
    from pulseweave.gather.web.address import address
    from pulseweave.gather.web.server import serve

    where = address(web)
    if where is None:
        raise Problem("--web off: leave --web out to see the scene in the terminal")
    with Play(name, strands, pixels, level, bpm) as play:
        page = Page(play, name)

        def end(*_):
            page.stopping = True

        for s in (signal.SIGINT, signal.SIGTERM):
            signal.signal(s, end)
        with serve(page, *where) as server:
            click.echo(f"{name} shines at {server.url}   (Ctrl-C ends it)", err=True)
            page.run(0)


class Row:
    """Strands in a row, as the film wants them (see sim.room.Strands)."""

    def __init__(self, pixels: int):
        self.count = pixels
        self.frame = np.zeros(0, np.uint8)

    def rgb(self) -> np.ndarray:
        return self.frame


def into_film(render, shown: Iterable[np.ndarray], strands, pixels) -> None:
    """The scene as a file."""
    film = Film(render)
    row = Row(pixels)
    places = np.column_stack(
        ((np.arange(strands) - (strands - 1) / 2) * APART_M, np.zeros(strands), np.full(strands, TOP_M))
    )
    try:
        for k, row.frame in enumerate(shown):
            film.tick(2 * k, places, row)
    finally:
        film.close()

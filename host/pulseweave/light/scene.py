"""A scene played by the device's own code: where its frames come from, for terminal, page and film alike.

In: a scene, strands, pixels, level, heart rate. Out: `frames` or a `Play` that goes on and can change its scene.
"""

import contextlib
import subprocess
from pathlib import Path

import numpy as np

from pulseweave import micropython
from pulseweave.paths import DEVICE, WORKER
from pulseweave.problem import Problem

SCENES = ("hearth", "tide", "murmuration", "echo", "vigil", "identify", "fault")
FPS = 25
APART_M = 0.7  # between strands, as in player.py


class Play:
    """A scene being played; `frame()` after `frame()`, as context manager. Problem for a scene that does not exist."""

    def __init__(self, scene: str, strands: int, pixels: int, level: float = 0.5, bpm: int = 66):
        self.known(scene)
        self.shape = (strands, pixels, 3)
        self.wish = ""
        numbers = (strands, pixels, round(4096 * level), bpm)
        self.run = subprocess.Popen(
            micropython.command(Path(__file__).with_name("player.py"), scene, *map(str, numbers)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=micropython.environment(DEVICE, WORKER),
        )

    @staticmethod
    def known(scene: str) -> None:
        """Problem for a scene that does not exist."""
        if scene not in SCENES:
            raise Problem(f"no scene {scene!r}: there are {', '.join(SCENES)}")

    def frame(self) -> np.ndarray:
        """The next frame uint8[strands, pixels, rgb], linear duty, 25 a second. Raises Problem where there is none."""
        assert self.run.stdin and self.run.stdout and self.run.stderr
        wish, self.wish = self.wish, ""
        size = int(np.prod(self.shape))
        try:
            self.run.stdin.write(wish.encode() + b"\n")
            self.run.stdin.flush()
            wire = self.run.stdout.read(size)
        except BrokenPipeError:
            wire = b""
        if len(wire) < size:
            said = self.run.stderr.read().decode().strip().splitlines() or ["it ended"]
            raise Problem(f"the scene did not play: {said[-1]}", 1)
        return np.frombuffer(wire, np.uint8).reshape(self.shape)

    def turn_to(self, scene: str) -> None:
        """Cross-fade to another scene from the next frame on. Raises Problem."""
        self.known(scene)
        self.wish = scene

    def __enter__(self) -> "Play":
        return self

    def __exit__(self, *_) -> None:
        self.run.kill()
        for pipe in (self.run.stdin, self.run.stdout, self.run.stderr):
            assert pipe
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.run.wait()


def frames(scene: str, strands: int, pixels: int, seconds: int, level: float = 0.5, bpm: int = 66):
    """Yield the frames of `seconds` of a scene. Problem for a scene that does not exist."""
    with Play(scene, strands, pixels, level, bpm) as play:
        for _ in range(seconds * FPS):
            yield play.frame()

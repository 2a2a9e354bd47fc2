"""A scene on the live page: what the web server asks of a room, answered by a scene that is being played.

The page is the one of the simulated room (`pulseweave.gather.web`); here it has one control that does something, the scene.
"""

import threading
import time

from pulseweave import __version__
from pulseweave.light.scene import APART_M, FPS, SCENES, Play
from pulseweave.problem import Problem

TOP_M = 2.9


class Page:
    """A source for `pulseweave.gather.web.server.serve`; `run()` plays until `stopping`."""

    def __init__(self, play: Play, scene: str):
        self.play, self.scene = play, scene
        self.strands, self.pixels, _ = play.shape
        self.stopping = False
        self.now = (0.0, bytes(self.strands * self.pixels * 3))
        self.said: list[dict] = []
        self.lock = threading.Lock()

    def run(self, seconds: int) -> None:
        """Play in real time; a late picture is not made up for. Ends after `seconds` (0: never)."""
        due = time.monotonic()
        k = 0
        while not self.stopping and (not seconds or k < seconds * FPS):
            frame = self.play.frame()
            k += 1
            with self.lock:
                self.now = (k / FPS, frame.tobytes())
            due = max(due + 1 / FPS, time.monotonic() - 0.2)
            time.sleep(max(0.0, due - time.monotonic()))

    def meta(self) -> dict:
        """The room as the page wants it: a row of strands."""
        middle = (self.strands - 1) / 2
        return {
            "version": __version__,
            "scenario": "preview",
            "title": "a scene, played by the device's own code",
            "scenarios": ["preview"],
            "nodes": self.strands,
            "pixels": self.pixels,
            "speed": 1,
            "paused": False,
            "damping": True,
            "scene": self.scene,
            "scenes": list(SCENES),
            "strands": [
                {"node": i, "name": str(i + 1), "x": (i - middle) * APART_M, "y": 0.0, "z": TOP_M, "pixels": self.pixels}
                for i in range(self.strands)
            ],
        }  # fmt: skip

    def frame(self) -> tuple[float, bytes]:
        with self.lock:
            return self.now

    def state(self) -> dict:
        return {"t_s": round(self.now[0], 2), "speed": 1, "paused": False, "damping": True}

    def events(self) -> list[dict]:
        said, self.said = self.said, []
        return said

    def command(self, order: dict) -> dict:
        """Another scene; everything else needs a simulated room."""
        if order.get("do") != "scene":
            return {"error": "a preview has only its scene: `pulseweave sim` runs a whole room"}
        try:
            self.play.turn_to(str(order.get("name")))
        except Problem as e:
            return {"error": str(e)}
        self.scene = str(order.get("name"))
        self.said.append({"t_s": self.now[0], "kind": "scene", "node": -1, "text": f"scene {self.scene}"})
        return {"ok": True}

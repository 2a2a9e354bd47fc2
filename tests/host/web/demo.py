"""A small deterministic room for the page's tests: strands that breathe and beat, with every control in working order.

Not the simulator: no firmware runs here, the pixels are drawn from sines so that a test knows what to expect.
"""

import math
import random
import threading
import time

import numpy as np

SCENARIOS = ["calm", "contagion", "stress"]
SCENES = ["hearth", "tide", "murmuration", "echo", "vigil"]
SPEEDS = (0.25, 0.5, 1, 2, 4, 8, 16)


class Demo:
    """A room of `nodes` strands of `pixels` that runs in real time in its own thread at 25 pictures a second."""

    def __init__(self, nodes: int = 24, pixels: int = 60, seed: int = 1):
        rng = random.Random(seed)
        self.nodes, self.pixels = nodes, pixels
        columns = max(1, round(math.sqrt(nodes * 1.5)))
        self.places = [
            (
                1.4 * (i % columns) + rng.uniform(-0.35, 0.35),
                1.4 * (i // columns) + rng.uniform(-0.35, 0.35),
                2.6,
            )
            for i in range(nodes)
        ]
        xy = np.array([p[:2] for p in self.places])
        self.xy = xy
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        self.near = []
        for i in range(nodes):
            order = [int(j) for j in np.argsort(apart[i])[1:9]]
            self.near.append([[j + 1, int(-42 - 22 * math.log10(max(0.5, apart[i][j])))] for j in order])
        self.hr = np.array([rng.uniform(58, 88) for _ in range(nodes)])
        self.calm = np.array([rng.uniform(0.08, 0.3) for _ in range(nodes)])
        self.valence = np.array([rng.uniform(-0.6, 0.8) for _ in range(nodes)])
        self.touching = np.array([rng.random() > 0.12 for _ in range(nodes)])
        self.phase = np.array([rng.random() for _ in range(nodes)])
        self.stirred = np.zeros(nodes)
        self.scenario, self.scene, self.speed, self.paused, self.damping = (
            "contagion",
            "hearth",
            1,
            False,
            True,
        )
        self.t = 0.0
        self.g = 0.0
        self.happened = []
        self.commands = []
        self.lock = threading.Lock()
        self.running = False
        self.render()

    # --- the room's own thread

    def start(self) -> "Demo":
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def stop(self) -> None:
        self.running = False
        self.thread.join(2)

    def run(self) -> None:
        due = time.monotonic()
        while self.running:
            if not self.paused:
                with self.lock:
                    self.step(0.04 * self.speed)
            due = max(due + 0.04, time.monotonic() - 0.2)
            time.sleep(max(0, due - time.monotonic()))

    def step(self, dt: float) -> None:
        self.t += dt
        self.phase = self.phase + self.hr / 60 * dt * np.where(self.touching, 1, 0)
        self.stirred *= math.exp(-dt / 14)
        mean = float(self.arousal()[self.touching].mean()) if self.touching.any() else 0.0
        target = max(0.0, min(1.0, (mean - 0.3) * 3)) if self.damping else 0.0
        self.g += (target - self.g) * min(1, dt * (0.8 if target > self.g else 0.05))
        self.render()

    def arousal(self):
        breath = 0.05 * np.sin(self.t * 0.21 + self.xy[:, 0] * 0.7)
        return np.clip(self.calm + breath + self.stirred, 0, 1)

    def level(self):
        own = self.arousal() * self.touching
        return 0.25 * own + 0.75 * (1 - self.g) * own.mean()

    def render(self) -> None:
        """Ground of the room's drift, a beat that travels down, warm or cool by valence."""
        y = np.linspace(0, 1, self.pixels)[None]
        level = self.level()[:, None]
        x, d = self.xy[:, :1], self.xy[:, 1:]
        drift = 0.5 + 0.5 * np.sin(5 * y + 0.8 * x + 0.5 * d - self.t * (0.25 + 1.2 * level))
        place = (self.phase % 1)[:, None] * 1.5 - 0.15
        beat = np.exp(-(((y - place) / 0.10) ** 2)) * np.clip(1.25 - place, 0, 1) * self.touching[:, None]
        glow = (0.02 + 0.06 * self.touching[:, None] + 0.3 * level) * (0.25 + drift) + beat * (
            0.08 + 0.5 * level
        )
        tint = np.clip(0.62 + 0.5 * self.valence[:, None] + 0.35 * (drift - 0.5), 0, 1)[..., None]
        cool, rose, warm = (
            np.array([0.04, 0.34, 1.0]),
            np.array([0.80, 0.18, 0.42]),
            np.array([1.0, 0.40, 0.06]),
        )
        colour = np.where(tint < 0.5, cool + (rose - cool) * 2 * tint, rose + (warm - rose) * (2 * tint - 1))
        rgb = glow[..., None] * colour
        self.rgb = (np.clip(rgb, 0, 1) * 255).astype("u1").tobytes()

    # --- what the server asks

    def meta(self) -> dict:
        return {
            "scenario": self.scenario, "scenarios": SCENARIOS, "scene": self.scene, "scenes": SCENES,
            "nodes": self.nodes, "pixels": self.pixels, "speed": self.speed, "paused": self.paused,
            "damping": self.damping, "version": "demo", "fps": 25,
            "strands": [
                {"node": i + 1, "x": x, "y": y, "z": z, "pixels": self.pixels, "name": f"thread {i + 1}"}
                for i, (x, y, z) in enumerate(self.places)
            ],
        }  # fmt: skip

    def frame(self):
        with self.lock:
            return self.t, self.rgb

    def state(self) -> dict:
        with self.lock:
            a, level = self.arousal(), self.level()
            there = self.touching
            mean = float(a[there].mean()) if there.any() else 0.0
            return {
                "t_s": round(self.t, 3),
                "room": {"truth": mean, "collective": mean * 0.97, "estimate": mean * 0.95, "light": float(level.mean()),
                         "g": self.g, "ratio": 0.6 + self.g, "contagion": int(mean > 0.4), "synchrony": 0.2, "spread": 0.1},
                "nodes": {
                    "hr": np.where(there, self.hr + 40 * self.stirred, 0.0), "confidence": np.where(there, 0.8, 0.0),
                    "quality": np.where(there, 0.9, 0.0), "contact": there.astype(int), "arousal": a * there,
                    "valence": self.valence, "level": level, "g": np.full(self.nodes, self.g),
                    "beats": self.phase.astype(int), "neighbours": self.near,
                },
                "health": "all well",
                "mesh": {"sent": int(self.t * 50), "received": int(self.t * 400), "lost": int(self.t * 20)},
                "tick_us": 410.0,
            }  # fmt: skip

    def events(self) -> list:
        with self.lock:
            happened, self.happened = self.happened, []
        return happened

    def say(self, kind: str, text: str) -> None:
        self.happened.append({"t_s": self.t, "kind": kind, "text": text})

    def command(self, c: dict) -> dict:
        with self.lock:
            self.commands.append(c)
            return self.obey(c)

    def obey(self, c: dict) -> dict:
        match c:
            case {"do": "pause"}:
                self.paused = True
            case {"do": "resume"}:
                self.paused = False
            case {"do": "speed", "to": speed} if speed == "fast" or speed in SPEEDS:
                self.speed = 16 if speed == "fast" else speed
            case {"do": "scenario", "name": name} if name in SCENARIOS:
                self.scenario, self.t = name, 0.0
                self.stirred[:] = 0
                self.say("scenario", f"{name} begins")
            case {"do": "scene", "name": name} if name in SCENES:
                self.scene = name
                self.say("scene", f"scene {name}")
            case {"do": "upset", "fraction": f}:
                self.stirred[: int(self.nodes * f)] += 0.6
                self.say("contagion", "half the room is upset")
            case {"do": "damping", "on": on}:
                self.damping = bool(on)
            case {"do": "lift", "node": int(n)} if 1 <= n <= self.nodes:
                self.touching[n - 1] = False
            case {"do": "touch", "node": int(n)} if 1 <= n <= self.nodes:
                self.touching[n - 1] = True
            case _:
                return {"error": f"the demo room does not know {c.get('do')!r} with these words"}
        return {}

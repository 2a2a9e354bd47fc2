"""What the console knows of its node: the last state, the last minute of it, beats, the mesh, the log.

In: (kind, value) from `link.Link.poll`. Out: attributes for the view. Nothing here draws.
"""

import time
from collections import deque

MINUTE = 60
LOG = 200
NOT_CHOSEN = ("identify", "fault")  # what the firmware shows by itself; last in its list


class Model:
    """One node as seen through its console."""

    def __init__(self, device: str):
        self.device = device
        self.state: dict = {}
        self.status: dict = {}
        self.status_at = 0.0
        self.scenes: list[str] = []
        self.mesh: list[dict] = []
        self.notes: list[dict] = []
        self.series = {k: deque(maxlen=MINUTE) for k in ("arousal", "level", "skin_us", "bpm")}
        self.intervals: deque = deque(maxlen=MINUTE)
        self.log: deque = deque(maxlen=LOG)
        self.beat_at = 0.0
        self.frames = self.lost = 0
        self.version = 0  # counts changes worth drawing

    def take(self, kind: str, value) -> None:
        """Learn something."""
        self.version += 1
        getattr(self, f"_{kind}")(value)

    def _state(self, s: dict) -> None:
        self.state = s
        for key, row in self.series.items():
            if key in s:
                row.append(s[key] if s.get("contact") or key == "level" else None)

    def _beat(self, b: dict) -> None:
        self.intervals.append(b["ibi_ms"])
        self.beat_at = time.monotonic()

    def _raw(self, r: dict) -> None:
        pass  # raw samples are for --json and --log only: the wearer's, not the screen's

    def _log(self, text: str) -> None:
        self.log.append(("log", text))

    def _text(self, text: str) -> None:
        self.log.append(("text", text))

    def _note(self, text: str) -> None:
        self.log.append(("note", text))

    def _crash(self, note) -> None:
        if isinstance(note, dict) and "text" in note:
            self.notes.append(note)
            self.log.append(("crash", f"{note.get('part')}: {last_line(note['text'])}"))

    def _answer(self, pair) -> None:
        question, said = pair
        word = question.split()[0] if question else ""
        if isinstance(said, dict) and "error" in said:
            self.log.append(("crash", f"{question}: {said['error']}"))
        elif word == "status" and isinstance(said, dict):
            self.status, self.status_at = said, time.monotonic()
        elif word == "scene" and isinstance(said, dict):
            self.scenes = [n for n in said.get("scenes", self.scenes) if n not in NOT_CHOSEN]
            if question != "scene":
                self.log.append(("note", f"scene {said.get('scene')}"))
        elif word == "mesh" and isinstance(said, list):
            self.mesh = said
        elif word == "crash" and isinstance(said, list):
            self.notes = said
        elif word not in ("watch", "beats", ""):  # "": asked before this line was ours
            self.log.append(("answer", f"{question} → {compact(said)}"))

    def scene(self) -> str:
        """The scene now shown, by name where it is known."""
        i = self.state.get("scene")
        return (
            self.scenes[i]
            if isinstance(i, int) and i < len(self.scenes)
            else str(self.status.get("scene", ""))
        )


def last_line(text: str) -> str:
    """A traceback's last line."""
    return (text.strip().splitlines() or [""])[-1]


def compact(said) -> str:
    """A document on one line."""
    if isinstance(said, dict):
        return "  ".join(f"{k} {v}" for k, v in said.items())
    return f"{len(said)} entries" if isinstance(said, list) else str(said)

"""A node that computes for ever: its interpreter is ended, so that the room ends as one whose interpreter died.

In: `steps`, which the run counts. Patience is measured in the interpreter's CPU time, not by the clock: a run that is
stopped for a night goes on in the morning.
"""

import threading

from pulseweave.processes import cpu_s
from pulseweave.sim.workers import RUNNING

STUCK_CPU_S = 60.0  # within one step, which takes milliseconds
LOOK_S = 2.0


class Patience(threading.Thread):
    """Watches the interpreters that this process has started, until `done` is set."""

    def __init__(self):
        super().__init__(daemon=True)
        self.steps = 0
        self.done = threading.Event()

    def __enter__(self) -> "Patience":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.done.set()
        self.join()

    def run(self) -> None:
        steps, spent = -1, {}
        while not self.done.wait(LOOK_S):
            now = {process: cpu_s(process.pid) for process in list(RUNNING)}
            if steps != self.steps:
                steps, spent = self.steps, now
            for process, used in now.items():
                if used - spent.setdefault(process, used) > STUCK_CPU_S:
                    process.kill()

"""A node that computes for ever: its interpreter is ended, so that the room ends as one whose interpreter died.

In: `steps`, which the run counts. Patience is measured in the interpreter's CPU time, not by the clock: a run that is
stopped for a night goes on in the morning.
"""

import os
import signal
import threading

from pulseweave.processes import children, cpu_s

STUCK_CPU_S = 60.0  # within one step, which takes milliseconds
LOOK_S = 2.0


class Patience(threading.Thread):
    """Watches the processes that this one has started, until `done` is set."""

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
            now = {pid: cpu_s(pid) for pid in children(os.getpid())}
            if steps != self.steps:
                steps, spent = self.steps, now
            for pid, used in now.items():
                if used - spent.setdefault(pid, used) > STUCK_CPU_S:
                    os.kill(pid, signal.SIGKILL)

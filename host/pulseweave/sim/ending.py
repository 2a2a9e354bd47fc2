"""A run that is told to end: by Ctrl-C, by SIGTERM, by a terminal that goes away.

In: signals. Out: `asked`, the signals so far; `killed`, whether nodes had to be, because they did not stop by themselves.
"""

import signal
import threading

from pulseweave.sim.workers import kill

PATIENCE_S = 5.0  # nodes that have not stopped so long after a signal never will


class Ending:
    """Inside its `with`, signals are requests; afterwards they are what they were."""

    def __init__(self):
        self.asked: list[int] = []
        self.killed = False
        self._late = threading.Timer(PATIENCE_S, self._give_up)
        self._late.daemon = True
        # `nohup` has its way
        signals = [s for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
                   if s != signal.SIGHUP or signal.getsignal(s) is not signal.SIG_IGN]  # fmt: skip
        self._before = [(s, signal.signal(s, self._ask)) for s in signals]

    def __enter__(self) -> "Ending":
        return self

    def __exit__(self, *_) -> None:
        self.stopped()
        for s, old in self._before:
            signal.signal(s, old)

    def stopped(self) -> None:
        """The nodes have: patience is not needed any more."""
        self._late.cancel()

    def _ask(self, number: int, _) -> None:
        if not self.asked:
            self._late.start()
        self.asked.append(number)

    def _give_up(self) -> None:
        self.killed = True
        kill()

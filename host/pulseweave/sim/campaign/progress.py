"""How far a campaign is: a bar where stderr is a terminal, else a line now and then, for whoever reads the log of a week.

In: how much is done. Out: on stderr only, so that results in a pipe stay what they are.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

FIRST_S, EVERY_S = 60.0, 600.0  # short campaigns say nothing
Told = Callable[[int, int], None]  # (done, broken)


@contextmanager
def shown(what: str, total: int) -> Iterator[Told]:
    """Progress of `total` things called `what`: call the result with (done, broken)."""
    if not sys.stderr.isatty():
        yield Log(what, total, sys.stderr)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)

        def tell(done: int, broken: int) -> None:
            bar.update(task, completed=done, description=words(what, broken))

        yield tell


def words(what: str, broken: int) -> str:
    """`what`, and how many of them broke."""
    return f"{what}, {broken} broken" if broken else what


class Log:
    """Lines with the time passed and the time left."""

    def __init__(self, what: str, total: int, out: TextIO, clock: Callable[[], float] = time.monotonic):
        self.what, self.total, self.out, self.clock = what, total, out, clock
        self._began = clock()
        self._next = self._began + FIRST_S

    def __call__(self, done: int, broken: int) -> None:
        now = self.clock()
        if now < self._next:
            return
        self._next = now + EVERY_S
        spent = now - self._began
        left = f", {hours(spent * (self.total - done) / done)} left" if done else ""
        print(
            f"{done} of {self.total} {words(self.what, broken)} after {hours(spent)}{left}",
            file=self.out,
            flush=True,
        )


def hours(seconds: float) -> str:
    """4 h 05 min."""
    h, m = divmod(round(seconds / 60), 60)
    return f"{h} h {m:02} min" if h else f"{m} min"

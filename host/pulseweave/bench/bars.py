"""One line of progress per port, on stderr. In: ports, then fractions and verdicts as they come, from any thread."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class Mark(SpinnerColumn):
    """Turns while a board is worked on; ends as a dot or a cross."""

    def render(self, task):
        return Text("✗", style="bold red") if task.fields.get("failed") else super().render(task)


class Bars:
    """The lines, from `with` to its end; then they vanish. `names` are shown, in the order in which work begins."""

    def __init__(self, names: list[str]):
        self._width = max(map(len, names))
        self._progress = Progress(
            Mark(finished_text="[green]●"),
            TextColumn("[bold]{task.fields[port]}"),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("[dim]{task.fields[words]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_) -> None:
        self._progress.stop()

    def begin(self, name: str) -> int:
        """A line for `name`; what stands for it in the other calls."""
        return self._progress.add_task("", total=1.0, port=escape(name.ljust(self._width)), words="waiting")

    def show(self, task, fraction: float, words: str) -> None:
        """How far it is, 0..1, and with what."""
        self._progress.update(task, completed=fraction, words=escape(words))

    def end(self, task, verdict: str, good: bool) -> None:
        """Full and green, or stopped where it is, with a cross."""
        if good:
            self._progress.update(task, completed=1.0, words=verdict)
        else:
            self._progress.update(task, words=f"[red]{verdict}", failed=True)
            self._progress.stop_task(task)

"""`pulseweave flash`: MicroPython onto boards, many at once: checked before, verified after, never twice.

In: a board description, an image, ports. Out: a verdict per board, in the ledger as well. Nothing is written before
the image is known to be whole and for this chip, and esptool has seen that chip. What already lies there is compared
by MD5 and skipped. A line that fails is tried again at lower speeds.
"""

import threading

import rich_click as click

from pulseweave import boards
from pulseweave.bench import batch, esptool, images, ports
from pulseweave.bench.batch import Report, Result, on_boards
from pulseweave.bench.ledger import Ledger
from pulseweave.boards.model import Board

LADDER = (460800, 230400, 115200)


def arguments(board: Board, image: images.Image) -> list[str]:
    """esptool's words for writing this image onto this board."""
    f = board.firmware
    assert f
    return [
        "write-flash",
        "--skip-flashed",
        "--flash-mode",
        f.flash_mode,
        "--flash-freq",
        f.flash_freq,
        "--flash-size",
        f.flash_size,
        hex(f.offset),
        str(image.path),
    ]


def ladder(baud: int | None) -> list[int]:
    """Speeds to try, fastest first; a speed that was asked for comes first and slower ones after it."""
    return [baud, *(b for b in LADDER if b < baud)] if baud else list(LADDER)


class Flasher:
    """Flashes one board after another, from several threads, into one ledger."""

    def __init__(
        self, board: Board, image: images.Image, ledger: Ledger, baud: int | None = None, attempts: int = 3
    ):
        self.board, self.image, self.ledger = board, image, ledger
        self.bauds, self.attempts = ladder(baud), attempts
        self._lock = threading.Lock()

    def __call__(self, port: str, report: Report) -> Result:
        with ports.Claim(port, "flash"):
            report(0, "connecting")
            for i, baud in enumerate(self.bauds):
                words = "writing" if not i else f"again at {baud} baud"
                done = esptool.run(
                    port,
                    *arguments(self.board, self.image),
                    chip=self.board.chip,
                    baud=baud,
                    attempts=self.attempts,
                    report=lambda x, w=words: report(0.98 * x, w),
                )
                if done.kind not in esptool.AGAIN:
                    break
        verdict = "skipped" if done.skipped else "ok"
        if done.kind:
            verdict = "refused" if done.kind == "chip" else "failed"
        why = done.why
        if done.kind in ("permission", "busy", "missing"):
            why = ports.explain(port, OSError(done.text)).removeprefix(f"{port}: ")
        if done.kind in esptool.AGAIN:
            why += f" (tried at {', '.join(map(str, self.bauds))} baud)"
        result = Result(
            port,
            verdict,
            why,
            done.mac,
            code=2 if done.kind else 0,
            facts={
                "board": self.board.name,
                "chip": done.chip or self.board.chip,
                "image": self.image.path.name,
            },
        )
        if done.mac:
            with self._lock:
                self.ledger.add(
                    "flash",
                    done.mac,
                    verdict,
                    why=why,
                    board=self.board.name,
                    port=port,
                    image=self.image.path.name,
                    firmware=self.image.sha256,
                )
        return result


@click.command()
@click.option("--board", "name", required=True, metavar="B", help="A board of boards/, or a .toml file.")
@click.option(
    "--firmware", required=True, metavar="FILE", help="The MicroPython image for this board's chip."
)
@on_boards
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--jobs", type=int, metavar="N", help="Boards at once (default: all).")
@click.option("--baud", type=int, metavar="N", help="Fastest speed to try (default: 460800).")
@click.option("--locked", is_flag=True, help="Only an image that boards/firmware.lock knows.")
@click.option("--json", "json_file", metavar="FILE", help="Write the verdicts as JSON (`-` = stdout).")
def flash(name, firmware, port, everything, ledger, jobs, baud, locked, json_file):
    """Put MicroPython onto boards: all at once, verified, and not again where it is already.

    Example: pulseweave flash --board esp32-devkit --firmware ESP32_GENERIC-v1.29.0.bin --all
    """
    from pulseweave.problem import Problem

    board = boards.load(name)
    image = images.load(firmware, board)
    if locked and not image.known:
        raise Problem(
            f"{firmware}: not in boards/firmware.lock: compare its SHA-256 ({image.sha256}) with the publisher's, "
            "then `pulseweave images pin` it"
        )
    book = Ledger(ledger)
    warn(book)
    to = ports.chosen(port, everything)
    if json_file != "-":
        known = f"known as {image.known}" if image.known else "not in boards/firmware.lock"
        click.echo(
            f"{image.path.name}: {image.size:,} bytes for {image.chip}, SHA-256 {image.sha256[:12]}, {known}"
        )
    flasher = Flasher(board, image, book, baud)
    batch.show(batch.run(to, flasher, jobs, "flash"), ("board", "chip"), json_file)


def warn(book: Ledger) -> None:
    """Say what of the ledger could not be read; it costs nothing but that line."""
    for what in book.damage:
        click.echo(f"pulseweave: {book.path}: {what}: no other line is touched, the bench goes on", err=True)

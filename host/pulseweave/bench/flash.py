"""MicroPython onto boards, many at once: checked before, verified after, never twice.

In: a board description, an image, ports. Out: a verdict per board, in the ledger as well. Nothing is written before
the image is known to be whole and for this chip, and esptool has seen that chip. What already lies there is compared
by MD5 and skipped. A line that fails is tried again at lower speeds.
"""

import threading

from pulseweave import ports
from pulseweave.bench import esptool, images
from pulseweave.bench.batch import Report, Result
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
        str(image.path.absolute()),  # no name is taken for an option
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

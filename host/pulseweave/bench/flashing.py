"""`pulseweave flash`: the command. (`cli.py` has started the first esptool already.)"""

import rich_click as click

from pulseweave import boards, ports
from pulseweave.bench import batch, images
from pulseweave.bench.batch import on_boards
from pulseweave.bench.flash import Flasher
from pulseweave.bench.ledger import Ledger, warn
from pulseweave.problem import Problem


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
@click.option("--baud", type=ports.SPEED, metavar="N", help="Fastest speed to try (default: 460800).")
@click.option("--locked", is_flag=True, help="Only an image that boards/firmware.lock knows.")
@click.option("--json", "json_file", metavar="FILE", help="Write the verdicts as JSON (`-` = stdout).")
def flash(name, firmware, port, everything, ledger, jobs, baud, locked, json_file):
    """Put MicroPython onto boards: all at once, verified, and not again where it is already.

    Example: pulseweave flash --board esp32-devkit --firmware ESP32_GENERIC-v1.29.0.bin --all
    """
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
    batch.show(batch.run(to, flasher, jobs), ("board", "chip"), json_file)

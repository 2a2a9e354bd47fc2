"""`pulseweave station`: plug in, watch, unplug, next: every board that appears is flashed, deployed, provisioned,
tested, labelled.

In: a kind of board and what is wanted of it. Out: one row per port on the screen, PASS or FAIL to be seen from
across the room, and the ledger. A board that was done before is only checked. Ports that are there at the start are
left alone unless `--present`.
"""

import io
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import rich_click as click
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pulseweave import boards, ports
from pulseweave.bench import images, labels
from pulseweave.bench.console.view import bar
from pulseweave.bench.deploying import Deployer
from pulseweave.bench.flash import Flasher
from pulseweave.bench.ledger import Ledger, warn
from pulseweave.bench.provisioning import provision_board
from pulseweave.network import Network
from pulseweave.problem import Problem
from pulseweave.results import write_json

LOOK_S = 0.3
PLUG_S = 5.0  # from the port's appearing until it may be opened (udev gives the rights later) and MicroPython answers
BOOT_S = 15.0  # after a flash, when the board formats its filesystem first
STEPS = ("flash", "deploy", "provision")


@dataclass
class Seat:
    """One port with a board on it."""

    port: str
    step: str = "waiting"
    done: float = 0.0
    verdict: str = ""  # "", PASS or FAIL
    why: str = ""
    mac: str = ""
    node: int | None = None
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0


class Station:
    """The work on each board, from several threads; `seats` is what the screen shows."""

    def __init__(self, board: str, book: Ledger, firmware: str | None, network: Path | None, label_to: Path | None,
                 test: bool, tree: Path | None = None):  # fmt: skip
        self.board = boards.load(board)
        self.book = book
        self.flasher = None
        if firmware:
            self.flasher = Flasher(self.board, images.load(firmware, self.board), book)
        self.deployer = Deployer(book, board, tree)
        self.deployer.release(board)  # compile before the first board comes
        self.network = network
        if network:
            Network.load(network)
        self.label_to, self.test = label_to, test
        self.seats: dict[str, Seat] = {}
        self.done: list[Seat] = []  # every board with a verdict, also those unplugged since
        self.said: set[int] = set()  # the seats whose verdict was told
        self.leaving = False  # no further step is begun
        self._workers: list[threading.Thread] = []
        self._one = threading.Lock()  # one id is given at a time

    def sit(self, port: str) -> threading.Thread:
        """A board was plugged in: begin."""
        seat = self.seats[port] = Seat(port)
        worker = threading.Thread(target=self._work, args=(seat,), daemon=True)
        worker.start()
        self._workers.append(worker)
        return worker

    @property
    def passed(self) -> int:
        return sum(s.verdict == "PASS" for s in self.done)

    @property
    def failed(self) -> int:
        return len(self.done) - self.passed

    def leave(self) -> None:
        """Wait until the boards that are being worked on run again; their next steps are not begun."""
        self.leaving = True
        busy = [s.port for s in self.seats.values() if not s.verdict]
        if busy:
            print(
                f"pulseweave: one moment: {', '.join(busy)}: what was begun there is ended", file=sys.stderr
            )
        for worker in self._workers:
            worker.join()

    def _work(self, seat: Seat) -> None:
        verdict = "FAIL"
        try:
            self._steps(seat)
            verdict = "PASS"
        except Problem as e:
            seat.why = str(e).removeprefix(f"{seat.port}: ")
        except Exception as e:  # a bug must not stop the bench: it is this board's verdict
            seat.why = f"{type(e).__name__}: {e}"
        seat.seconds = time.monotonic() - seat.began
        seat.verdict = verdict
        self.done.append(seat)

    def _go_on(self) -> None:
        if self.leaving:
            raise Problem("the station was left: plug it in again")

    def _steps(self, seat: Seat) -> None:
        def report(fraction: float, words: str) -> None:
            seat.step, seat.done = words, fraction

        if self.flasher:
            result = self.flasher(seat.port, report)
            seat.mac = result.mac
            if result.why:
                raise Problem(f"flash: {result.why}")
        self._go_on()
        end = time.monotonic() + (BOOT_S if self.flasher else PLUG_S)
        while True:
            try:
                result = self.deployer(seat.port, report)
                break
            except Problem:
                self._go_on()
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
        seat.mac = result.mac
        if result.why:
            raise Problem(f"deploy: {result.why}")
        if self.network:
            report(0.5, "provision and self-test" if self.test else "provision")
            with self._one:
                self._go_on()
                done = provision_board(
                    seat.port, Network.load(self.network), self.network, self.book, None, {},
                    Console(file=io.StringIO()), test=self.test, yes=True,
                )  # fmt: skip
            seat.node = done["node"]
            if done["failed"]:
                raise Problem(f"self-test: {'; '.join(done['failed'])}")
            if self.label_to:
                made = labels.Label(done["node"], done["name"], done["network"], done["board"], done["mac"])
                labels.write([made], self.label_to / f"node-{done['node']}.svg")
        report(1.0, "done")

    # --- what the screen shows

    def picture(self) -> Group:
        """One row per port, and what to do next."""
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        for head in ("port", "mac", "node", "", "step", "s"):
            table.add_column(head, justify="right" if head == "s" else "left")
        for s in self.seats.values():
            spent = s.seconds or time.monotonic() - s.began
            if s.verdict:
                style = "bold white on green" if s.verdict == "PASS" else "bold white on red"
                mark, step = (
                    Text(f" {s.verdict} ", style=style),
                    Text(s.why or "unplug it", style="" if s.why else "dim"),
                )
            else:
                mark, step = Text(bar(s.done, 16), style="cyan"), Text(s.step)
            table.add_row(s.port.removeprefix("/dev/"), s.mac, str(s.node or ""), mark, step, f"{spent:.0f}")
        title = f"[bold]{self.board.name}[/]  [green]{self.passed} passed[/]  [red]{self.failed} failed[/]"
        body = table if self.seats else Text("plug in a board", style="bold")
        hint = Text(
            "plug in the next board; Ctrl-C ends (nothing is lost: the ledger knows where it was)",
            style="dim",
        )
        return Group(Panel(body, title=title, title_align="left"), hint)


def tell(station: Station, live: Live | None, out: TextIO) -> None:
    """Each new verdict once: a bell, or a line in `out`."""
    for s in station.seats.values():
        if not s.verdict or id(s) in station.said:
            continue
        station.said.add(id(s))
        if live:
            live.console.bell()
        else:
            node = f" node {s.node}" if s.node else ""
            said = f"{s.verdict} {s.port} {s.mac}{node} {s.seconds:.0f} s {s.why}"
            print(said.rstrip(), file=out, flush=True)


def run(
    station: Station, live: Live | None, count: int | None, present: bool, out: TextIO = sys.stdout
) -> None:
    """Watch for boards until Ctrl-C, or until `count` of them are done; without `live`, verdicts are lines in `out`."""
    known = set() if present else {p.device for p in ports.listed()}
    while True:
        now = {p.device for p in ports.listed()}
        for port in sorted(now - known):
            station.sit(port)
        for port in list(station.seats):
            if port not in now and id(station.seats[port]) in station.said:
                del station.seats[port]  # unplugged: the seat is free
        # a port that vanishes in the middle stays known while its work is under way: flashing resets boards
        known = now | {p for p, s in station.seats.items() if not s.verdict}
        tell(station, live, out)
        if live:
            live.update(station.picture(), refresh=True)
        if count and len(station.done) >= count and len(station.said) >= count:
            return
        time.sleep(LOOK_S)


@click.command()
@click.option("--board", required=True, metavar="B", help="The kind of board that will be plugged in.")
@click.option("--firmware", metavar="FILE", help="MicroPython's image, where the boards need it.")
@click.option(
    "--network", type=click.Path(path_type=Path), metavar="FILE", help="Provision into this network."
)
@click.option("--labels", "label_to", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
              help="Write a label per board there.")  # fmt: skip
@click.option("--no-test", is_flag=True, help="No self-test after provisioning.")
@click.option("--present", is_flag=True, help="Begin with the boards that are plugged in already.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Leave after N boards.")
@click.option(
    "--tree", type=click.Path(path_type=Path), metavar="DIR", help="Firmware to deploy (default: device/)."
)
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option(
    "--json", "json_file", metavar="FILE", help="Write the verdicts, at the end, as JSON (`-` = stdout)."
)
def station(board, firmware, network, label_to, no_test, present, count, tree, ledger, json_file):
    """Plug in, watch, unplug, next: flashed, deployed, provisioned, tested, labelled.

    Example: pulseweave station --board esp32-devkit --firmware ESP32_GENERIC-v1.29.0.bin --network hall.json
    """
    book = Ledger(ledger)
    warn(book)
    made = Station(board, book, firmware, network, label_to, not no_test, tree)
    out = sys.stderr if json_file == "-" else sys.stdout
    try:
        if sys.stdout.isatty() and json_file != "-":
            with Live(auto_refresh=False, transient=False) as live:
                run(made, live, count, present)
        else:
            run(made, None, count, present, out)
    except KeyboardInterrupt:
        pass
    finally:
        made.leave()
    tell(made, None, out)
    print(f"{made.passed} passed, {made.failed} failed; {book.path} knows them", file=sys.stderr)
    keys = ("port", "mac", "node", "verdict", "why", "seconds")
    seats = [{k: getattr(s, k) for k in keys} for s in made.done]
    said = {"board": board, "ledger": str(book.path), "passed": made.passed, "failed": made.failed}
    write_json(json_file, {**said, "boards": seats})
    if made.failed:
        sys.exit(1)

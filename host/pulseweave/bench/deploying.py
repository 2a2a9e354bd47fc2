"""`pulseweave deploy`: the firmware onto boards that run MicroPython, only what changed, all at once."""

import threading
import time
from pathlib import Path

import rich_click as click

from pulseweave import boards, ports
from pulseweave.bench import batch, deploy, talk
from pulseweave.bench.batch import Report, Result, on_boards
from pulseweave.bench.ledger import Ledger, warn
from pulseweave.bench.release import Release, build
from pulseweave.bench.repl import Repl
from pulseweave.problem import Problem

START_S = 20.0  # a board is up again after its two seconds of escape and its start


class Deployer:
    """Deploys to one board after another, from several threads; releases are built once per kind of board."""

    def __init__(self, ledger: Ledger, board: str | None = None, tree: Path | None = None,
                 outdated=False, wait=False, as_new=False, baud=ports.BAUD):  # fmt: skip
        self.ledger, self.board, self.tree = ledger, board, tree
        self.outdated, self.wait, self.as_new, self.baud = outdated, wait, as_new, baud
        self._lock = threading.Lock()
        self._built: dict[tuple[str, bool], tuple] = {}

    def release(self, name: str, viper: bool = True):
        """(board, release) of a kind of board; without `viper` for one whose MicroPython runs no machine code."""
        with self._lock:
            if (name, viper) not in self._built:
                board = boards.load(name)
                self._built[name, viper] = (board, build(board, self.tree, viper))
            return self._built[name, viper]

    def __call__(self, port: str, report: Report) -> Result:
        with ports.Claim(port, "deploy"):
            if self.outdated and (result := self._current(port)):
                return result
            report(0.02, "connecting")
            with Repl(port, self.baud) as repl:
                running = False
                try:
                    result = self._deploy(repl, port, report)
                    running = result.facts.pop("started", False)
                    return result
                finally:
                    if not running:  # a node that runs already would take it for garbage
                        repl.restart()

    def _current(self, port: str) -> Result | None:
        """The result of a board that says it is up to date; it is not interrupted."""
        said = talk.ask(port, "status", self.baud)
        if not isinstance(said, dict) or not said.get("board"):
            return None
        name = self.board or str(said["board"])
        release = next(
            (r for v in (True, False) if (r := self.release(name, v)[1]).id == said.get("release")), None
        )
        if not release:
            return None
        facts = {"board": said["board"], "node": said.get("node"), "release": release.id}
        return Result(port, "skipped", facts=facts)

    def _deploy(self, repl: Repl, port: str, report: Report) -> Result:
        began = time.monotonic()
        report(0.04, "looking")
        seen = deploy.look(repl)
        with self._lock:
            flashed = self.ledger.last(seen.mac, "flash") or {}
        name = self.board or seen.board or flashed.get("board")
        if not name:
            raise Problem(f"{port}: which kind of board is this? nothing on it says so: give --board once")
        board, release = self.release(name, viper=bool(seen.mpy >> 10 & 0xF))
        if self.as_new:
            seen.board = None
        before = seen.release
        why, facts = "", {}
        try:
            done = deploy.deploy(repl, seen, board, release, report)
            verdict = "ok" if done.changed else "skipped"
            facts = {"board": board.name, "release": release.id, "before": before or "",
                     "files": f"{done.written} written, {done.copied} copied" if done.changed else ""}  # fmt: skip
            if self.wait and done.changed:
                report(0.95, "starting")
                repl.restart()
                facts["started"] = True
                self._see_it_start(repl, release)
            code = 0
        except Problem as e:
            verdict, why, code = "failed", str(e).removeprefix(f"{port}: "), e.code
            facts = {"board": board.name, "started": facts.get("started", False)}
            if why.startswith("wrong board"):
                verdict = "refused"
        result = Result(
            port, verdict, why, ":".join(seen.mac[i : i + 2] for i in range(0, 12, 2)), facts=facts
        )
        result.code = code
        with self._lock:
            self.ledger.add("deploy", seen.mac, verdict, why=why, board=board.name, port=port,
                            release="" if why else release.id, seconds=round(time.monotonic() - began, 1))  # fmt: skip
        return result

    @staticmethod
    def _see_it_start(repl: Repl, release: Release) -> None:
        """Wait until the new version answers. Raises Problem."""
        end = time.monotonic() + START_S
        asking = talk.Talk(repl.serial, repl.device_name)
        while time.monotonic() < end:
            said = asking.ask("status", 1.0)
            if isinstance(said, dict) and said.get("release") == release.id:
                return
        raise Problem(
            f"{repl.device_name}: the new version does not answer within {START_S:.0f} s: the board returns to the old one "
            f"by itself after three boots; `pulseweave crash --port {repl.device_name}` says why", 1
        )  # fmt: skip


@click.command("deploy")
@on_boards
@click.option("--outdated", is_flag=True, help="Ask first, and do not interrupt boards that are up to date.")
@click.option(
    "--board", metavar="B", help="Which kind of board (default: what the board or the ledger says)."
)
@click.option("--as-new", is_flag=True, help="The board was rewired: --board replaces what it says it is.")
@click.option(
    "--tree", type=click.Path(path_type=Path), metavar="DIR", help="Firmware to deploy (default: device/)."
)
@click.option("--wait", is_flag=True, help="Wait until the new version answers.")
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--jobs", type=int, metavar="N", help="Boards at once (default: all).")
@click.option("--baud", type=ports.SPEED, default=ports.BAUD, show_default=True, help="Speed of the line.")
@click.option("--json", "json_file", metavar="FILE", help="Write the verdicts as JSON (`-` = stdout).")
def command(port, everything, outdated, board, as_new, tree, wait, ledger, jobs, baud, json_file):
    """Put the firmware onto boards: what changed, verified, and back by itself if it is bad.

    The boards run MicroPython already (`pulseweave flash`).

    Example: pulseweave deploy --all --outdated
    """
    book = Ledger(ledger)
    warn(book)
    if board:
        boards.load(board)
    deployer = Deployer(book, board, tree, outdated, wait, as_new, baud)
    results = batch.run(ports.chosen(port, everything), deployer, jobs)
    batch.show(results, ("board", "release", "files"), json_file)

"""`pulseweave doctor`: what is wrong with this board, from the plug to the mesh, and what to do about it.

Each step looks closer only where the one before leaves it open: the port, what is on the line, the node's console, the
prompt, the chip's ROM. Findings are (mark, what, remedy): "ok", "note" or "fault".
"""

import re
import sys
import time
from contextlib import suppress

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulseweave import boards, ports
from pulseweave.bench import deploy, esptool, provision, talk
from pulseweave.bench.release import build
from pulseweave.bench.repl import RESTARTS, Repl
from pulseweave.problem import Problem
from pulseweave.results import write_json

SAFE = 5  # crash boots in a row (device: weave/keep)
MARKS = {"ok": ("✓", "green"), "note": ("•", "yellow"), "fault": ("✗", "bold red")}


class Findings(list):
    """What was found, in order."""

    def add(self, mark: str, what: str, remedy: str = "") -> None:
        self.append((mark, what, remedy))


def on_the_line(port: str, baud: int, found: Findings) -> None:
    """Listen for a second without saying anything."""
    with ports.open_line(port, baud) as line:
        end, heard = time.monotonic() + 1.0, b""
        while time.monotonic() < end:
            try:
                heard += line.read(max(1, line.in_waiting))
            except OSError as e:
                raise Problem(ports.explain(port, e)) from None
    if not heard:
        found.add("ok", "the line is quiet")
    elif len(RESTARTS.findall(heard)) >= 2:
        found.add(
            "fault",
            "the board restarts over and over",
            "unplug the strand, try another supply; then flash and deploy",
        )
    elif (
        sum(b in (9, 10, 13) or 32 <= b < 127 for b in heard) < 0.6 * len(heard)
        and heard.count(0) < len(heard) / 60
    ):
        found.add(
            "fault",
            f"noise on the line ({len(heard)} bytes a second)",
            f"wrong speed? boards here talk at {ports.BAUD} baud",
        )
    else:
        found.add("ok", f"the board talks ({len(heard)} bytes a second)")


def node(said: dict, found: Findings) -> None:
    """What a running node says of itself."""
    found.add(
        "ok",
        f"node {said.get('node')} {said.get('name') or ''} runs for {said.get('up_s')} s".replace("  ", " "),
    )
    current = ""
    try:
        current = build(boards.load(str(said["board"]))).id
    except (Problem, KeyError):
        pass
    if not said.get("release"):
        found.add("note", "its firmware was not deployed from here", "pulseweave deploy")
    elif current and said["release"] != current:
        found.add(
            "note", f"release {said['release'][:8]}, here is {current[:8]}", "pulseweave deploy --outdated"
        )
    else:
        found.add("ok", f"release {said['release'][:8]} is current")
    if said.get("bad_boots"):
        found.add(
            "fault",
            f"{said['bad_boots']} crash boots in a row",
            "pulseweave crash shows why; five are safe mode",
        )
    for part, n in (said.get("faults") or {}).items():
        found.add("fault", f"part {part} failed {n} times since start", "pulseweave crash shows where")
    if said.get("sensor_faults"):
        found.add(
            "fault",
            f"a sensor does not work (bits {said['sensor_faults']})",
            "pulseweave selftest says which",
        )
    if said.get("radio_restarts", 0) > 2:
        found.add(
            "note",
            f"the radio was restarted {said['radio_restarts']} times",
            "too many nodes on one channel?",
        )
    if "neighbours" in said and not said["neighbours"]:
        found.add(
            "note",
            "it hears no other node",
            "same network file, same channel? `pulseweave provision` shows both",
        )
    elif said.get("neighbours"):
        found.add(
            "ok", f"hears {said['neighbours']} nodes, clock {'set' if said.get('synced') else 'not set yet'}"
        )
    if said.get("garbage", 0) > 20:
        found.add(
            "note", f"{said['garbage']} lines of garbage came in", "another program writes to this port"
        )
    if said.get("limited"):
        found.add(
            "note",
            "the power budget dims the strand",
            "`budget_ma` of board or `config` is the supply's share",
        )


def place(config: dict, found: Findings) -> None:
    """Where the strand hangs, of which a node knows only what it was told."""
    if not any(config.get(axis) for axis in "xyz"):
        found.add(
            "note",
            "it does not know its place in the room: waves pass it as if it hung at the origin",
            "pulseweave provision --at X,Y,Z (metres)",
        )


def prompt(port: str, baud: int, found: Findings) -> None:
    """No node answers: what is at the prompt, or in the ROM."""
    state: dict = {}
    try:
        with Repl(port, baud, patience=5) as repl:
            try:
                seen = deploy.look(repl)
                with suppress(Problem):  # no firmware of ours
                    state = provision.read(repl)
            finally:
                repl.restart()
    except Problem as e:
        found.add("fault", "no node and no prompt", str(e).removeprefix(f"{port}: "))
        rom = esptool.run(port, "read-mac", attempts=1)
        if rom.mac:
            found.add(
                "note", f"the chip itself answers: {rom.chip}, {rom.mac}", "pulseweave flash, then deploy"
            )
        return
    version = ".".join(map(str, seen.version))
    found.add("ok", f"MicroPython {version} on {seen.machine}")
    if tuple(seen.version[:2]) < deploy.OLDEST:
        found.add("fault", f"MicroPython {version} is too old", "pulseweave flash with a newer image")
    proven = seen.proven()
    if not proven and "main.py" not in seen.root:
        found.add("fault", "no firmware on it", "pulseweave deploy")
    elif seen.trial:
        tries = seen.trial.count(".")
        found.add(
            "note",
            f"version /{seen.trial[0]} is on trial, {tries} of 3 boots used",
            "it needs a minute of health",
        )
    elif state.get("bad", 0) >= SAFE:
        last = f", the last in {state['notes'][-1]['part']}" if state.get("notes") else ""
        found.add(
            "fault",
            f"safe mode: {state['bad']} crash boots in a row{last}",
            "pulseweave crash shows why; then deploy, or pull the plug: it tries once more",
        )
    else:
        found.add(
            "fault",
            "the firmware was stopped or is in safe mode",
            "it starts again now; if not, `pulseweave crash`",
        )
    if state:
        place(state["config"], found)
    if seen.free < 200 << 10:
        found.add("note", f"only {seen.free >> 10} KiB of flash are free", "remove what is not firmware")


def examine(port: str, baud: int = ports.BAUD) -> Findings:
    """All findings. A port that cannot be opened is a finding, too."""
    found = Findings()
    try:
        with ports.Claim(port, "doctor"):
            on_the_line(port, baud, found)
            found.insert(0, ("ok", f"{port} opens", ""))
            said = talk.ask(port, "status", baud)
            if isinstance(said, dict):
                node(said, found)
                config = talk.ask(port, "config", baud)
                if isinstance(config, dict):
                    place(config, found)
            else:
                prompt(port, baud, found)
    except Problem as e:
        what, _, remedy = str(e).removeprefix(f"{port}: ").partition(": ")
        found.add("fault", what, remedy)
    return found


@click.command()
@click.option("--port", metavar="P", help="The board's port. Default: the only one plugged in.")
@click.option("--node", "wanted", type=int, metavar="ID", help="A node's id: found on any port.")
@click.option("--baud", type=ports.SPEED, default=ports.BAUD, show_default=True, help="Speed of the line.")
@click.option("--json", "json_file", metavar="FILE", help="Write the findings as JSON (`-` = stdout).")
def doctor(port, wanted, baud, json_file):
    """Find out what is wrong with a board, from the plug to the mesh, and what to do.

    Example: pulseweave doctor --port /dev/ttyUSB0
    """
    from pulseweave.bench.nodes import where

    port, _ = where(port, wanted)
    if not port:
        raise Problem(f"node {wanted} is on no port here: plug it in, or give --port")
    found = examine(port, baud)
    write_json(
        json_file, {"port": port, "findings": [dict(zip(("mark", "what", "remedy"), f)) for f in found]}
    )
    if json_file != "-":
        table = Table(box=None, pad_edge=False, show_header=False)
        for mark, what, remedy in found:
            sign, colour = MARKS[mark]
            table.add_row(
                Text(sign, style=colour), Text(what), Text(re.sub(r"^(?=.)", "→ ", remedy), style="cyan")
            )
        Console(width=None if sys.stdout.isatty() else 140).print(table)
    if any(f[0] == "fault" for f in found):
        sys.exit(1)

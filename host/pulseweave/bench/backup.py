"""`pulseweave backup`, `pulseweave restore`: what a node is, in a file; and onto the board that takes its place.

The file holds settings, id, release, crash notes; no keys: those are in the network file. A restored board gets a
new epoch, so that the room believes it, and the broken one is retired in the ledger, so that its id is never in the
room twice.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import rich_click as click
from rich.console import Console

from pulseweave import ports
from pulseweave.bench import provision
from pulseweave.bench.ledger import Ledger, normal, warn
from pulseweave.bench.provisioning import provision_board
from pulseweave.bench.repl import Repl
from pulseweave.network import Network
from pulseweave.problem import Problem
from pulseweave.results import tell, write_json

FORMAT = 1


def load(path: Path) -> dict:
    """A backup. Raises Problem where it is none."""
    try:
        d = json.loads(path.read_text())
        if d["format"] != FORMAT or not isinstance(d["config"], dict):
            raise ValueError("no node's backup")
        node = d["config"]["node"]
        if type(node) is not int or not 1 <= node <= 65534:
            raise ValueError(f"node {node!r}, not 1 to 65534")
        if not isinstance(d["mac"], str):
            raise ValueError("no board's MAC in it")
        return d
    except OSError as e:
        raise Problem(f"{path}: cannot be read ({e.strerror}): give the file that `backup` wrote") from None
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise Problem(f"{path}: not a backup ({e}): give the file that `backup` wrote") from None


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--port", metavar="P", help="The board's port. Default: the only one plugged in.")
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
def backup(file, port, ledger, json_file):
    """Write what a node is (settings, id, crash notes; no keys) to FILE.

    Example: pulseweave backup fern.json --port /dev/ttyUSB0
    """
    port = ports.only(port)
    book = Ledger(ledger)
    warn(book)
    with ports.Claim(port, "backup"), Repl(port) as repl:
        try:
            state = provision.read(repl)
        finally:
            repl.restart()
    if not state["set_up"]:
        raise Problem(f"{port}: this board was never provisioned: there is nothing to keep")
    kept = {
        "format": FORMAT,
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "mac": normal(state["mac"]),
        **{k: state[k] for k in ("board", "release", "config", "boots", "notes")},
    }
    try:
        file.write_text(json.dumps(kept, indent=1) + "\n")
    except OSError as e:
        raise Problem(f"{file}: cannot be written ({e.strerror}): give another file") from None
    node = state["config"]["node"]
    book.add("backup", state["mac"], "ok", port=port, board=state["board"], node=node)
    text = f"{file}: node {node} {state['config']['name']}, {len(state['notes'])} crash notes"
    tell(json_file, {"file": str(file), "port": port, **kept}, text)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--network",
    "network_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The network file.",
)
@click.option("--port", metavar="P", help="The new board's port. Default: the only one plugged in.")
@click.option("--yes", is_flag=True, help="Do not ask before changing what is set.")
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
def restore(file, network_file, port, yes, ledger, json_file):
    """Make a board what FILE says; the board it replaces is retired.

    So its id is not there twice.

    Example: pulseweave restore fern.json --network hall.json --port /dev/ttyUSB1
    """
    kept = load(file)
    port = ports.only(port)
    network = Network.load(network_file)
    book = Ledger(ledger)
    warn(book)
    node = kept["config"]["node"]
    owner = book.owner(network.name, node)
    wanted = {k: v for k, v in kept["config"].items() if k != "node"}
    gateway = wanted.get("role") == "gateway"
    done = provision_board(
        port, network, network_file, book, node, wanted, Console(stderr=json_file == "-"),
        gateway=gateway, replace=kept["mac"], yes=yes,
    )  # fmt: skip
    retired = kept["mac"] if done["mac"] != kept["mac"] else None
    if retired:
        if not owner:  # the ledger did not know the old board: it does now
            book.add("retire", kept["mac"], "ok", why=f"node {node} went to {done['mac']}", node=node)
        click.echo(
            f"{kept['mac']} is retired: do not plug it in with its old keys; `provision` makes it another node",
            err=json_file == "-",
        )
    book.add(
        "restore", done["mac"], "ok", port=port, node=node, network=network.name, why=f"from {kept['mac']}"
    )
    write_json(json_file, {**done, "retired": retired})

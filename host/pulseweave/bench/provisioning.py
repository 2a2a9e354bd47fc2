"""`pulseweave provision`, `pulseweave labels`: give a board its place in a network, and a label."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulseweave import ports
from pulseweave.bench import labels as labelling
from pulseweave.bench import provision, selftest
from pulseweave.bench.labels import Label
from pulseweave.bench.ledger import Ledger, normal, warn
from pulseweave.bench.repl import Repl
from pulseweave.network import Network
from pulseweave.problem import Problem
from pulseweave.results import tell, write_json


def position(text: str | None) -> dict:
    """`1.5,2,0.8` in metres as the settings x, y, z in mm. Raises Problem."""
    if text is None:
        return {}
    try:
        parts = [round(float(p) * 1000) for p in text.split(",")]
        if len(parts) not in (2, 3) or any(abs(p) > 1_000_000 for p in parts):
            raise ValueError
    except (ValueError, OverflowError):  # inf is a number
        raise Problem(f"--at {text}: give metres as X,Y or X,Y,Z, such as 1.5,2,0.8") from None
    return dict(zip("xyz", [*parts, 0][:3]))


def settings(pairs: tuple[str, ...]) -> dict:
    """`KEY=VALUE` options as a dictionary. Raises Problem."""
    out = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark:
            raise Problem(f"--set {pair}: give KEY=VALUE, such as --set brightness=200")
        try:
            out[key] = int(value)
        except ValueError:
            out[key] = value
    return out


def difference(changes: list[tuple[str, str, str]]) -> Table:
    """What will change."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("setting", "now", "", "then"):
        table.add_column(head)
    for what, now, then in changes:
        table.add_row(
            Text(what), Text(now or "-", style="red" if now else "dim"), "→", Text(then, style="green")
        )
    return table


def same_question(changes, yes: bool, screen: Console) -> None:
    """Ask before something that was set is changed. Raises Problem where nobody can be asked about an id."""
    changed = [c for c in changes if c[1]]
    if yes or not changed:
        return
    if sys.stdin.isatty():
        click.confirm("write this?", default=True, abort=True, err=True)
    elif any(c[0] == "node" for c in changed):
        node = next(c for c in changed if c[0] == "node")
        raise Problem(
            f"this board is node {node[1]} already: to make it node {node[2]}, add --yes; nothing was written"
        )


@click.command("provision")
@click.option("--port", metavar="P", help="The board's port. Default: the only one plugged in.")
@click.option(
    "--network",
    "network_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The network file.",
)
@click.option(
    "--node", type=int, metavar="ID", help="Its id, 1-65534 (default: the one it has, or the next free one)."
)
@click.option("--name", help="What people call it, up to 24 bytes.")
@click.option("--at", metavar="X,Y,Z", help="Where it stands, in metres.")
@click.option("--cluster", type=int, help="Its cluster, 0-255.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting of `config`; may be repeated.",
)
@click.option("--gateway", is_flag=True, help="It may send commands to the room, and gathers.")
@click.option("--calibrate", is_flag=True, help="Measure the skin sensor now, with nobody touching it.")
@click.option("--test", is_flag=True, help="Self-test afterwards.")
@click.option("--replace", is_flag=True, help="Take the id from the board that had it.")
@click.option("--yes", is_flag=True, help="Do not ask before changing what is set.")
@click.option(
    "--label", type=click.Path(path_type=Path), metavar="FILE", help="Also write its label (.svg or .pdf)."
)
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
def command(
    port,
    network_file,
    node,
    name,
    at,
    cluster,
    pairs,
    gateway,
    calibrate,
    test,
    replace,
    yes,
    label,
    ledger,
    json_file,
):
    """Give a board its id, name, place and network keys; the difference is shown first.

    Example: pulseweave provision --port /dev/ttyUSB0 --network hall.json --node 12 --name fern --at 1.5,2,0.8
    """
    if label:
        labelling.check(label)
    port = ports.only(port)
    network = Network.load(network_file)
    book = Ledger(ledger)
    warn(book)
    wanted = {**settings(pairs), **position(at)}
    wanted |= {k: v for k, v in (("name", name), ("cluster", cluster)) if v is not None}
    screen = Console(stderr=json_file == "-")
    done = provision_board(
        port, network, network_file, book, node, wanted, screen,
        gateway=gateway, calibrate=calibrate, test=test, replace=replace, yes=yes,
    )  # fmt: skip
    write_json(json_file, done)  # first: it tells of the board, also where the label cannot be written
    if label:
        made = Label(done["node"], done["name"], network.name, done["board"] or "", done["mac"])
        labelling.write([made], label)
    if done["failed"]:
        raise Problem(f"{port}: self-test failed: {'; '.join(done['failed'])}", 1)


def provision_board(port, network, path, book, node, wanted, screen, *, gateway=False, calibrate=False, test=False,
                    replace: bool | str = False, yes=False) -> dict:  # fmt: skip
    """Provision the board on `port`; returns what it is now. `replace` as in `provision.claim`. Raises Problem."""
    with ports.Claim(port, "provision"), Repl(port) as repl:
        try:
            state = provision.read(repl)
            mac = state["mac"]
            own = provision.own(book, network, state) if node is None else node
            node = provision.free(book, network) if own is None else own
            provision.claim(book, network, mac, node, replace)
            if calibrate:
                wanted = {**wanted, "skin_cal": skin_level(repl)}
            plan = provision.plan(state, network, node, wanted, gateway)
            provision.fits(repl, plan)
            screen.print(Text.assemble((f"{port} ", "bold"), f"{normal(mac)} {state['board'] or ''}"))
            if plan.changes:
                screen.print(difference(plan.changes))
                same_question(plan.changes, yes, screen)
                with Network.held(path) as network:  # another bench may have given ids or made keys meanwhile
                    book.refresh()
                    node = provision.free(book, network) if own is None else own
                    loser = provision.claim(book, network, mac, node, replace)
                    shown, plan = plan.changes, provision.plan(state, network, node, wanted, gateway)
                    if plan.changes != shown:
                        screen.print(difference(plan.changes))
                    if loser:
                        book.add("retire", loser, "ok", why=f"node {node} went to {normal(mac)}", node=node)
                    # first: where the board vanishes now, the ledger knows whose this id is
                    book.add("provision", mac, "begun", board=state["board"], node=node, port=port,
                             network=network.name)  # fmt: skip
                    state = provision.carry_out(repl, plan, network, path)
            else:
                screen.print("nothing to change")
            tried = selftest.run(repl) if test else []
        finally:
            repl.restart()
    failed = [f"{v.part} {v.said}" for v in tried if not v.ok]
    config = state["config"]
    book.add("provision", mac, "ok" if plan.changes else "skipped", board=state["board"], node=node, port=port,
             network=network.name, name=config["name"], release=state["release"])  # fmt: skip
    if tried:
        book.add("selftest", mac, "failed" if failed else "ok", why="; ".join(failed), port=port)
        screen.print(selftest.sheet(tried, f"node {node} {config['name']}"))
    else:
        screen.print(Text.assemble(("✓", "green"), f" node {node} {config['name']} in {network.name}"))
    return {"mac": normal(mac), "node": node, "name": config["name"], "board": state["board"], "network": network.name,
            "changes": [c[0] for c in plan.changes], "config": config, "failed": failed}  # fmt: skip


def skin_level(repl: Repl) -> int:
    """The skin sensor's level with nobody touching it, 12-bit counts. Raises Problem where it cannot be that."""
    repl.run(selftest.body(selftest.SCRIPT), 30)
    said = repl.run("print(skin())").strip().splitlines()[-1]
    level = int(said) if said.isdigit() else 0
    if not 1024 <= level <= 4094:
        raise Problem(
            f"{repl.device_name}: the skin sensor reads {said}, not about 2048: nobody may touch it; check its wires"
        )
    return level


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--ledger", metavar="FILE", help="The ledger (default: ledger.jsonl here, or PULSEWEAVE_LEDGER)."
)
@click.option("--network", metavar="NAME|FILE", help="Only the boards of this network.")
@click.option("--node", "nodes", type=int, multiple=True, metavar="ID", help="Only this id; may be repeated.")
@click.option("--json", "json_file", metavar="FILE", help="Write what was done as JSON (`-` = stdout).")
def labels(out, ledger, network, nodes, json_file):
    """A sheet of QR labels (A4, 3 x 9) of all provisioned boards, as .svg or .pdf. No secret is on it.

    Example: pulseweave labels sheet.pdf --network hall
    """
    book = Ledger(ledger)
    warn(book)
    if network and os.path.isfile(network):  # as every other command is given it
        network = Network.load(network).name
    made = [
        Label(s["node"], s.get("name", ""), s.get("network", ""), s.get("board", ""), s["mac"])
        for s in book.boards().values()
        if "node" in s
        and "provision" in s["done"]
        and (not network or s.get("network") == network)
        and (not nodes or s["node"] in nodes)
    ]
    if not made:
        there = {s["network"] for s in book.boards().values() if "node" in s and "network" in s}
        which = f" (there is {', '.join(sorted(there))})" if there else ""
        raise Problem(
            f"{book.path}: no provisioned board there that fits{which}: `pulseweave provision` first"
        )
    made.sort(key=lambda m: m.node)
    labelling.write(made, out)
    tell(json_file, {"file": str(out), "labels": [asdict(m) for m in made]}, f"{out}: {len(made)} labels")

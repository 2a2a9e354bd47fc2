"""Provisioning: who a board is (id, name, position, network keys), shown as a difference, then written and read back.

In: the REPL of a board with the firmware, a network file, what is wanted. Out: the board's state. An id that another
board has is refused, because two nodes with one id spoil each other's frames; `replace` moves it on purpose. Keys
travel over the cable only and are never printed: of them the difference shows a hash.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pulseweave.bench.ledger import Ledger, normal
from pulseweave.bench.repl import BoardError, Repl
from pulseweave.bench.selftest import body
from pulseweave.network import Network
from pulseweave.problem import Problem

SCRIPT = Path(__file__).parent / "board" / "settle.py"


@dataclass
class Plan:
    """What is to be written: `changes` are (what, now, then) for people; `values`, `net`, `epoch` for the board."""

    node: int
    values: dict
    net: str | None
    admit: bool
    changes: list[tuple[str, str, str]]


def read(repl: Repl) -> dict:
    """The board's state (board/settle.py). Raises Problem where the firmware is not on it."""
    try:
        repl.run(body(SCRIPT))
    except BoardError as e:
        if "ImportError" in e.traceback:
            raise Problem(
                f"{repl.device_name}: no firmware on this board: `pulseweave deploy` it first"
            ) from None
        raise
    try:
        return json.loads(repl.run("state()"))
    except ValueError:
        raise Problem(f"{repl.device_name}: the board's answer cannot be read: run this again") from None


def hashed(blob: bytes) -> str:
    """What a board says of these keys."""
    return hashlib.sha256(blob).hexdigest()


def claim(book: Ledger, network: Network, mac: str, node: int, replace: bool | str) -> str | None:
    """The MAC that loses `node` to `mac`, None where it is free. Raises Problem where the id is another board's.

    `replace`: whether it may be taken from another; a MAC: from that one alone.
    """
    owner = book.owner(network.name, node)
    if owner == normal(mac):
        return None
    if owner and isinstance(replace, str) and owner != replace:
        raise Problem(
            f"node {node} belongs to board {owner} since this backup of {replace} was made: `provision` the board with a "
            f"new id, next free is {free(book, network)}, or with --node {node} --replace where that board is gone"
        )
    if owner and not replace:
        raise Problem(
            f"node id {node} belongs to board {owner} (ledger): give another --node, "
            f"next free is {free(book, network)}, or --replace where that board is gone"
        )
    if not owner and network.nodes.get(node) and not replace and not mine(book, mac, network, node):
        raise Problem(
            f"node id {node} was given before (network file), the ledger does not say to which board: give another "
            f"--node, next free is {free(book, network)}, or --replace where that board is gone"
        )
    return owner


def mine(book: Ledger, mac: str, network: Network, node: int) -> bool:
    """Whether this board had this id before."""
    return any(
        e["mac"] == normal(mac) and e.get("node") == node and e.get("network") == network.name
        for e in book.events
    )


def own(book: Ledger, network: Network, state: dict) -> int | None:
    """The id that the board has, or was being given when it vanished; None where it has none."""
    return (state["config"]["node"] if state["set_up"] else 0) or begun(book, network, state["mac"]) or None


def begun(book: Ledger, network: Network, mac: str) -> int:
    """The id that this board was being given when it vanished, 0 where there is none."""
    last = [e for e in book.events if e["mac"] == normal(mac) and e["what"] in ("provision", "retire")][-1:]
    return next((e["node"] for e in last if e["verdict"] == "begun" and e.get("network") == network.name), 0)


def free(book: Ledger, network: Network) -> int:
    """The lowest id nobody has."""
    taken = book.node_ids(network.name) | set(network.nodes)
    return next(i for i in range(1, 65535) if i not in taken)


def plan(state: dict, network: Network, node: int, wanted: dict, gateway: bool = False) -> Plan:
    """Compare what the board is with what it should be. `wanted`: fields of weave/keep/config.py."""
    if not 1 <= node <= 65534:
        raise Problem(f"--node {node}: use 1 to 65534")
    now = state["config"]
    values = {"node": node, **({"role": "gateway"} if gateway else {}), **wanted}
    unknown = [k for k in values if k not in now]
    if unknown:
        raise Problem(f"{unknown[0]}: no such setting: there are {', '.join(now)}")
    values = {
        k: str(v) if isinstance(now[k], str) else v for k, v in values.items()
    }  # a name may be a number
    blob = network.blob(gateway)
    fresh = not state["set_up"]
    changes = [
        (k, "" if fresh else str(now[k]), str(v)) for k, v in values.items() if fresh or str(now[k]) != str(v)
    ]
    keys = state["keys"]
    net = None
    if not keys or keys[0] != hashed(blob):
        net = blob.hex()
        before = f"network {keys[1]}, {keys[0][:8]}" if keys else ""
        changes.append(("keys", before, f"network {network.net} ({network.name}), {hashed(blob)[:8]}"))
    admit = fresh or now["node"] != node or not keys or keys[1] != network.net
    return Plan(
        node, {k: v for k, v in values.items() if fresh or str(now[k]) != str(v)}, net, admit, changes
    )


def fits(repl: Repl, plan: Plan) -> None:
    """Have the board's firmware judge the settings before anything is written. Raises Problem."""
    try:
        repl.run(f"fits({plan.values!r})")
    except BoardError as e:
        said = e.traceback.strip().splitlines()[-1]
        if "ValueError" not in said:
            raise
        raise Problem(
            f"{repl.device_name}: {said.partition(': ')[2]}: correct the setting; nothing was written"
        ) from None


def carry_out(repl: Repl, plan: Plan, network: Network, path: Path) -> dict:
    """Write the plan and read it back. The network file is saved before the board hears of it: a cut never makes an
    epoch be used twice. Raises Problem."""
    epoch = 0
    if plan.admit:
        epoch = network.admit(plan.node)
        network.save(path)
    try:
        repl.run(f"settle({plan.values!r},{plan.net!r},{epoch})")
    except BoardError as e:
        if e.is_errno(28):
            raise Problem(
                f"{repl.device_name}: the board's flash is full: remove what is not firmware, then run this again"
            ) from None
        raise
    state = json.loads(repl.run("state()"))
    wrong = [k for k, v in plan.values.items() if str(state["config"][k]) != str(v)]
    if wrong or (plan.net and state["keys"][0] != hashed(bytes.fromhex(plan.net))):
        what = wrong[0] if wrong else "keys"
        raise Problem(
            f"{repl.device_name}: {what} reads back differently: run this again; if it stays, flash again"
        )
    return state

"""`pulseweave network`: make a network file, look at it, rotate its keys. No command prints a key."""

import os
from pathlib import Path

import rich_click as click

from pulseweave.network import Network
from pulseweave.problem import Problem
from pulseweave.results import tell

NAME_MAX = 32  # bytes
FILE = click.argument("file", type=click.Path(path_type=Path))
JSON = click.option(
    "--json", "json_file", metavar="FILE", help="Write what is in it, without keys, as JSON (`-` = stdout)."
)


def content(file: Path, n: Network) -> dict:
    """A network file for --json: numbers of keys, never a key."""
    return {"file": str(file), "name": n.name, "network": n.net, "use": n.use,
            "keys": list(n.keys), "nodes": list(n.nodes)}  # fmt: skip


@click.group("network")
def command():
    """Make a network file and rotate its keys; it is the one secret of a room.

    Example: pulseweave network new hall.json --name hall
    """


@command.command()
@FILE
@click.option("--name", help="The network's name (default: the file's).")
@click.option(
    "--simulated",
    type=click.IntRange(0, 2**63 - 1),
    metavar="SEED",
    help="The keys of the simulated room with this seed: no secret.",
)
@JSON
def new(file, name, simulated, json_file):
    """Make a network with fresh keys, in a file that only you may read.

    Example: pulseweave network new hall.json --name hall
    """
    if os.path.lexists(file):
        raise Problem(f"{file}: exists already, and its keys may be in use: give another file")
    name = file.stem if name is None else name
    if not name.isprintable() or not 1 <= len(name.encode()) <= NAME_MAX:
        raise Problem(
            f"--name {name[:40]!a}: use 1 to {NAME_MAX} bytes that can be printed: it stands on every label"
        )
    network = Network.create(name)
    if simulated is not None:
        from pulseweave.sim.plan import keys

        blob = bytes.fromhex(keys(simulated, [])["node"])
        network = Network(name, blob[1], {blob[4]: blob[8:24]}, {blob[6]: blob[40:56]}, blob[2])
    network.save(file)
    text = f"{file}: network {network.net} ({network.name}); keep a copy where only you can read it"
    tell(json_file, content(file, network), text)


@command.command()
@FILE
@JSON
def show(file, json_file):
    """What is in a network file, without its keys.

    Example: pulseweave network show hall.json
    """
    n = Network.load(file)
    tell(
        json_file,
        content(file, n),
        f"{n.name}: network {n.net}, key {n.use} in use of {', '.join(map(str, n.keys))}, {len(n.nodes)} nodes",
    )


def step(name: str, text: str, said: str):
    """One step of a rotation as a subcommand."""

    def run(file, json_file):
        with Network.held(file) as n:
            getattr(n, name)()
            n.save(file)
        tell(json_file, content(file, n), said)

    run.__doc__ = f"{text}\n\n    Example: pulseweave network {name} hall.json"
    command.command(name)(FILE(JSON(run)))


step("rotate", "Make the next key beside the one in use.", "now provision every node, then `promote`")
step(
    "promote",
    "Send with the next key from now on.",
    "now provision one node: it takes the room along; then `retire`",
)
step("retire", "Forget the old key.", "now provision every node once more")

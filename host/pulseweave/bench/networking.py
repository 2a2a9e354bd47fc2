"""`pulseweave network`: make a network file, look at it, rotate its keys. No command prints a key."""

from pathlib import Path

import rich_click as click

from pulseweave.network import Network
from pulseweave.problem import Problem

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("network")
def command():
    """Make a network file and rotate its keys; it is the one secret of a room.

    Example: pulseweave network new hall.json --name hall
    """


@command.command()
@FILE
@click.option("--name", help="The network's name (default: the file's).")
@click.option(
    "--simulated", type=int, metavar="SEED", help="The keys of the simulated room with this seed: no secret."
)
def new(file, name, simulated):
    """Make a network with fresh keys, in a file that only you may read.

    Example: pulseweave network new hall.json --name hall
    """
    if file.exists():
        raise Problem(f"{file}: exists already, and its keys may be in use: give another file")
    network = Network.create(name or file.stem)
    if simulated is not None:
        from pulseweave.sim.plan import keys

        blob = bytes.fromhex(keys(simulated, [])["node"])
        network = Network(name or file.stem, blob[1], {blob[4]: blob[8:24]}, {blob[6]: blob[40:56]}, blob[2])
    try:
        network.save(file)
    except OSError as e:
        raise Problem(f"{file}: cannot be written ({e.strerror}): give another file") from None
    click.echo(f"{file}: network {network.net} ({network.name}); keep a copy where only you can read it")


@command.command()
@FILE
def show(file):
    """What is in a network file, without its keys.

    Example: pulseweave network show hall.json
    """
    n = Network.load(file)
    click.echo(
        f"{n.name}: network {n.net}, key {n.use} in use of {', '.join(map(str, n.keys))}, {len(n.nodes)} nodes"
    )


def step(name: str, text: str, said: str):
    """One step of a rotation as a subcommand."""

    def run(file):
        n = Network.load(file)
        getattr(n, name)()
        n.save(file)
        click.echo(said)

    run.__doc__ = f"{text}\n\n    Example: pulseweave network {name} hall.json"
    command.command(name)(FILE(run))


step("rotate", "Make the next key beside the one in use.", "now provision every node, then `promote`")
step(
    "promote",
    "Send with the next key from now on.",
    "now provision one node: it takes the room along; then `retire`",
)
step("retire", "Forget the old key.", "now provision every node once more")

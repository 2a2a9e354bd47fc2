"""What provisioning leaves on a new board: configuration through the firmware's own Keep, keys in NVS."""

from binascii import unhexlify


def provision(board, network):
    """`board.settings` (fields of weave/keep/config.py) and the node's key blob (hex) onto the board's flash."""
    from weave.keep.config import Config

    config = Config(board.fs)
    for name, value in board.settings.items():
        config.set(name, value)
    config.save()
    node = board.settings["node"]
    blob = network["gateway"] if node in network["gateways"] else network["node"]
    # the first provisioning of a node starts its epochs here (pulseweave.network.Network.admit)
    board.nvs["weave"] = {"net": unhexlify(blob), "epoch": 1 << 16}

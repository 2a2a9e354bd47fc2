"""The keys of a node, from one NVS blob that the host wrote over USB.

Blob "net", 72 bytes: 0 format (1) | 1 net | 2 id of the key to send with | 3 flags (1: may command) | 4, 5 ids of two
network
keys (0 = empty) | 6, 7 ids of two command keys | 8 network key | 24 network key | 40 command key | 56 command key.
Two of each, so that keys are rotated without a silent moment: the old and the next are both accepted.
"""

from micropython import const

from .seal import Cmac, Pool, Seal, derive

_SIZE = const(72)
_FORMAT = const(1)


class Keys:
    """`seals`, `commands`: {key id: Seal}, {key id: Cmac}; `use`, `command`: the ids to send with (command 0: it may not).

    Raises ValueError for a damaged blob.
    """

    def __init__(self, blob):
        if len(blob) < _SIZE or blob[0] != _FORMAT or not blob[2] or blob[2] not in (blob[4], blob[5]):
            raise ValueError("network keys are missing or damaged: provision the node")
        self.net = blob[1]
        self.use = blob[2]
        self.next = blob[5]
        self.command = (blob[7] or blob[6]) if blob[3] & 1 else 0
        self.pool = Pool()
        self.seals = {}
        self.commands = {}
        for k in range(4):
            id = blob[4 + k]
            if id:
                key = blob[8 + 16 * k : 24 + 16 * k]
                if k < 2:
                    self.seals[id] = Seal(key, self.pool)
                else:
                    self.commands[id] = Cmac(derive(key, b"pulseweave cmd"))


def load(nvs):
    """The Keys in NVS, or None where the node was never provisioned (or its blob is damaged)."""
    blob = bytearray(_SIZE)
    try:
        return Keys(blob) if nvs.get_blob("net", blob) == _SIZE else None
    except ValueError:
        return None

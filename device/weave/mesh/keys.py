"""The keys of a node, from one NVS blob that the host wrote over USB.

Blob "net", 72 bytes: 0 format (1) | 1 net | 2 id of the key to send with | 3 flags (1: may command) | 4, 5 ids of two
network
keys (0 = empty) | 6, 7 ids of two command keys | 8 network key | 24 network key | 40 command key | 56 command key.
Two of each, so that keys are rotated without a silent moment: the old and the next are both accepted.
"""

from micropython import const

from .cmac import Cmac
from .seal import Pool, Seal, derive

SIZE = 72
_FORMAT = const(1)


class Keys:
    """`seal(id)`, `command(id)`: the cipher of a key id, or None. Raises ValueError for a damaged blob."""

    def __init__(self, blob):
        if len(blob) < SIZE or blob[0] != _FORMAT or not blob[2] or blob[2] not in (blob[4], blob[5]):
            raise ValueError("network keys are missing or damaged: provision the node")
        self.net = blob[1]
        self.use = blob[2]
        self.may_command = blob[3] & 1
        self.pool = Pool()
        self._ids = bytes(blob[4:8])
        self._ciphers = ciphers = [None] * 4
        for k in range(4):
            if blob[4 + k]:
                key = bytes(blob[8 + 16 * k : 24 + 16 * k])
                ciphers[k] = Seal(key, self.pool) if k < 2 else Cmac(derive(key, b"pulseweave cmd"))

    def _find(self, id, k):
        ids = self._ids
        if id and id == ids[k]:
            return self._ciphers[k]
        if id and id == ids[k + 1]:
            return self._ciphers[k + 1]
        return None

    def seal(self, id):
        """The Seal of network key `id`, None where it is unknown."""
        return self._find(id, 0)

    def command(self, id):
        """The Cmac of command key `id`, None where it is unknown."""
        return self._find(id, 2)

    def command_id(self):
        """The id of the newest command key, 0 where there is none."""
        return self._ids[3] or self._ids[2]

    def heard(self, id):
        """A frame under `id` was opened: a network that moved on to the next key takes this node along."""
        if id != self.use and id == self._ids[1]:
            self.use = id


def load(nvs):
    """The Keys in NVS, or None where the node was never provisioned (or its blob is damaged)."""
    blob = bytearray(SIZE)
    if nvs.get_blob("net", blob) != SIZE:
        return None
    try:
        return Keys(blob)
    except ValueError:
        return None

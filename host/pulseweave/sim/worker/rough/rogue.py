"""A member of the network that does what it may not: its frames are sealed, its commands are not."""

from struct import pack_into

from kinds import POLICY
from weave.mesh.seal import Keys

ORIGIN = 4000


class Rogue:
    """Makes frames under the network key of `blob` (see weave/mesh/seal.py)."""

    def __init__(self, blob):
        self.keys = Keys(blob)
        self.command = blob[7] or blob[6]  # the id is no secret
        self.seq = 0
        self.counter = 100

    def policy(self, mesh_ms):
        """The sealed frame of a policy that switches damping off, its command tag a guess."""
        pool = self.keys.pool
        b, w = pool.plain, pool.work
        self.seq += 1
        self.counter += 1
        for k in range(32):
            b[k] = k * 37 & 255
        pack_into(">IBBBBHHB", b, 0, mesh_ms, 1, 1, POLICY, 8, self.counter, 0xFFFF, 255)
        b[16:24] = bytes((1, 1, 4, 0, 1, 236, 64, 0))  # version, damping off: weave/damp/README.md
        pack_into(">BBBBHIIBB", w, 0, 0x51, self.keys.net, 2, 15, ORIGIN, 9, self.seq, self.keys.use, 2)
        self.keys.seals[self.keys.use].close(2)
        return bytes(pool.frame[2])

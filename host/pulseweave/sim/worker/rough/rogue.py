"""A member of the network that does what it may not: its frames are sealed, its commands are not."""

from weave.mesh.frame import POLICY, put16, put30
from weave.mesh.keys import Keys

ORIGIN = 4000


class Rogue:
    """Makes frames under the network key of `blob` (see weave/mesh/keys.py)."""

    def __init__(self, blob):
        self.keys = Keys(blob)
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
        put30(b, 0, mesh_ms)
        b[4] = 1
        b[5] = self.keys.command_id()
        b[6] = POLICY
        b[7] = 8
        put16(b, 8, self.counter)
        put16(b, 10, 0xFFFF)
        b[12] = 255
        b[16:24] = bytes((1, 1, 4, 0, 1, 236, 64, 0))  # version, damping off: weave/damp/README.md
        w[0] = 0x51
        w[1] = self.keys.net
        w[2] = 2
        w[3] = 15
        put16(w, 4, ORIGIN)
        put30(w, 6, 9)
        put30(w, 10, self.seq)
        w[14] = self.keys.use
        w[15] = 2
        self.keys.seal(self.keys.use).close(2)
        return bytes(pool.frame[2])

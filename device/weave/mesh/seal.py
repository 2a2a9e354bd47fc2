"""The sealed frame: who may speak, and what nobody else may read.

In: a 16-byte key. A frame is header (16) | payload (16 p, p = 1..14) | tag (8). The tag is AES-CMAC (RFC 4493) over
header and encrypted payload with ttl = 0, cut to its first 8 bytes. The payload is AES-128-CBC whose IV is the first
chaining value of the
tag's CMAC: AES(K_mac, header), a secret function of a header that never repeats. CBC, because stock ESP32 builds have
ECB and
CBC but no CTR, and because a nonce used twice (a flash that forgot its epoch) then costs far less than a repeated key
stream.
Both keys come from the network key: K_mac = CMAC(key, "pulseweave mac"), K_enc = CMAC(key, "pulseweave enc").
"""

import cryptolib
from micropython import const

from .cmac import Cmac

try:
    from .fold_viper import fold
except Exception:  # no machine code on this port
    from .fold import fold

_CBC = const(2)
_TTL = const(3)


def derive(key, label):
    """16 bytes out of a key and a label."""
    c = Cmac(key)
    c.sign(label, 0, len(label))
    return bytes(c.tag)


class Seal:
    """Opens and closes frames under one network key. `pool` lends the shared buffers and views."""

    def __init__(self, key, pool):
        self._mac = Cmac(derive(key, b"pulseweave mac"))
        enc = derive(key, b"pulseweave enc")
        self._enc = cryptolib.aes(enc, _CBC, bytes(16))
        self._dec = cryptolib.aes(enc, _CBC, bytes(16))
        self._last = bytearray(16)  # chaining value of _enc
        self._iv = bytearray(16)
        self._block = bytearray(16)
        self._plain = pool.plain
        self._chain = pool.plain_at
        self._work = pool.work
        self._work_at = pool.work_at

    def _head(self, frame):
        """Start the chain with the header; its first value is the IV."""
        block = self._block
        tag = self._mac.tag
        fold(block, frame, 0, tag, 16)
        block[_TTL] = tag[_TTL]  # ttl changes on the way: it counts as 0
        self._mac.cbc.encrypt(block, self._iv)

    def _tail(self, frame, at, p):
        """Run the chain over p encrypted blocks; clobbers the plain buffer."""
        cbc = self._mac.cbc
        if p > 1:
            cbc.encrypt(at[p - 1], self._chain[p - 1])
        fold(self._block, frame, p << 4, self._mac.k1, 16)
        cbc.encrypt(self._block, self._mac.tag)

    def open(self, frame, at, p):
        """True where the tag of a frame of p payload blocks holds; the payload then stands in pool.plain.

        `at[k]` is a view of the frame's first k payload blocks.
        """
        self._head(frame)
        self._tail(frame, at, p)
        if fold(self._block, frame, 16 + (p << 4), self._mac.tag, 8):
            return False
        self._dec.decrypt(self._iv, self._block)  # its chaining value is now the IV
        self._dec.decrypt(at[p], self._chain[p])
        return True

    def close(self, p):
        """Header in pool.work, p blocks of payload in pool.plain: makes pool.work the sealed frame."""
        work = self._work
        self._head(work)
        plain = self._plain
        last = self._last
        fold(plain, plain, 0, self._iv, 16)
        fold(plain, plain, 0, last, 16)
        self._enc.encrypt(self._chain[p], self._work_at[p])
        o = p << 4
        for k in range(16):
            last[k] = work[o + k]
        self._tail(work, self._work_at, p)
        tag = self._mac.tag
        o += 16
        for k in range(8):
            work[o + k] = tag[k]


class Pool:
    """The two frame buffers of a node and their views, made once: index = number of payload blocks."""

    def __init__(self, blocks=14):
        self.work = bytearray(24 + 16 * blocks)  # the frame being sealed
        self.plain = bytearray(16 * blocks)  # the payload before sealing, after opening
        work = memoryview(self.work)
        plain = memoryview(self.plain)
        self.work_at = [work[16 : 16 + 16 * p] for p in range(blocks + 1)]
        self.plain_at = [plain[: 16 * p] for p in range(blocks + 1)]
        self.frame = [work[: 24 + 16 * p] for p in range(blocks + 1)]

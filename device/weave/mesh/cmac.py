"""AES-CMAC (RFC 4493) without allocation, for messages of any length.

In: a 16-byte key; bytes of a buffer. Out: the 16-byte tag in `tag`. The chain runs inside one
`cryptolib.aes` object in CBC mode, whose chaining value survives between calls: folding the last value
(`tag`) into a message's first block starts a new chain. One C call per run of blocks, not one per block.
Two objects of this class must not share a cipher object.
"""

import cryptolib
from micropython import const

_CBC = const(2)


class Pick:
    """Gives back what stands between the brackets: ALL below is a slice made once, so that
    `view[ALL] = view` copies without allocating."""

    def __getitem__(self, key):
        return key


ALL = Pick()[:]


def double(block):
    """The block times x in GF(2^128), RFC 4493 section 2.3 (at build time only)."""
    out = bytearray(16)
    carry = 0
    for k in range(15, -1, -1):
        v = (block[k] << 1) | carry
        out[k] = v & 255
        carry = v >> 8
    if carry:
        out[15] ^= 0x87
    return out


class Cmac:
    """Tags under one key."""

    def __init__(self, key):
        self.cbc = cryptolib.aes(key, _CBC, bytes(16))
        self.tag = bytearray(16)
        self._block = bytearray(16)
        self.cbc.encrypt(self.tag, self.tag)  # L = AES(0); the chain now stands at L = tag
        self.k1 = double(self.tag)
        self._k2 = double(self.k1)

    def sign(self, buf, start, n):
        """Tag of buf[start:start+n] into `tag`, byte by byte: for short and rare messages."""
        tag = self.tag
        block = self._block
        cbc = self.cbc
        for k in range(16):
            block[k] = tag[k]  # cancels the last chaining value
        at = 0  # bytes in the block
        for i in range(start, start + n):
            if at == 16:
                cbc.encrypt(block, tag)
                for k in range(16):
                    block[k] = 0
                at = 0
            block[at] ^= buf[i]
            at += 1
        key = self.k1
        if at < 16:
            block[at] ^= 0x80
            key = self._k2
        for k in range(16):
            block[k] ^= key[k]
        cbc.encrypt(block, tag)

"""The sealed frame: who may speak, and what nobody else may read.

In: a 16-byte key. A frame is header (16) | payload (16 p, p = 1..14) | tag (8). The tag is AES-CMAC (RFC 4493) over
header and encrypted payload with ttl = 0, cut to its first 8 bytes. The payload is AES-128-CBC whose IV is the first
chaining value of the
tag's CMAC: AES(K_mac, header), a secret function of a header that never repeats. CBC, because stock ESP32 builds have
ECB and
CBC but no CTR, and because a nonce used twice (a flash that forgot its epoch) then costs far less than a repeated key
stream.
Both keys come from the network key: K_mac = CMAC(key, "pulseweave mac"), K_enc = CMAC(key, "pulseweave enc").

A node's keys come from one NVS blob that the host wrote over USB: "net", 72 bytes: 0 format (1) | 1 net | 2 id of the key
to send with | 3 flags (1: may command) | 4, 5 ids of two network keys (0 = empty) | 6, 7 ids of two command keys |
8 network key | 24 network key | 40 command key | 56 command key.
Two of each, so that keys are rotated without a silent moment: the old and the next are both accepted.
"""

import cryptolib

from .frame import fold

_CBC = const(2)
_TTL = const(3)
_SIZE = const(72)  # of the keys' blob
_FORMAT = const(1)
ZERO = bytes(16)


def double(block):
    """The block times x in GF(2^128), RFC 4493 section 2.3 (at build time only)."""
    x = int.from_bytes(block, "big") << 1
    if x >> 128:
        x ^= 0x87
    return x.to_bytes(17, "big")[1:]


class Cmac:
    """Tags under one key."""

    def __init__(self, key):
        self.cbc = cryptolib.aes(key, _CBC, bytes(16))
        self.tag = tag = bytearray(16)
        self.cbc.encrypt(tag, tag)  # L = AES(0); the chain now stands at L = tag
        self.k1 = double(tag)
        self._k2 = double(self.k1)

    def sign(self, buf, start, n):
        """Tag of buf[start:start+n] into `tag`, byte by byte: for short and rare messages."""
        tag = self.tag  # the last chaining value: it cancels itself out of the first block
        cbc = self.cbc
        at = 0  # bytes in the block
        for i in range(start, start + n):
            if at == 16:
                cbc.encrypt(tag, tag)
                fold(tag, tag, 0, tag, 16)
                at = 0
            tag[at] ^= buf[i]
            at += 1
        key = self.k1
        if at < 16:
            tag[at] ^= 0x80
            key = self._k2
        fold(tag, tag, 0, key, 16)
        cbc.encrypt(tag, tag)


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
        self._pool = pool

    def _head(self, frame) -> None:
        """Start the chain with the header; its first value is the IV."""
        block = self._block
        tag = self._mac.tag
        fold(block, frame, 0, tag, 16)
        block[_TTL] = tag[_TTL]  # ttl changes on the way: it counts as 0
        self._mac.cbc.encrypt(block, self._iv)

    def _tail(self, frame: ptr8, at, p: int) -> None:
        """Run the chain over p encrypted blocks; clobbers the plain buffer."""
        cbc = self._mac.cbc
        if p > 1:
            cbc.encrypt(at[p - 1], self._pool.plain_at[p - 1])
        fold(self._block, frame, p << 4, self._mac.k1, 16)
        cbc.encrypt(self._block, self._mac.tag)

    def open(self, frame: ptr8, at, p: int) -> bool:
        """True where the tag of a frame of p payload blocks holds; the payload then stands in pool.plain.

        `at[k]` is a view of the frame's first k payload blocks.
        """
        self._head(frame)
        self._tail(frame, at, p)
        if fold(self._block, frame, 16 + (p << 4), self._mac.tag, 8):
            return False
        self._dec.decrypt(self._iv, self._block)  # its chaining value is now the IV
        self._dec.decrypt(at[p], self._pool.plain_at[p])
        return True

    def close(self, p):
        """Header in pool.work, p blocks of payload in pool.plain: makes pool.work the sealed frame."""
        pool = self._pool
        work = pool.work
        plain = pool.plain
        last = self._last
        self._head(work)
        fold(plain, plain, 0, self._iv, 16)
        fold(plain, plain, 0, last, 16)
        self._enc.encrypt(pool.plain_at[p], pool.work_at[p])
        o = p << 4
        fold(last, work, o, ZERO, 16)
        self._tail(work, pool.work_at, p)
        for k in range(8):
            work[o + 16 + k] = self._mac.tag[k]


def views(buf, start, end):
    """Views of buf[start : end + 16 p] for p = 0..14, made once."""
    view = memoryview(buf)
    return [view[start : end + 16 * p] for p in range(15)]


class Pool:
    """The two frame buffers of a node and their views: index = number of payload blocks."""

    def __init__(self):
        self.work = bytearray(248)  # the frame being sealed
        self.plain = bytearray(224)  # the payload before sealing, after opening
        self.work_at = views(self.work, 16, 16)
        self.plain_at = views(self.plain, 0, 0)
        self.frame = views(self.work, 0, 24)


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

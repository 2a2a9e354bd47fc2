"""AES-128 for MicroPython ports without `cryptolib` (the wasm port): the same class, pure Python, no allocation per call.

aes(key, mode[, iv]) with mode 1 (ECB) or 2 (CBC; the chaining value survives between calls, as in the C module);
encrypt(data, out) and decrypt(data, out) for buffers of a multiple of 16 bytes, in place allowed. FIPS 197.
An object encrypts or decrypts, never both. Slow and not constant in time: for tests and simulation, never on a board.
"""


def _tables():
    """S-box, its inverse, and products by 2, computed from the field GF(2^8)."""
    box = bytearray(256)
    inverse = bytearray(256)
    p = q = 1
    while True:  # p runs through the field by 3, q by 1/3
        p = (p ^ (p << 1) ^ (0x11B if p & 0x80 else 0)) & 255
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 255
        if q & 0x80:
            q ^= 9
        x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = (x ^ 0x63) & 255
        if p == 1:
            break
    box[0] = 0x63
    for k in range(256):
        inverse[box[k]] = k
    twice = bytearray((k << 1 ^ (0x1B if k & 0x80 else 0)) & 255 for k in range(256))
    return bytes(box), bytes(inverse), bytes(twice)


_BOX, _INVERSE, _TWICE = _tables()
_S, _T = bytearray(16), bytearray(16)  # one block at a time, whoever calls
_SHIFT = bytes((k * 5) & 15 for k in range(16))  # where byte k of ShiftRows comes from
_BACK = bytes((k * 13) & 15 for k in range(16))


class aes:
    """One key in one direction."""

    def __init__(self, key, mode, iv=None):
        if mode not in (1, 2):
            raise ValueError("mode")
        if len(key) != 16 or (mode == 2 and (iv is None or len(iv) != 16)):
            raise ValueError("key")
        w = bytearray(176)
        for k in range(16):
            w[k] = key[k]
        rcon = 1
        for i in range(16, 176, 4):
            a, b, c, d = w[i - 4], w[i - 3], w[i - 2], w[i - 1]
            if i % 16 == 0:
                a, b, c, d = _BOX[b] ^ rcon, _BOX[c], _BOX[d], _BOX[a]
                rcon = _TWICE[rcon]
            w[i] = w[i - 16] ^ a
            w[i + 1] = w[i - 15] ^ b
            w[i + 2] = w[i - 14] ^ c
            w[i + 3] = w[i - 13] ^ d
        self._keys = w
        self._iv = bytearray(iv) if mode == 2 else None
        self._way = 0

    def _turn(self, way, data, out):
        if self._way == -way:
            raise ValueError("can't encrypt & decrypt")
        self._way = way
        if len(data) & 15 or len(out) < len(data):
            raise ValueError("blksize % 16")

    def encrypt(self, data, out):
        """data encrypted into out."""
        self._turn(1, data, out)
        s = _S
        iv = self._iv
        for o in range(0, len(data), 16):
            if iv:
                for k in range(16):
                    s[k] = data[o + k] ^ iv[k]
            else:
                for k in range(16):
                    s[k] = data[o + k]
            self._forward()
            for k in range(16):
                out[o + k] = s[k]
            if iv:
                for k in range(16):
                    iv[k] = s[k]

    def decrypt(self, data, out):
        """data decrypted into out."""
        self._turn(-1, data, out)
        s = _S
        iv = self._iv
        for o in range(0, len(data), 16):
            for k in range(16):
                s[k] = data[o + k]
            self._backward()
            for k in range(16):
                v = s[k]
                if iv:
                    v ^= iv[k]
                    iv[k] = data[o + k]  # before out: they may be one buffer
                out[o + k] = v

    def _forward(self):
        s = _S
        t = _T
        w = self._keys
        for k in range(16):
            s[k] ^= w[k]
        for r in range(16, 176, 16):
            for k in range(16):
                t[k] = _BOX[s[_SHIFT[k]]]
            if r == 160:
                for k in range(16):
                    s[k] = t[k] ^ w[r + k]
                return
            for k in range(0, 16, 4):
                a = t[k]
                b = t[k + 1]
                c = t[k + 2]
                d = t[k + 3]
                e = a ^ b ^ c ^ d
                s[k] = a ^ e ^ _TWICE[a ^ b] ^ w[r + k]
                s[k + 1] = b ^ e ^ _TWICE[b ^ c] ^ w[r + k + 1]
                s[k + 2] = c ^ e ^ _TWICE[c ^ d] ^ w[r + k + 2]
                s[k + 3] = d ^ e ^ _TWICE[d ^ a] ^ w[r + k + 3]

    def _backward(self):
        s = _S
        t = _T
        w = self._keys
        for k in range(16):
            s[k] ^= w[160 + k]
        for r in range(144, -1, -16):
            for k in range(16):
                t[k] = _INVERSE[s[_BACK[k]]] ^ w[r + k]
            if r == 0:
                for k in range(16):
                    s[k] = t[k]
                return
            for k in range(0, 16, 4):
                a = t[k]
                b = t[k + 1]
                c = t[k + 2]
                d = t[k + 3]
                e = a ^ b ^ c ^ d
                u = _TWICE[_TWICE[a ^ c]]
                v = _TWICE[_TWICE[b ^ d]]
                f = e ^ _TWICE[u ^ v]
                s[k] = a ^ f ^ _TWICE[a ^ b] ^ u
                s[k + 1] = b ^ f ^ _TWICE[b ^ c] ^ v
                s[k + 2] = c ^ f ^ _TWICE[c ^ d] ^ u
                s[k + 3] = d ^ f ^ _TWICE[d ^ a] ^ v

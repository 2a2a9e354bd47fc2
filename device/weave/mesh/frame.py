"""Layout of the frame header, the byte order (big-endian), 30-bit time; see README.md for the whole specification.

0 version 1 | 1 net | 2 type | 3 ttl | 4 origin 2 | 6 epoch 4 | 10 seq 4 | 14 key id | 15 payload blocks p | 16
payload 16 p | tag 8
Also the exclusive or of blocks, the inner loop of the seal, in machine code: 16 bytes in about 55 us of an ESP32, 300 in
bytecode. Its callers see to the lengths: nothing is checked.
"""

import micropython


@micropython.viper
def fold(out: ptr8, a: ptr8, o: int, b: ptr8, n: int) -> int:
    """out[k] = a[o + k] ^ b[k] for n bytes; 0 where all were equal. No early exit: the time tells nothing."""
    d = 0
    while n:
        n -= 1
        x = a[o + n] ^ b[n]
        out[n] = x
        d |= x
    return d


def get16(b: ptr8, o: int) -> int:
    """Unsigned 16-bit number at b[o]."""
    return b[o] << 8 | b[o + 1]


def get30(b: ptr8, o: int) -> int:
    """Unsigned 30-bit number at b[o:o+4]; the top two bits are ignored, so that it is a small int anywhere."""
    return (b[o] & 63) << 24 | b[o + 1] << 16 | b[o + 2] << 8 | b[o + 3]


def later(t: int, ms: int) -> int:
    """A 30-bit ms counter plus |ms| < 2**29, never beyond 31 bits on the way."""
    return ((t ^ 0x20000000) - 0x20000000 + ms) & 0x3FFFFFFF


def diff(a: int, b: int) -> int:
    """a - b for 30-bit ms counters, -2**29 .. 2**29-1."""
    return (((a - b) & 0x3FFFFFFF) ^ 0x20000000) - 0x20000000

"""Logarithm and logistic function in integers.

Both stand on 2**f = 1 + f - 0.343 f (1 - f) for 0 <= f < 1, or on its inverse.
"""

_C0 = const(900)
_C1 = const(493)
_C2 = const(170)
_BEND = const(351)  # 0.343, Q10
_OCTAVE = const(1477)  # 1 / ln 2, Q10
_MOST = const(12287)  # 12 octaves: 2**12 * 2048 < 2**23


def log2_q10(v):
    """1024*log2(v) for an integer 1 <= v < 2**24, error < 2: log2(1+f) = f + f (1-f) (C0 - C1 f + C2 f f), in Q11."""
    n = 10
    while v >= 4096:
        v >>= 1
        n += 1
    while v < 2048:
        v <<= 1
        n -= 1
    f = v - 2048
    g = (f * (2048 - f)) >> 11
    return ((n + 1) << 10) + ((f + ((g * (_C0 - ((_C1 - (_C2 * f >> 11)) * f >> 11))) >> 11) + 1) >> 1)


def logistic(z):
    """4096 / (1 + exp(-z)): z Q10 within +-2**19, result Q12, error < 5."""
    a = min(abs(z) * _OCTAVE >> 10, _MOST)
    f = a & 1023
    a = 0x400000 // (1024 + (1024 + f - (f * (1024 - f) * _BEND >> 20) << (a >> 10)))
    return 4096 - a if z >= 0 else a

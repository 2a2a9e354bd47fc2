"""Exclusive or of blocks, the inner loop of the seal, in bytecode: what runs where there is no viper (fold_viper.py)."""


def fold(out, a, o, b):
    """out[k] = a[o + k] ^ b[k] for 16 bytes."""
    for k in range(16):
        out[k] = a[o + k] ^ b[k]


def differs(a, o, b):
    """0 where a[o:o+8] equals b[0:8]; no early exit: the time tells nothing."""
    d = 0
    for k in range(8):
        d |= a[o + k] ^ b[k]
    return d

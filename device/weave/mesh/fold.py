"""Exclusive or of blocks, the inner loop of the seal, in bytecode: what runs where there is no viper (fold_viper.py)."""


def fold(out, a, o, b, n):
    """out[k] = a[o + k] ^ b[k] for n bytes; 0 where all were equal. No early exit: the time tells nothing."""
    d = 0
    for k in range(n):
        x = a[o + k] ^ b[k]
        out[k] = x
        d |= x
    return d

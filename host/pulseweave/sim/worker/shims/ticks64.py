"""Tick arithmetic modulo 2**30 for the 64-bit unix port, whose own would wrap at 2**62."""

import micropython


@micropython.viper
def ticks_diff(a: int, b: int) -> int:
    return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000


@micropython.viper
def ticks_add(a: int, b: int) -> int:
    return (a + b) & 0x3FFFFFFF

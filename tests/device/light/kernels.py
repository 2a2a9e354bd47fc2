"""One kernel, compiled twice: kernels.py FOLDER, where FOLDER/light_plain.py is its text without viper. Prints `same N`."""

import sys

sys.path.insert(0, sys.argv[1])

import light_plain as plain
from frame import Frame
from weave.light import kernel as viper

MOST = (
    0, 0, 65535, 65535, 65535, 65535, 2000, 2000, 80, 8192, 8192, 300000, 10000, 16384, 65535, 600, 256, 256, 10, 1048575,
)  # fmt: skip


def main():
    seed = 12345
    same = 0
    for n, channels in ((1, 3), (2, 4), (7, 3), (60, 3), (61, 4), (300, 3)):
        a, b = Frame(n, channels), Frame(n, channels)
        for _ in range(150):
            for i in range(2, 155):
                seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
                r = seed >> 8
                if i < 28:
                    r %= (MOST[i] if i < 20 else 65280) + 1
                elif i < 145:
                    continue
                elif i < 148:
                    r %= 1300
                elif i < 150:
                    r %= 8192
                elif i == 150:
                    r = seed
                elif i < 153:
                    r = 1000 + r % 29000
                else:
                    r &= 0xFFFF
                a.v[i] = b.v[i] = r
            a.v[8] = b.v[8] = a.v[8] & 63
            for i in range(128):
                a.ring[i] = b.ring[i] = (seed >> (i & 7)) % 1200
            plain.frame(a)
            viper.frame(b)
            for p, q in ((a.out, b.out), (a.y, b.y), (a.lo, b.lo), (a.hold, b.hold), (a.v, b.v)):
                assert p == q
            plain.lerp(a.v, 30, 20 | 24 << 8 | 4 << 16, seed & 4095)
            viper.lerp(b.v, 30, 20 | 24 << 8 | 4 << 16, seed & 4095)
            assert a.v == b.v
            assert any(a.out)
            same += 1
    print("same", same)


main()

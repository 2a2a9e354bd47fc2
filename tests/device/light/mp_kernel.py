"""The two kernels: bytecode and viper give the same bytes."""

from array import array

from skip import Skip
from weave.light import kernel
from weave.light.tables import GAMMA, SINE


class Frame:
    def __init__(self, n, channels):
        self.out = bytearray(n * channels)
        self.v = array("i", bytes(4 * 145))
        self.y = array("H", bytes(2 * n))
        self.lo = array("H", bytes(2 * n))
        self.hold = bytearray(n)
        self.ring = array("H", bytes(256))
        self.sine, self.gamma = SINE, GAMMA
        self.v[0], self.v[1] = n, channels == 4


def _viper():
    try:
        from weave.light import kernel_viper
    except (ImportError, SyntaxError):
        raise Skip("no viper on this port")
    return kernel_viper


def test_both_kernels_give_the_same_bytes():
    viper = _viper()
    seed = 12345
    for n, channels in ((1, 3), (2, 4), (7, 3), (60, 3), (61, 4)):
        a, b = Frame(n, channels), Frame(n, channels)
        for _ in range(150):
            most = (
                0,
                0,
                65535,
                65535,
                65535,
                65535,
                2000,
                2000,
                80,
                16384,
                300000,
                10000,
                16000,
                16000,
                65535,
                600,
                256,
                256,
                10,
                1048575,
            )
            for i in range(2, 28):
                seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
                a.v[i] = b.v[i] = (seed >> 8) % ((most[i] if i < 20 else 65280) + 1)
            a.v[8] = b.v[8] = a.v[8] & 63
            for i in range(128):
                a.ring[i] = b.ring[i] = (seed >> (i & 7)) % 1200
            kernel.frame(a)
            viper.frame(b)
            for p, q in ((a.out, b.out), (a.y, b.y), (a.lo, b.lo), (a.hold, b.hold), (a.v, b.v)):
                assert p == q
            kernel.lerp(a.v, 30, 20 | 24 << 8 | 4 << 16, seed & 4095)
            viper.lerp(b.v, 30, 20 | 24 << 8 | 4 << 16, seed & 4095)
            assert a.v == b.v


def test_corridor_in_one_pixel():
    """Up at once within the corridor, past it only at the slew, back past it only 400 ms after leaving the top."""
    f = Frame(1, 3)
    v = f.v
    v[6] = v[7] = 0
    v[8] = 4070
    v[16] = v[17] = 256
    v[18] = 10
    for i in range(20, 28):
        v[i] = 19000
    want = 4096
    ys = []
    for k in range(60):
        if k == 20:
            want = 0
        v[12] = v[13] = want
        kernel.frame(f)
        ys.append(f.y[0])
    for k in range(1, 60):
        assert abs(ys[k] - ys[k - 1]) <= 256
    top = max(ys)
    assert top > 3900 and ys[19] == top
    fell = [k for k in range(60) if k > 20 and ys[k] < top - 1228]
    left = [k for k in range(60) if k >= 20 and ys[k] < top - 110][0]
    assert (fell[0] - left + 1) * 40 >= 400, (left, fell[0])
    assert ys[59] < 200

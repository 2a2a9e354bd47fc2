"""The kernel's corridor, in one pixel."""

from frame import Frame
from weave.light import kernel


def test_corridor_in_one_pixel():
    """Up at once within the corridor, past it only at the slew, back past it only 400 ms after leaving the top."""
    f = Frame(1, 3)
    v = f.v
    v[8] = v[147] = 4070
    v[151] = v[152] = 1000
    v[16] = v[17] = 256
    v[18] = 10
    for i in range(20, 28):
        v[i] = 19000
    want = 4096
    ys = []
    for k in range(60):
        if k == 20:
            want = 0
        v[9] = v[10] = v[148] = v[149] = want
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

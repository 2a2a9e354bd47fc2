"""What stands between every scene and the strand: colours, power, the first light, one writer."""

from room import BIG, ECHO, Room, room
from weave.light import Site
from weave.light.scenes import (
    FAULT,
    LUMINANCE,
    SCENES,
    VIGIL,
    find,
    put,
)


def test_every_colour_is_equally_bright_and_no_saturated_red():
    for order in ((1, 0, 2), (1, 0, 2, 3)):
        for scene in SCENES:
            for c in scene[3]:
                d = [0] * 4
                from weave.light.scenes import _HUES

                put(3 * _HUES.index(c), d, 0, order)
                w = d[order[3]] if len(order) == 4 else 0
                r, g, b = (d[order[k]] + w for k in range(3))
                y = (2126 * r + 7152 * g + 722 * b) // 10000
                assert abs(y - LUMINANCE) < LUMINANCE // 100, (c, y)
                assert max(d) <= 65280 and 10 * r <= 7 * (r + g + b) + 10
    assert len(SCENES) == 7 and find("fault") == FAULT and find("vigil") == VIGIL and find("echo") == ECHO
    for s in SCENES:
        assert s[2][0] + s[2][1] <= 4080


def test_power_is_right_warned_of_and_kept():
    for channels in (3, 4):
        r = room(channels=channels, budget_ma=330 if channels == 3 else 250)
        r.bpm = 70
        r.set(0)
        r.run(3000)
        assert r.light.limited == 0
        warned = 0
        worst = 0
        for k in range(600):
            level = min(4096, k * 20)
            r.set(level, contact=1)
            r.run(40)
            real = sum(r.strand.buf) * 20 / 255 + r.strand.n
            worst = max(worst, real)
            assert abs(r.light.ma - real) <= 0.04 * real + 5, (r.light.ma, real)
            if r.light.guard.limited == 1:
                warned += 1
                assert r.light.guard.dim == 4096
        assert warned > 3 and r.light.limited == 2 and r.light.guard.dim < 4096
        assert worst <= r.light.guard.budget + 8, worst
        # no pumping: once settled the dimming hardly moves
        r.run(10000)
        dims = []
        for _ in range(250):
            r.run(40)
            dims.append(r.light.guard.dim)
        assert max(dims) - min(dims) < 200, (min(dims), max(dims))
        r.set(0)
        r.run(40000)
        assert r.light.limited == 0 and r.light.guard.dim == 4096


def test_fade_from_black_shows_sixty_steps():
    """A slow fade of one channel from 0 to 8 of 255: averages over 32 frames take at least 60 values, counted on the wire's
    bytes; the colour fades while the light stands, and the light fades while the colour stands."""
    from weave.light.guard import frame

    r = Room(2, 3, Site(budget_ma=BIG))
    g = r.light.guard
    g.v[9] = g.v[10] = g.v[148] = g.v[149] = 1 << 14
    g.v[8] = g.v[147] = 4000
    for of_colour in (True, False):
        steps = []
        for k in range(0, 65):
            for i in range(8):
                g.v[20 + i] = k * 8 * 256 // 64 if of_colour else 19456  # 8.8 PWM counts at full light; 76
            y = 4095 if of_colour else k * 431 // 64
            for i in range(2):
                g.y[i] = y
                g.lo[i] = max(0, y - 600)
                g.hold[i] = 0
            total = 0
            for _ in range(32):
                g.v[16] = g.v[17] = 0  # the guard lets light neither rise nor fall
                frame(g)
                total += g.out[0]
            assert g.y[0] == y
            steps.append(total)
        assert steps[0] == 0 and abs(steps[64] - 8 * 32) <= 2, steps
        distinct = 1
        for i in range(1, 65):
            distinct += steps[i] > steps[i - 1]
        assert distinct >= 60, distinct


def test_guard_is_the_only_writer():
    """Pixels set behind its back are gone with the next frame, and brightness 255 is the most there is."""
    r = room()
    r.set(4096)
    r.run(3000)
    a = bytes(r.strand.buf)
    for i in range(len(r.strand.buf)):
        r.strand.buf[i] = 255
    r.run(40)
    for i in range(len(a)):
        assert abs(a[i] - r.strand.buf[i]) < 40

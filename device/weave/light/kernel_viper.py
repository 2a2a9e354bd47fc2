"""One frame, pixel by pixel, as native code: the text of `kernel.py` under the viper emitter.

See `kernel.py` for what goes in and out. A test holds both texts and their output to each other.
"""

import micropython
from micropython import const

# --- the kernel: the same text in kernel.py and kernel_viper.py
_CORRIDOR = const(1228)  # 0.0899 of full luminance: a tenth less the dither's +-0.004
_ROSE = const(100)  # 400 ms in units of 4 ms
_FELL = const(228)


@micropython.viper
def frame(k):
    """Render one frame into k.out; see the module's head for every buffer."""
    par = ptr32(k.par)
    out = ptr8(k.out)
    ys = ptr16(k.y)
    los = ptr16(k.lo)
    holds = ptr8(k.hold)
    sine = ptr16(k.sine)
    gamma = ptr16(k.gamma)
    ring = ptr16(k.ring)
    n = par[0]
    four = par[1]
    p1 = par[2]
    k1 = par[3]
    p2 = par[4]
    k2 = par[5]
    a1 = par[6]
    a2 = par[7]
    base = par[8]
    warp = par[9]
    edge = par[10]
    fade = par[11]
    ground = par[12]
    own = par[13] - ground
    head = par[14]
    step = par[15]
    up = par[16]
    down = 0 - par[17]
    age = par[18]
    t = par[19]
    c0 = par[20]
    c1 = par[21]
    c2 = par[22]
    c3 = par[23]
    o0 = par[24]
    o1 = par[25]
    o2 = par[26]
    o3 = par[27]
    shapes = 0
    light = 0
    mine = 0
    i = 0
    j = 0
    while i < n:
        # the ground: a slow wave, and a quicker one that the slow one bends
        v = sine[(p1 >> 8) & 255]
        q = gamma[(base + v * a1 + sine[((p2 + (v * warp >> 12)) >> 8) & 255] * a2) >> 18]
        p1 += k1
        p2 += k2
        shapes += q
        # whose thread is it here? m: 4096 the visitor's, 0 everybody's
        m = edge
        if m > 4096:
            m = 4096
        elif m < 0:
            m = 0
        edge -= fade
        s = (q * (ground + (own * m >> 12)) >> 12) + ring[(head >> 8) & 127]
        head -= step
        if s > 4096:
            s = 4096
        # eyes: slew, corridor, hold
        h = holds[i]
        if h & 127:
            if h & 127 > age:
                h -= age
            else:
                h &= 128
            holds[i] = h
        y = ys[i]
        s -= y
        if s > up:
            s = up
        elif s < down:
            s = down
        y += s
        s = los[i]
        if y < s:
            if h & 127 and h < 128:
                y = s
            else:
                los[i] = y
                holds[i] = _FELL
        elif y > s + _CORRIDOR:
            if h > 128:
                y = s + _CORRIDOR
            else:
                los[i] = y - _CORRIDOR
                holds[i] = _ROSE
        ys[i] = y
        light += y
        # colour and dither: 8 integer bits above 20 fractional ones
        m = y * m >> 12
        mine += m
        y -= m
        out[j] = (y * c0 + m * o0 + t) >> 20
        out[j + 1] = (y * c1 + m * o1 + t) >> 20
        out[j + 2] = (y * c2 + m * o2 + t) >> 20
        j += 3
        if four:
            out[j] = (y * c3 + m * o3 + t) >> 20
            j += 1
        t = (t + 791590) & 1048575
        i += 1
    par[28] = shapes
    par[29] = light
    par[30] = mine


@micropython.viper
def blend(k):
    """Cross-fade: k.cur[i] between k.old[i] and k.new[i], all >= 0, by k.par[31] of 4096."""
    par = ptr32(k.par)
    old = ptr32(k.old)
    new = ptr32(k.new)
    cur = ptr32(k.cur)
    x = par[31]
    z = 4096 - x
    n = par[39]
    i = 0
    while i < n:
        cur[i] = (old[i] * z + new[i] * x) >> 12
        i += 1


@micropython.viper
def colours(k):
    """Mix the two colours of the frame from the palette in k.cur, unless the power budget says wait.

    ground = calm..stirred by par[32]; own = white..(cool | neutral..warm) by par[33] and par[35]. All palette
    colours have the same luminance, so every mix has it too. par[36], par[37]: channel sums, PWM counts x 4.
    """
    par = ptr32(k.par)
    cur = ptr32(k.cur)
    x = par[32]
    tint = par[33]
    vivid = par[35]
    to = par[34]
    base = par[40]
    sum0 = 0
    sum1 = 0
    for turn in range(2):
        i = 0
        while i < 4:
            j = base + i
            c = (cur[j] * (4096 - x) + cur[j + 4] * x) >> 12
            o = (cur[j + 12] * (4096 - tint) + cur[j + to] * tint) >> 12
            o = (cur[j + 20] * (4096 - vivid) + o * vivid) >> 12
            if turn:
                par[20 + i] = c
                par[24 + i] = o
            else:
                sum0 += c
                sum1 += o
            i += 1
        if turn == 0:
            sum0 >>= 6
            sum1 >>= 6
            now = par[41] * sum0 + par[42] * sum1
            if now > par[38] and now > par[41] * par[36] + par[42] * par[37]:
                break
            par[36] = sum0
            par[37] = sum1

"""One frame, pixel by pixel: waves, pulse, safety corridor, colour, dither. Plain bytecode.

In: `k`, an object with the buffers below. Out: `k.out` (bytes on the wire), the per-pixel safety state, three
sums in `k.v`. `kernel_viper.py` is this text compiled by the viper emitter (a test holds both to it);
this one runs where viper does not. Both give the same bytes.

  k.v     array('i')  parameters by the indices below, all >= 0 (viper reads 32-bit words unsigned on 64-bit ports)
  k.out   bytearray   n * channels, wire order
  k.y     array('H')  light of each pixel now, Q12: 4096 is a relative luminance of 0.30
  k.lo    array('H')  lower edge of each pixel's corridor, Q12; the upper edge is lo + CORRIDOR
  k.hold  bytearray   1..100: was at its upper edge less than 400 ms ago (4 ms units), 129..228: at its lower; 0: free
  k.sine  array('H')  256 steps of a raised cosine, 0..16384;  k.gamma  array('H')  256 steps, 0..4096
  k.ring  array('H')  the pulse of the last 128 frames, Q12

The scene is drawn for every second pixel and interpolated; all that concerns eyes is done for each.
The corridor is the play (backlash) operator: light moves freely between lo and lo + CORRIDOR, which is less
than a tenth of full luminance; past an edge it drags the corridor along, and it may drag it the other way
only 400 ms after it has left that edge; until then it does not come near the other. So turning points of 10 % or
more are at least 400 ms apart, whatever is asked for.
"""

from micropython import const


def ptr8(b):
    """A buffer as it is (viper: a pointer to bytes; ptr16 and ptr32 to wider words)."""
    return b


ptr16 = ptr32 = ptr8

# --- the kernel: the same text in kernel.py and kernel_viper.py
_CORRIDOR = const(1228)  # 0.0899 of white: a tenth less the dither's 2 x 0.0039
_NEAR = const(110)  # 0.008 of white: so near an edge the dither may make it the turning point
_ROSE = const(100)  # 400 ms in units of 4 ms
_FELL = const(228)


def frame(k):
    """Render one frame into k.out; see the head of kernel.py for every buffer."""
    v = ptr32(k.v)
    out = ptr8(k.out)
    ys = ptr16(k.y)
    los = ptr16(k.lo)
    holds = ptr8(k.hold)
    sine = ptr16(k.sine)
    gamma = ptr16(k.gamma)
    ring = ptr16(k.ring)
    n = v[0]
    four = v[1]
    p1 = v[2]  # phases of the slow and the quick wave, 65536 a cycle, and their steps per two pixels
    k1 = v[3]
    p2 = v[4]
    k2 = v[5]
    a1 = v[6]  # their swings and the floor below them, Q12; floor and swings together below 4080
    a2 = v[7]
    base = v[8] << 14
    warp = v[9]  # how far the slow wave bends the quick one, Q12 of a quarter cycle
    edge = v[10]  # 4096 and more: the visitor's part of the thread, 0 and less: everybody's
    fade = v[11]
    ground = v[12]  # brightness of everybody's part and of the visitor's, Q12 of full light
    own = v[13]
    head = v[14]  # place in the ring x 256, and its step per two pixels
    step = v[15]
    up = v[16]  # how far light may rise and fall in this frame, Q12
    down = 0 - v[17]
    age = v[18]  # time since the last frame, 4 ms units
    t = v[19]  # dither, 20 bits
    c0 = v[20]  # ground colour, 8.8 PWM counts in wire order
    c1 = v[21]
    c2 = v[22]
    c3 = v[23]
    cs = (c0 + c1 + c2 + c3) >> 6
    o0 = v[24]  # the visitor's colour
    o1 = v[25]
    o2 = v[26]
    o3 = v[27]
    os = (o0 + o1 + o2 + o3) >> 6
    e0 = o0
    e1 = o1
    e2 = o2
    e3 = o3
    es = os
    m = 0
    q = 0
    bright = own
    pulse = 0
    shapes = 0
    light = 0
    current = 0
    i = 0
    j = 0
    while i < n:
        s = q
        if i & 1 == 0:
            # the ground: a slow wave, and a quicker one that the slow one bends
            m = sine[(p1 >> 8) & 255]
            q = gamma[(base + m * a1 + sine[((p2 + (m * warp >> 12)) >> 8) & 255] * a2) >> 18]
            p1 += k1
            p2 += k2
            shapes += q
            s = (s + q) >> 1 if i else q
            # whose thread is it here?
            m = edge
            edge -= fade
            if m <= 0:
                bright = ground
                e0 = c0
                e1 = c1
                e2 = c2
                e3 = c3
                es = cs
            elif m < 4096:
                bright = ground + ((own - ground) * m >> 12)
                e0 = c0 + ((o0 - c0) * m >> 12)
                e1 = c1 + ((o1 - c1) * m >> 12)
                e2 = c2 + ((o2 - c2) * m >> 12)
                e3 = c3 + ((o3 - c3) * m >> 12)
                es = cs + ((os - cs) * m >> 12)
            pulse = ring[(head >> 8) & 127]
            head -= step
        s = (s * bright >> 12) + pulse
        if s > 4096:
            s = 4096
        # eyes: slew, corridor, hold
        y = ys[i]
        s -= y
        if s > up:
            s = up
        elif s < down:
            s = down
        y += s
        h = holds[i]
        if h:
            h -= age
            if h & 127 > 100 or h & 127 == 0:
                h = 0
            holds[i] = h
        s = y - los[i]
        if s < _NEAR:
            if 0 < h and h < 128:
                y += _NEAR - s
            else:
                holds[i] = _FELL
                if s < 0:
                    los[i] = y
        elif s > _CORRIDOR - _NEAR:
            if h > 128:
                y -= s - (_CORRIDOR - _NEAR)
            else:
                holds[i] = _ROSE
                if s > _CORRIDOR:
                    los[i] = y - _CORRIDOR
        ys[i] = y
        light += y
        current += y * es >> 12
        # colour and dither: 8 integer bits above 20 fractional ones
        out[j] = (y * e0 + t) >> 20
        out[j + 1] = (y * e1 + t) >> 20
        out[j + 2] = (y * e2 + t) >> 20
        j += 3
        if four:
            out[j] = (y * e3 + t) >> 20
            j += 1
        t = (t + 791590) & 1048575
        i += 1
    v[28] = shapes
    v[29] = light
    v[30] = current


def lerp(v: ptr32, to: int, ab: int, x: int):
    """v[to + i] from v[a + i] (x = 0) to v[b + i] (x = 4096), i < n; ab = a | b << 8 | n << 16; values 0..65535."""
    a = ab & 255
    b = (ab >> 8) & 255
    n = ab >> 16
    while n > 0:
        v[to] = (v[a] * (4096 - x) + v[b] * x) >> 12
        to += 1
        a += 1
        b += 1
        n -= 1

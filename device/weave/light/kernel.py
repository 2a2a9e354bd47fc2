"""One frame, pixel by pixel, as machine code: waves, pulse, safety corridor, colour, dither.

In: `k`, an object with the buffers below. Out: `k.out` (bytes on the wire), the per-pixel safety state, three
sums in `k.v`. Where a port has no viper emitter, `pulseweave.emitters` makes the same text run as bytecode: it uses nothing
that would give other bytes there.

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

import micropython

_CORRIDOR = const(1228)  # 0.0899 of white: a tenth less the dither's 2 x 0.0039
_NEAR = const(110)  # 0.008 of white: so near an edge the dither may make it the turning point
_ROSE = const(100)  # 400 ms in units of 4 ms
_FELL = const(228)


@micropython.viper
def frame(k):
    """Render one frame into k.out; see the head of this file for every buffer."""
    v = ptr32(k.v)
    out = ptr8(k.out)
    ys = ptr16(k.y)
    los = ptr16(k.lo)
    holds = ptr8(k.hold)
    sine = ptr16(k.sine)
    gamma = ptr16(k.gamma)
    ring = ptr16(k.ring)
    # what is wanted of the waves and of the brightness is approached over a few frames
    i = 6
    while i < 11:
        v[i] += (v[i + 139] - v[i]) >> 2
        i += 1
    a1 = v[6]  # swings of the slow and of the quick wave and the floor below them, Q12; together below 4080
    a2 = v[7]
    base = v[8] << 14
    ground = v[9]  # brightness of everybody's part and of the visitor's, Q12 of full light
    own = v[10]
    # phases of the two waves, 65536 a cycle: from the room's clock and the strand's place
    m = v[150]  # mesh ms
    q = v[151]  # period, ms
    p1 = v[153] - ((m % q) << 14) // q * 4
    q = v[152]
    p2 = v[154] - ((m % q) << 14) // q * 4
    v[2] = p1
    v[4] = p2
    k1 = v[3]  # and their steps per two pixels
    k2 = v[5]
    n = v[0]
    four = v[1]
    edge = v[11]  # 4096 and more: the visitor's part of the thread, 0 and less: everybody's
    fade = v[12]
    warp = v[13]  # how far the slow wave bends the quick one, Q12 of a quarter cycle
    head = v[14]  # place in the ring x 256, and its step per two pixels
    step = v[15]
    up = v[16]  # how far light may rise and fall in this frame, Q12
    down = 0 - v[17]
    age = v[18]  # time since the last frame, 4 ms units
    t = (v[19] + 648056) & 1048575  # dither: golden ratio x 2**20, the evenest sequence there is
    v[19] = t
    e0 = v[24]  # the visitor's colour, 8.8 PWM counts in wire order
    e1 = v[25]
    e2 = v[26]
    e3 = v[27]
    bright = own
    mine = 1
    odd = 0
    q = 0
    pulse = 0
    shapes = 0
    light = 0
    counted = 0  # light whose current is in `current`
    current = 0
    i = 0
    j = 0
    while i < n:
        s = q
        if odd:
            odd = 0
        else:
            odd = 1
            # the ground: a slow wave, and a quicker one that the slow one bends
            m = sine[(p1 >> 8) & 255]
            q = gamma[(base + m * a1 + sine[((p2 + (m * warp >> 12)) >> 8) & 255] * a2) >> 18]
            p1 += k1
            p2 += k2
            shapes += q
            s = (s + q) >> 1 if i else q
            # whose thread is it here?
            if mine:
                if edge < 4096:
                    current += (light - counted >> 4) * ((e0 + e1 + e2 + e3) >> 6) >> 8
                    counted = light
                    m = edge
                    if m <= 0:
                        m = mine = 0
                    bright = ground + ((own - ground) * m >> 12)
                    e0 = v[20] + ((v[24] - v[20]) * m >> 12)  # between the ground's colour and the visitor's
                    e1 = v[21] + ((v[25] - v[21]) * m >> 12)
                    e2 = v[22] + ((v[26] - v[22]) * m >> 12)
                    e3 = v[23] + ((v[27] - v[23]) * m >> 12)
                edge -= fade
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
            s = h & 127
            h = h - age if s > age else 0
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
        # colour and dither: 8 integer bits above 20 fractional ones
        out[j] = (y * e0 + t) >> 20
        out[j + 1] = (y * e1 + t) >> 20
        out[j + 2] = (y * e2 + t) >> 20
        j += 3
        if four:
            out[j] = (y * e3 + 1048575 - t) >> 20  # the other way round: what white gains, the three lose
            j += 1
        t = (t + 791590) & 1048575
        i += 1
    v[28] = shapes
    v[29] = light
    v[30] = current + ((light - counted >> 4) * ((e0 + e1 + e2 + e3) >> 6) >> 8)


@micropython.viper
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

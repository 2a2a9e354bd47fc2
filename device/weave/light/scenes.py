"""The seven scenes as data, the curves they are drawn with, and the colours as the strand needs them.

A scene is (name, motion, mix, palette); the numbers of a scene's place in SCENES are its id on the air: add, never
reorder.
  motion   two waves: period ms each, then 1/65536 cycle per 16 mm along x, y, z of the room each; the breath: period ms
           and the same along x, y
  mix      see the indices below: what cross-fades
  palette  six hues: ground calm, ground stirred, own cool, own neutral, own warm, pale; linear r, g, b, of which only
           the ratio counts: `put` brings each to the same luminance
  SINE     256 x 0..16384, one cycle from dark to dark (smoothstep of a triangle, within 1 % of a raised cosine)
  GAMMA    256 x 0..4096, v*v*(1+v)/2: a gamma that runs from 2.0 in the dark to 2.5 at full, 2.35 in the middle
"""

from array import array

# hearth 0, tide 1, murmuration 2, echo 3
VIGIL = const(4)
IDENTIFY = const(5)
FAULT = const(6)

# the mix, Q12
_BASE = const(0)  # floor of the wave, before gamma; in `v` its middle
_WAVE = const(1)  # swing of the waves; _BASE + _WAVE <= 4080
#                  2 share of the quick wave at arousal 0, 3 at arousal 1
#                  4 how far the slow wave bends the quick one: 4096 = a quarter cycle
_DARK = const(5)  # mean light at level 0
_FULL = const(6)  # mean light at level 1
#                  7 4096: the visitor's share of the thread is drawn; 0: nobody's feelings are
_BEAT = const(8)  # height of the heartbeat
_ECHO = const(9)  # height of the beats that visitors leave behind
#                  10 swing of the breath, of the mediated light: 4096 = from none to twice
_MIX = const(11)

LUMINANCE = const(19584)  # of every colour at full: 0.30 of white, PWM counts x 256

SINE = array("H", [(t * t * (384 - 2 * t)) >> 7 for t in [128 - abs(128 - i) for i in range(256)]])
GAMMA = array("H", [(((i * i * (255 + i)) >> 8) * 4129) >> 17 for i in range(256)])

_HUES = "atvsroghw"  # azure, teal, violet, sea, rose, amber, gold, ember, warm white
_RGB = (
    b"\x1a\x56\xff" b"\x08\x96\x96" b"\x70\x46\xff" b"\x00\x7c\xaa" b"\xff\x4a\x78"
    b"\xff\x76\x16" b"\xff\x96\x3c" b"\xff\x60\x20" b"\xff\xd6\xa0"
)  # fmt: skip

NAMES = ("hearth", "tide", "murmuration", "echo", "vigil", "identify", "fault")
_palettes = ("svarow", "taagow", "aragow", "vrarow", "wwwwww", "aawwww", "oooooo")
# motion and mix of each in coarse units, below: small numbers in a list cost the flash a third of large ones in tuples
_numbers = array("h", [
    80, 30, 8, 5, 75, -13, 10, 115, 0, 0, 0,  # hearth
    13, 50, 8, 47, 38, 5, 29, 64, 14, 8, 0,
    100, 45, 1, 0, 45, 2, 3, 75, 50, 1, 1,  # tide
    23, 39, 8, 14, 16, 5, 29, 64, 11, 5, 31,
    60, 25, 16, 11, 65, -21, 16, 130, 45, 11, 7,  # murmuration
    11, 52, 17, 50, 64, 5, 29, 64, 11, 8, 20,
    120, 45, 6, 4, 55, -10, 6, 85, 120, 3, 2,  # echo
    20, 31, 5, 23, 25, 5, 20, 64, 14, 18, 8,
    100, 150, 0, 0, 35, 0, 0, 20, 100, 0, 0,  # vigil
    36, 14, 6, 6, 0, 9, 9, 0, 0, 0, 8,
    8, 16, 0, 0, 53, 0, 0, 53, 0, 0, 0,  # identify
    5, 58, 0, 0, 0, 20, 20, 0, 0, 0, 0,
    40, 40, 0, 0, 0, 0, 0, 0, 20, 0, 0,  # fault
    45, 9, 0, 0, 0, 7, 7, 0, 0, 0, 28,
])  # fmt: skip
for i in range(154):
    k = i % 22
    _numbers[i] *= 200 if k in (0, 1, 8) else 20 if k < 11 else 64  # ms, 1/65536 cycle per 16 mm, Q12
SCENES = tuple(
    [
        (NAMES[i], _numbers[22 * i : 22 * i + 11], _numbers[22 * i + 11 : 22 * i + 22], _palettes[i])
        for i in range(7)
    ]
)
del _numbers, _palettes, i, k


def find(name):
    """Id of a scene by name, -1 where there is none."""
    return NAMES.index(name) if name in NAMES else -1


def load(scene, dst, at, order, brightness, vigour):
    """Write a scene's mix and colours to dst[at:at+34]; brightness and vigour 0..255 scale its light and its waves."""
    s = SCENES[scene]
    for i in range(_MIX):
        dst[at + i] = s[2][i]
    for i in (_DARK, _FULL, _BEAT, _ECHO):
        dst[at + i] = dst[at + i] * brightness // 255
    dst[at + _BASE] += dst[at + _WAVE] >> 1
    dst[at + _WAVE] = vigour * dst[at + _WAVE] // 255
    for i in range(6):
        put(3 * _HUES.index(s[3][i]), dst, at + _MIX + 4 * i, order)


def put(hue, dst, at, order):
    """Write the colour _RGB[hue:hue+3] to dst[at:at+4] in wire order, 8.8 PWM counts, at LUMINANCE, never saturated red.

    Whatever the palette says: R <= 0.7 (R+G+B), no channel above 255; a colour that cannot be that bright is
    paled until it can. With a fourth channel what the three share goes to white, counted as bright as R=G=B.
    """
    r = _RGB[hue]
    g = _RGB[hue + 1]
    b = _RGB[hue + 2]
    while True:
        y = 54 * r + 183 * g + 19 * b  # WCAG 2.x relative luminance x 256: 0.2126, 0.7152, 0.0722
        top = max(r, g, b)
        if y > 0 and 10 * r <= 7 * (r + g + b) and top * LUMINANCE <= y * 255:
            break
        r += (263 - r) >> 3
        g += (263 - g) >> 3
        b += (263 - b) >> 3
    w = 0
    if len(order) == 4:
        w = min(r, g, b)
        dst[at + order[3]] = scaled(w, y)
    else:
        dst[at + 3] = 0
    dst[at + order[0]] = scaled(r - w, y)
    dst[at + order[1]] = scaled(g - w, y)
    dst[at + order[2]] = scaled(b - w, y)


def scaled(c, y):
    """c * 256 * LUMINANCE / (256 * y) in steps below 2**30, for c 0..255 and luminance y of 65280."""
    v = c * LUMINANCE
    return v // y * 256 + v % y * 256 // y

"""The seven scenes as data, and the colours as the strand needs them.

A scene is (name, motion, mix, palette); the numbers of a scene's place in SCENES are its id on the air: add, never
reorder.
  motion   two waves: period ms each, then 1/65536 cycle per 16 mm along x, y, z of the room each; the breath: period ms
           and the same along x, y
  mix      see the indices below: what cross-fades
  palette  six hues: ground calm, ground stirred, own cool, own neutral, own warm, pale; linear r, g, b, of which only
           the ratio counts: `put` brings each to the same luminance
"""

from array import array

from micropython import const

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
#                  8 height of the heartbeat, 9 height of the beats that visitors leave behind
#                  10 swing of the breath, of the mediated light: 4096 = from none to twice
_MIX = const(11)

LUMINANCE = const(19584)  # of every colour at full: 0.30 of white, PWM counts x 256

_HUES = "atvsroghw"
_RGB = bytes((
    26, 86, 255,  # a azure
    8, 150, 150,  # t teal
    112, 70, 255,  # v violet
    0, 124, 170,  # s sea
    255, 74, 120,  # r rose
    255, 118, 22,  # o amber
    255, 150, 60,  # g gold
    255, 96, 32,  # h ember
    255, 214, 160,  # w warm white
))  # fmt: skip

_names = ("hearth", "tide", "murmuration", "echo", "vigil", "identify", "fault")
_palettes = ("svarow", "taagow", "aragow", "vrarow", "wwwwww", "aawwww", "oooooo")
_numbers = array("h", [  # motion and mix of each: a list at import costs the flash half of what tuples do
    16000, 6000, 160, 96, 1500, -260, 190, 2300, 0, 0, 0,  # hearth
    850, 3200, 500, 3000, 2400, 340, 1850, 4096, 900, 500, 0,
    20000, 9000, 24, 0, 900, 40, 60, 1500, 10000, 24, 16,  # tide
    1500, 2500, 500, 900, 1000, 340, 1850, 4096, 700, 300, 2000,
    12000, 5000, 330, 210, 1300, -420, 330, 2600, 9000, 210, 130,  # murmuration
    700, 3300, 1100, 3200, 4096, 340, 1850, 4096, 700, 500, 1300,
    24000, 9000, 120, 80, 1100, -200, 120, 1700, 24000, 60, 40,  # echo
    1300, 2000, 300, 1500, 1600, 300, 1300, 4096, 900, 1150, 500,
    20000, 30000, 0, 0, 700, 0, 0, 400, 20000, 0, 0,  # vigil
    2300, 900, 400, 400, 0, 560, 560, 0, 0, 0, 500,
    1600, 3200, 0, 0, 1050, 0, 0, 1050, 0, 0, 0,  # identify
    300, 3700, 0, 0, 0, 1300, 1300, 0, 0, 0, 0,
    8000, 8000, 0, 0, 0, 0, 0, 0, 4000, 0, 0,  # fault
    2900, 600, 0, 0, 0, 420, 420, 0, 0, 0, 1800,
])  # fmt: skip
SCENES = tuple(
    [
        (_names[i], _numbers[22 * i : 22 * i + 11], _numbers[22 * i + 11 : 22 * i + 22], _palettes[i])
        for i in range(7)
    ]
)
del _names, _numbers, _palettes


def find(name):
    """Id of a scene by name, -1 where there is none."""
    for i in range(len(SCENES)):
        if SCENES[i][0] == name:
            return i
    return -1


def load(scene, dst, at, order, brightness, vigour):
    """Write a scene's mix and colours to dst[at:at+34]; brightness and vigour 0..255 scale its light and its waves."""
    s = SCENES[scene]
    for i in range(_MIX):
        dst[at + i] = s[2][i]
    dst[at + _DARK] = dst[at + _DARK] * brightness // 255
    dst[at + _FULL] = dst[at + _FULL] * brightness // 255
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

"""The seven scenes as data, and the colours as the strand needs them.

A scene is (name, motion, mix, palette); the numbers of a scene's place in SCENES are its id on the air: add, never
reorder.
  motion   two waves: period ms, and cycles per 1.048576 m (1/65536 cycle per mm x 16) along x, y, z of the room
  mix      see the indices below: what cross-fades
  palette  six linear colours r, g, b 0..255: ground calm, ground stirred, own cool, own neutral, own warm, pale;
           only their ratio counts: `put` brings each to the same luminance
"""

from micropython import const

HEARTH = const(0)
TIDE = const(1)
MURMURATION = const(2)
ECHO = const(3)
VIGIL = const(4)
IDENTIFY = const(5)
FAULT = const(6)

# the mix, Q12 unless said otherwise
BASE = const(0)  # floor of the wave, before gamma
WAVE = const(1)  # swing of the waves; BASE + WAVE <= 4080
CALM = const(2)  # share of the quick wave at arousal 0
STIR = const(3)  # and at arousal 1
WARP = const(4)  # how far the slow wave bends the quick one: 4096 = a quarter cycle
DARK = const(5)  # mean light at level 0
FULL = const(6)  # mean light at level 1
OWN = const(7)  # 4096: the visitor's share of the thread is drawn; 0: nobody's feelings are
PULSE = const(8)  # height of the heartbeat
EVEN = const(9)  # 4096: the strand's mean is held to the level; 0: the wave may carry it
ECHOES = const(10)  # height of the beats that visitors leave behind
MIX = const(11)
COLOURS = const(24)  # six colours of four channels follow the mix

LUMINANCE = const(19584)  # of every colour at full: 0.30 of white, PWM counts x 256

_AZURE = (26, 86, 255)
_TEAL = (8, 150, 150)
_VIOLET = (150, 92, 255)
_SEA = (4, 120, 190)
_ROSE = (255, 74, 120)
_AMBER = (255, 118, 22)
_GOLD = (255, 150, 60)
_WHITE = (255, 214, 160)
_EMBER = (255, 96, 32)

SCENES = (
    (
        "hearth",
        (16000, 6000, 160, 96, 1500, -260, 190, 2300),
        (1250, 2700, 500, 3000, 2400, 340, 1850, 4096, 900, 4096, 500),
        (_SEA, _VIOLET, _AZURE, _ROSE, _AMBER, _WHITE),
    ),
    (
        "tide",
        (10000, 20000, 24, 0, 260, 40, 60, 900),
        (1500, 2500, 500, 900, 1000, 340, 1850, 4096, 700, 1024, 300),
        (_TEAL, _AZURE, _AZURE, _GOLD, _AMBER, _WHITE),
    ),
    (
        "murmuration",
        (12000, 5000, 330, 210, 1300, -420, 330, 2600),
        (700, 3300, 1100, 3200, 4096, 340, 1850, 4096, 700, 2600, 500),
        (_AZURE, _ROSE, _AZURE, _GOLD, _AMBER, _WHITE),
    ),
    (
        "echo",
        (24000, 9000, 120, 80, 1100, -200, 120, 1700),
        (1300, 2000, 300, 1500, 1600, 300, 1300, 4096, 900, 4096, 1150),
        (_VIOLET, _ROSE, _AZURE, _ROSE, _AMBER, _WHITE),
    ),
    (
        "vigil",
        (20000, 30000, 0, 0, 700, 0, 0, 400),
        (2300, 900, 400, 400, 0, 560, 560, 0, 0, 4096, 0),
        (_WHITE, _WHITE, _WHITE, _WHITE, _WHITE, _WHITE),
    ),
    (
        "identify",
        (1600, 3200, 0, 0, 1050, 0, 0, 1050),
        (300, 3700, 0, 0, 0, 1300, 1300, 0, 0, 4096, 0),
        (_AZURE, _AZURE, _WHITE, _WHITE, _WHITE, _WHITE),
    ),
    (
        "fault",
        (4000, 8000, 0, 0, 0, 0, 0, 0),
        (2300, 1500, 0, 0, 0, 420, 420, 0, 0, 0, 0),
        (_AMBER, _AMBER, _AMBER, _AMBER, _AMBER, _AMBER),
    ),
)


def find(name):
    """Id of a scene by name, -1 where there is none."""
    for i in range(len(SCENES)):
        if SCENES[i][0] == name:
            return i
    return -1


def load(scene, dst, at, order, brightness, vigour):
    """Write a scene's mix and colours to dst[at:at+35]; brightness and vigour 0..255 scale its light and its waves."""
    s = SCENES[scene]
    for i in range(MIX):
        dst[at + i] = s[2][i]
    dst[at + DARK] = dst[at + DARK] * brightness // 255
    dst[at + FULL] = dst[at + FULL] * brightness // 255
    dst[at + BASE] += (255 - vigour) * dst[at + WAVE] // 510
    dst[at + WAVE] = vigour * dst[at + WAVE] // 255
    for i in range(6):
        put(s[3][i], dst, at + MIX + 4 * i, order)


def put(rgb, dst, at, order):
    """Write one colour to dst[at:at+4] in wire order, 8.8 PWM counts, at LUMINANCE and never near saturated red.

    Whatever the palette says: R <= 0.7 (R+G+B), no channel above 255; a colour that cannot be that bright is
    paled until it can. With a fourth channel what the three share goes to white, counted as bright as R=G=B.
    """
    r, g, b = rgb
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

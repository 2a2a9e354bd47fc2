"""Light: what each thing it is told looks like, when it happens, and that a tick allocates nothing."""

import micropython
from heap import locked
from room import MURMURATION, TIDE, Strand, colour, light, room
from weave.light import Light
from weave.light.scenes import (
    IDENTIFY,
    SCENES,
)


def test_black_before_anything_else():
    s = Strand(8)
    for i in range(len(s.buf)):
        s.buf[i] = 200
    Light(s)
    assert s.shown == 1 and not any(s.buf)


def test_a_tick_allocates_nothing():
    for channels in (3, 4):
        r = room(channels=channels)
        r.set(2000)
        r.bpm = 70
        r.run(400)
        for scene in range(len(SCENES)):
            assert r.light.set_scene(scene, r.mesh + 100)
            locked(r.run, 3400)
            assert r.light.scene == scene
        event = bytearray(9)
        for i in range(9):
            event[i] = (0x80, 100, 0, 0, 0, 0, 0, 100, 8)[i]
        echo = r.light.on_echo
        micropython.heap_lock()
        try:
            echo(event, 0, 9, 7, r.mesh)
            r.run(3000)
            r.sense.contact = 0  # a visitor leaves
            r.run(3000)
            r.damp.opted_out = 1
            r.run(3000)
        finally:
            micropython.heap_unlock()


def test_largest_numbers_stay_small_ints():
    r = room(n=300, channels=4, x=100000, y=-100000, z=30000, dx=20000, dy=20000, dz=20000)
    r.mesh = (1 << 30) - 400  # the clocks wrap on the way
    r.now = (1 << 30) - 900
    r.bpm = 120
    for level, rho, g, valence in (
        (4096, 4096, 4096, 4096),
        (4096, 1024, 0, -4096),
        (0, 1024, 4096, -4096),
        (4096, 0, 0, 0),
    ):
        r.set(level, rho=rho, g=g)
        r.affect.valence = valence
        for scene in (MURMURATION, IDENTIFY, TIDE):
            r.light.set_scene(scene, -1)
            r.run(600)
            r.mesh &= 0x3FFFFFFF
            r.now &= 0x3FFFFFFF
            locked(r.run, 600)


def test_light_is_the_level():
    for scene in ("hearth", "tide", "murmuration", "echo"):
        for bpm in (0, 75):
            means = []
            for level in range(0, 4097, 1024):
                r = room(scene)
                r.bpm = bpm
                r.set(level)
                r.run(5000)
                means.append(light(r))
            assert means[4] >= 3 * means[0], (scene, means)
            for i in range(5):
                line = means[0] + (means[4] - means[0]) * i // 4
                assert abs(means[i] - line) <= means[4] // 12, (scene, bpm, means)


def test_few_pixels_are_as_bright_as_many():
    means = []
    for n in (2, 4, 6, 30):
        r = room(n=n)
        r.set(2048)
        r.run(6000)
        total = 0
        for _ in range(10):
            total += light(r)
        means.append(total // 10)
    assert max(means) < min(means) * 6 // 5, means


def test_brightness_dims_the_pulse_as_well():
    for dial in (51, 0):
        for told in (False, True):  # by a scene event, or the site's own
            means = []
            for bpm in (0, 75):
                r = room(n=20, brightness=255 if told else dial)
                r.bpm = bpm
                r.set(3000)
                if told:
                    r.light.on_scene(bytes((0, 4, dial, 255)), 0, 4, 1, -1)
                r.run(6000)
                means.append(light(r))
            assert abs(means[1] - means[0]) <= means[0] // 8 + 2, (dial, told, means)
            assert dial or not means[1]


def test_mediated_and_own_share_are_where_they_belong():
    """rho of the thread shows the visitor's own arousal in full, however much the rest is damped."""
    for rho in (1024, 2048, 4096):
        own, collective, g = 4096, 4096, 4096
        level = (rho * own + (4096 - rho) * ((4096 - g) * collective >> 12)) >> 12
        r = room()
        r.set(level, own=own, rho=rho, g=g, arousal=own)
        r.run(5000)
        border = 60 * rho >> 12
        mine = light(r, 0, border - 5 if rho < 4096 else 60)
        assert mine > 1400, (rho, mine)
        if rho < 4096:
            assert light(r, border + 5) < mine // 3


def test_the_own_length_appears_on_a_small_supply():
    """The border waits for room in the budget, in a strand that is dimmed too, and gets there."""
    r = room(budget_ma=300)
    r.set(2500, own=0, contact=0)
    r.run(12000)
    assert r.light.limited == 2 and r.light.guard.v[11] == 0
    r.set(2500)
    r.bpm = 70
    most = 0
    for _ in range(125):
        r.run(40)
        most = max(most, r.light.ma)
    v = r.light.guard.v
    assert v[11] == v[155] > 8000, (v[11], v[155])
    assert most <= 308, most


def test_an_offered_breath_is_in_everybodys_part_only():
    """A policy's guide: 0.1 Hz in the mediated light of a scene without a breath of its own; who opted out sees none."""
    for guide, hidden in ((0, 0), (255, 0), (255, 1)):
        r = room("hearth")
        r.set(2000, own=2000, rho=2048)
        r.damp.guide, r.damp.opted_out = guide, hidden
        r.run(6000)
        mine, ours = [], []
        for _ in range(20):
            r.run(500)
            y = r.light.guard.y
            mine.append(sum(y[i] for i in range(26)))
            ours.append(sum(y[i] for i in range(34, 60)))
        swing = max(ours) * 100 // min(ours)
        if guide and not hidden:
            assert swing > 200, ours
            assert max(mine) * 100 // min(mine) < swing - 60, (mine, ours)
            assert 4 <= (ours.index(max(ours)) - ours.index(min(ours))) % 20 <= 16, ours
        else:
            assert swing < 200, (guide, hidden, ours)


def test_untouched_strand_is_everybodys():
    r = room()
    r.set(3000, own=0, contact=0)
    r.run(3000)
    assert r.light.guard.v[11] == 0  # no border: nothing here is somebody's own


def test_own_colour_tells_valence_and_pale_tells_doubt():
    hues = {}
    for valence in (-4096, 0, 4096):
        r = room()
        r.set(3000)
        r.affect.valence = valence
        r.run(8000)
        hues[valence] = colour(r, 3)
    assert hues[-4096][2] > hues[0][2] > hues[4096][2]  # cool is bluer
    assert hues[4096][0] > hues[-4096][0]  # warm is redder
    r.affect.confidence = 20
    speed = r.light._arousal
    r.run(8000)
    pale = colour(r, 3)
    assert max(pale) - min(pale) < max(hues[4096]) - min(hues[4096])
    assert r.light._arousal >= speed  # paler, not calmer


def test_opted_out_is_neutral():
    """The same pixels whatever the visitor feels."""
    frames = []
    for level, valence in ((300, 3000), (4000, -3000)):
        r = room()
        r.damp.opted_out = 1
        r.set(level)
        r.damp.level, r.damp.collective = 1024, 1024
        r.affect.valence = valence
        r.bpm = 60 + level // 50
        r.run(6000)
        frames.append([bytes(r.strand.buf) for _ in range(20) if r.run(40) is None])
    assert frames[0] == frames[1]
    assert r.light.event_n == 0  # nobody is told that somebody left

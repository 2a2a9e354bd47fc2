"""Scenes: everywhere at once, without a jump, in phase, and nonsense is counted."""

from room import HEARTH, TIDE, light, room, scene_payload
from weave.light.scenes import (
    IDENTIFY,
    SCENES,
    find,
)


def test_scene_changes_at_the_agreed_time_on_all_strands_at_once():
    rooms = [room(x=500 * k) for k in range(3)]
    for k, r in enumerate(rooms):
        r.set(2000)
        r.mesh = 100000
        r.run(2000)
        payload = scene_payload("tide", 2000)
        r.light.on_scene(payload, 0, len(payload), 1, 105000)
        r.run(2900)
        assert r.light.scene == HEARTH
        r.run(260 + 20 * k)  # the look is taken at different times, the fade runs by the clock
        assert r.light.scene == TIDE and r.light.since == 105000
        r.run(840 - 20 * k)
        mix = r.light.guard.v[102]  # the middle of the waves, half way between the scenes'
        a, b = SCENES[HEARTH][2], SCENES[TIDE][2]
        assert abs(mix - (a[0] + a[1] // 2 + b[0] + b[1] // 2) // 2) < 120


def test_cross_fade_has_no_jump():
    for first, then in (
        ("hearth", "murmuration"),
        ("murmuration", "tide"),
        ("vigil", "hearth"),
        ("tide", "fault"),
    ):
        r = room(first)
        r.set(2500)
        r.run(5000)
        r.light.set_scene(find(then), r.mesh + 200)
        last = list(r.light.guard.y)
        for _ in range(100):
            r.run(40)
            for i in range(60):
                assert abs(r.light.guard.y[i] - last[i]) < 256, (first, then)
            last = list(r.light.guard.y)


def test_join_in_the_middle_of_the_show_is_in_phase():
    a = room("murmuration")
    a.set(2500, contact=0)
    a.run(12000)
    b = room("murmuration")
    b.set(2500, contact=0)
    b.mesh = a.mesh
    a.run(8000)
    b.run(8000)
    for i in range(60):
        assert abs(a.light.guard.y[i] - b.light.guard.y[i]) <= 40


def test_motion_is_continuous_from_strand_to_strand():
    """A strand that begins where another ends goes on with its waves."""
    n = 61
    a = room("murmuration", n=n, z=0, dz=1000)
    b = room("murmuration", n=n, z=1000, dz=1000)
    for r in (a, b):
        r.set(2500, contact=0)
        r.run(6000)
    for _ in range(50):
        a.run(40)
        b.run(40)
        va, vb = a.light.guard.v, b.light.guard.v
        for p, k in ((2, 3), (4, 5)):
            step = va[k] if va[k] < 32768 else va[k] - 65536
            gap = (va[p] + step * (n - 1) // 2 - vb[p]) & 0xFFFF
            assert min(gap, 65536 - gap) < 700, gap  # a hundredth of a cycle


def test_nonsense_is_counted_and_the_room_keeps_shining():
    r = room()
    r.set(2000)
    r.run(4000)
    before = light(r)
    lamp = r.light
    assert not lamp.set_scene(7, 0) and not lamp.set_scene(-1, 0)
    for k, payload in enumerate((b"", b"\x80", b"\x07\x1e", b"\xff" * 12)):
        lamp.on_scene(payload, 0, len(payload), 1, 0)
        assert lamp.rejected == 3 + k
    for payload in (b"", b"\x80" * 5, b"\x80" + bytes(8), b"\x80\xff\x7f\xff\x7f\xff\x7f\xff\x10"):
        lamp.on_echo(payload, 0, len(payload), 1, 0)
    assert lamp.rejected == 10
    r.run(2000)
    assert lamp.scene == HEARTH and abs(light(r) - before) < 100


def test_scene_from_a_clock_that_stepped_comes_at_once():
    r = room()
    r.set(1000)
    r.run(400)
    r.light.set_scene(TIDE, r.mesh + 3600000)  # an hour ahead
    r.run(400)
    assert r.light.scene == TIDE


def test_a_fade_whose_clock_stepped_back_ends():
    """By some seconds, or to where the mesh's time of many days stands: more than half a turn away is behind."""
    for now in (47000, 7 * 86400000 & 0x3FFFFFFF):
        r = room()
        r.set(2500)
        r.light.set_scene(TIDE, -1)
        r.run(1000)
        r.mesh = now
        r.run(4000)
        assert r.light.scene == TIDE and not r.light._fading, now
        assert r.light.guard.v[151] == SCENES[TIDE][1][0], now  # the waves are the new scene's


def test_brightness_and_vigour_travel_with_the_scene():
    r = room()
    r.set(3000)
    r.run(4000)
    bright = light(r)
    p = scene_payload("hearth", 1000, brightness=128, vigour=0)
    r.light.on_scene(p, 0, len(p), 1, r.mesh + 100)
    r.run(4000)
    assert 0.4 < light(r) / bright < 0.6
    r.set(3000, contact=0)
    r.run(4000)
    y = r.light.guard.y
    assert max(y) - min(y) < 150  # no waves left


def test_brightness_may_come_without_vigour():
    r = room()
    r.set(3000)
    r.run(4000)
    bright = light(r)
    r.light.on_scene(scene_payload("hearth", 1000, brightness=51), 0, 3, 1, -1)
    r.run(4000)
    assert light(r) < bright // 3


def test_one_strand_alone():
    r = room()
    r.set(2000)
    r.run(2000)
    r.light.show_only(IDENTIFY, r.now, 5000)
    r.run(4500)
    assert r.light.scene == HEARTH and r.light._shown == IDENTIFY
    r.run(2000)
    assert r.light._shown == HEARTH


def test_who_looks_for_a_strand_finds_it():
    """However dark and still the room's scene was made."""
    for brightness, vigour in ((255, 0), (0, 255)):
        r = room(n=20)
        r.set(2000)
        payload = scene_payload("hearth", 400, brightness, vigour)
        r.light.on_scene(payload, 0, len(payload), 1, -1)
        r.run(3000)
        r.light.show_only(IDENTIFY, r.now, 10000)
        r.run(5000)
        seen = []
        for _ in range(40):
            r.run(40)
            seen.append(r.light.guard.y[10])
        assert max(seen) - min(seen) > 2500, (brightness, vigour, min(seen), max(seen))

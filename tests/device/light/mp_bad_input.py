"""What makes no sense changes nothing, and the strand goes on shining."""

from room import Room, Strand
from weave.light import Site
from weave.light.scenes import SCENES, find

BIG = 20000


def shining(r):
    """It moves, has light, and nobody's colour is wrong."""
    r.run(1000)
    seen = []
    for _ in range(20):
        r.run(200)
        assert any(r.strand.buf)
        seen.append(bytes(r.strand.buf))
    assert len(set(seen)) > 5
    return True


def room(**site):
    r = Room(20, 3, Site(budget_ma=BIG, **site))
    r.set(2500)
    r.run(4000)
    return r


def test_unknown_scene():
    r = room()
    for number in (len(SCENES), 99, 255, -1, 1 << 20):
        assert not r.light.set_scene(number, -1)
    r.light.on_scene(bytes((200, 10)), 0, 2, 1, r.mesh)
    assert r.light.rejected == 6 and r.light.scene == 0
    r.light.show_only(77, r.now, 1000)
    assert shining(r) and r.light._shown == 0
    assert find("disco") == -1
    assert shining(room(scene="disco"))  # a name that a newer firmware wrote: the default


def test_unknown_parameters_of_a_scene():
    """What a newer firmware may append is ignored; what is missing has its default."""
    r = room()
    event = bytes((1, 4, 255, 255, 9, 9, 9, 9))
    for n in range(1, 9):
        r.light.on_scene(event, 0, n, 1, -1)
        assert r.light.rejected == 0
        assert shining(r) and r.light.scene == 1


def test_palette_out_of_range_is_refused():
    """Colours that are too bright, too dark, too red or beyond the wire never reach the kernel."""
    r = room()
    guard = r.light.guard
    v = guard.v
    kept = list(v[20:28])
    right = list(v[137:145])
    for wrong in (
        (65280, 65280, 65280),  # white: three times as bright as all else
        (0, 0, 0),
        (0, 65535, 0),
        (200, 70000, 300),
        (19584 * 256 // 183, 0, 0),  # dim
        (60000, 19000, 10000),
        (9000, 1 << 20, 1 << 20),
        (0, 0, 0, 19584),  # light of a channel that this strand does not have
    ):
        for side in (137, 141):
            for i in range(8):
                v[137 + i] = right[i]
            for k in range(3):
                v[side + guard.strand.order[k]] = wrong[k]
            v[side + 3] = wrong[3] if len(wrong) > 3 else 0
            guard.colour()
            assert list(v[20:28]) == kept, (wrong, list(v[20:28]))
    assert shining(r)


def test_strand_of_another_length():
    """A node told of fewer pixels than its buffer lights those; of more, as many as there are."""
    for said, there in ((10, 20), (20, 12), (300, 1)):
        s = Strand(there)
        s.n = said
        r = Room(site=Site(budget_ma=BIG), strand=s)
        n = min(said, there)
        assert len(r.light.guard.y) == n
        r.set(2500)
        assert shining(r)
        assert not any(s.buf[3 * n :])


def test_position_missing():
    """No site file, or a strand as a point: it hangs at the room's origin and shines."""
    for site in (None, Site(budget_ma=BIG, dz=0), Site(budget_ma=BIG, x=-1000000, y=1000000, z=1000000)):
        r = Room(20, 3, site)
        r.set(2500)
        assert shining(r)

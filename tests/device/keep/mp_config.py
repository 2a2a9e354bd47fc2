"""Configuration: two slots, every damage, a full filesystem, older and newer versions."""

from memory import Files
from weave.keep.config import Config
from weave.keep.store import read, write


def placed(v):
    """A step of migration: a place in one becomes three coordinates."""
    v["x"], v["y"], v["z"] = v.pop("place")
    return v


def test_config_round_trip_and_slots():
    fs = Files()
    c = Config(fs)
    for i in range(5):
        c.set("node", 100 + i)
        c.set("name", "fäden")
        assert c.dirty and c.save() and not c.dirty
        d = Config(fs)
        assert d.load() and d.node == 100 + i and d.name == "fäden" and d.sequence == i + 1
    assert sorted(fs.files) == ["/config.0", "/config.1"]


def test_config_refuses_with_reason():
    c = Config(Files())
    for name, value in (
        ("node", 65536),
        ("node", "x"),
        ("name", 5),
        ("name", "a" * 25),
        ("x", None),
        ("x", []),
    ):
        try:
            c.set(name, value)
            assert False, name
        except ValueError as e:
            assert name in str(e)
    try:
        c.set("nodee", 1)
        assert False
    except KeyError:
        pass
    assert c.node == 0 and not c.dirty
    c.set("x", "-1500")
    assert c.x == -1500


def test_every_bit_flip_of_the_newer_slot_falls_back():
    fs = Files()
    c = Config(fs)
    c.set("node", 1)
    c.save()
    c.set("node", 2)
    c.save()
    newer = "/config.%d" % (c.sequence & 1)
    whole = fs.files[newer]
    for i in range(len(whole)):
        for bit in (0, 3, 7):
            b = bytearray(whole)
            b[i] ^= 1 << bit
            fs.files[newer] = bytes(b)
            d = Config(fs)
            assert d.load() and d.node == 1, (i, bit)
    for n in range(len(whole)):
        fs.files[newer] = whole[:n]
        d = Config(fs)
        assert d.load() and d.node == 1, n


def test_both_slots_gone_means_defaults():
    fs = Files()
    fs.files["/config.0"] = b"\xff" * 600
    fs.files["/config.1"] = b"PW"
    c = Config(fs)
    assert not c.load() and c.node == 0 and c.scene == "hearth"


def test_sound_record_with_foreign_content():
    for body in (b"[]", b"no json", b'{"node": "x", "name": 7, "x": 2000000, "y": 12}'):
        fs = Files()
        assert write(fs, "/config.0", 1, 9, body)
        c = Config(fs)
        c.load()
        assert (c.node, c.name, c.x) == (0, "", 0)
    assert c.y == 12


def test_full_filesystem_keeps_the_old():
    fs = Files()
    c = Config(fs)
    c.set("node", 1)
    c.save()
    fs.full = True
    c.set("node", 2)
    assert not c.save() and c.dirty
    d = Config(fs)
    assert d.load() and d.node == 1
    fs.full = False
    assert c.save()


def test_migration_from_older_and_back_from_newer():
    fs = Files()
    write(fs, "/config.0", 1, 4, b'{"place": [1, 2, 3], "node": 7}')

    def two(v):
        v["brightness"] = 99
        return v

    c = Config(fs, 3, (placed, two))
    assert c.load() and (c.node, c.x, c.y, c.z, c.brightness) == (7, 1, 2, 3, 99) and c.dirty
    c.save()
    assert read(fs, "/config.1")[1] == 3
    write(fs, "/config.0", 9, 6, b'{"node": 8, "aura": [5]}')
    c = Config(fs)
    assert c.load() and c.node == 8
    c.set("node", 9)
    c.save()
    assert b'"aura": [5]' in fs.files["/config.1"]


def test_numbers_beyond_all_are_refused():
    for body in (b'{"x": 1e999, "y": 12}', b'{"x": -1e999, "y": 12}', b'{"y": 12, "x": 1e39}'):
        fs = Files()
        write(fs, "/config.0", 1, 9, body)
        c = Config(fs)
        c.load()
        assert (c.x, c.y) == (0, 12)


def test_65535_is_everybody_and_no_node():
    c = Config(Files())
    c.set("node", 65534)
    try:
        c.set("node", 65535)
        assert False
    except ValueError:
        assert c.node == 65534


def test_steps_are_taken_once_also_after_an_older_firmware():
    fs = Files()
    write(fs, "/config.0", 1, 4, b'{"place": [1, 2, 3]}')

    c = Config(fs, 2, (placed,))
    assert c.load() and c.save()
    old = Config(fs)
    assert old.load()
    old.set("name", "hall")
    assert old.save()
    c = Config(fs, 2, (placed,))
    assert c.load() and (c.x, c.name) == (1, "hall")

"""keep/ on a real littlefs whose power goes away at every single flash operation."""

PORTS = ("unix",)

import os

from memory import Flash, Nvs, PowerCut
from weave.keep import Keep

# as machine.reset_cause() numbers them on the ESP32
SOFT = 5


def fresh():
    flash = Flash()
    os.VfsLfs2.mkfs(flash)
    return flash


def mounted(flash):
    return os.VfsLfs2(flash)


def campaign(change, check, most=400):
    """Run `change` with the power cut at operation 0, 1, 2 ... until it gets through; `check` after every cut."""
    cuts = 0
    for kept in (0, 7, 100):  # bytes of the interrupted write that reach the flash
        for cut in range(most):
            flash = fresh()
            prepare(flash)
            flash.operations, flash.cut, flash.keep = 0, cut, kept
            try:
                change(mounted(flash))
                through = True
            except (PowerCut, OSError):
                through = False
            flash.cut = -1
            check(mounted(flash), through)
            cuts += 1
            if through:
                break
        else:
            assert False, "never got through"
    return cuts


def prepare(flash):
    k = Keep(mounted(flash), Nvs())
    for i in (1, 2):
        k.config.set("node", i)
        k.config.set("name", "n%d" % i)
        assert k.config.save()
    k.note("old", "an old note", 0)
    k.quiet(0)


def save_config(fs):
    k = Keep(fs, Nvs())
    k.config.set("node", 3)
    k.config.set("name", "n3")
    if not k.config.save():
        raise OSError(5)


def config_is_old_or_new(fs, through):
    c = Keep(fs, Nvs()).config
    assert c.node in ((3,) if through else (2, 3)), c.node
    assert c.name == "n%d" % c.node and c.sequence == c.node
    c.set("node", 77)  # and it can still be written
    assert c.save() and Keep(fs, Nvs()).config.node == 77


def test_configuration_is_never_lost():
    n = campaign(save_config, config_is_old_or_new)
    assert n > 15, n
    print("cuts", n)


def save_note(fs):
    k = Keep(fs, Nvs(), None, SOFT)
    k.note("new", "a new note", 0)
    if not k.quiet(0):
        raise OSError(5)


def notes_are_whole(fs, through):
    k = Keep(fs, Nvs())
    assert k.config.node == 2
    texts = [n["text"] for n in k.notes.read()]
    assert texts[0] == "an old note" and texts[1:] in (["a new note"], [] if not through else ["a new note"])


def test_notes_are_whole_or_absent():
    assert campaign(save_note, notes_are_whole) > 15


def test_full_littlefs_keeps_the_configuration():
    flash = fresh()
    prepare(flash)
    fs = mounted(flash)
    try:
        with fs.open("/big", "wb") as f:
            for _ in range(64):
                f.write(b"x" * 512)
    except OSError:
        pass
    c = Keep(fs, Nvs()).config
    c.set("name", "y" * 24)
    saved = c.save()
    d = Keep(mounted(flash), Nvs()).config
    assert d.node == 2 and d.name == ("y" * 24 if saved else "n2")


def test_wear_1000_saves():
    flash = fresh()
    fs = mounted(flash)
    k = Keep(fs, Nvs())
    for i in range(1000):
        k.config.set("node", i)
        k.config.save()
    assert Keep(mounted(flash), Nvs()).config.node == 999

"""boot.py: which of two firmware directories runs; every power cut while one is on trial ends in a whole one."""

PORTS = ("unix",)

import os

from boot import choose
from memory import Flash, PowerCut

ROOT = "/cut"


def put(path, text):
    with open(ROOT + path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)


def board(**files):
    """A littlefs mounted at ROOT with `files` (name -> content; a and b are firmwares)."""
    flash = Flash()
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), ROOT)
    for name in files:
        if name in ("a", "b"):
            os.mkdir(ROOT + "/" + name)
            put("/" + name + "/main.py", files[name])
        else:
            put("/" + name, files[name])
    return flash


def runs(n=1, **files):
    board(**files)
    try:
        return [choose(ROOT)[len(ROOT) :] for _ in range(n)]
    finally:
        os.umount(ROOT)


def test_choices():
    assert runs(main="x") == [""]
    assert runs(a="x") == ["/a"]
    assert runs(a="x", b="y") == ["/a"]
    assert runs(a="x", b="y", slot="b") == ["/b"]
    assert runs(b="y", slot="a") == ["/b"]  # the proven one is gone: better the other than none
    assert runs(a="x", b="y", slot="garbage\xff") == ["/a"]
    assert runs(a="x", trial="b") == ["/a"]  # trial without a firmware


def test_a_trial_has_three_boots():
    assert runs(5, a="x", b="y", slot="a", trial="b") == ["/b", "/b", "/b", "/a", "/a"]
    assert runs(4, a="x", b="y", slot="b", trial="a") == ["/a", "/a", "/a", "/b"]


def test_power_cut_at_every_operation_of_a_trial_boot():
    for cut in range(60):
        flash = board(a="x", b="y", slot="a", trial="b")
        flash.operations, flash.cut = 0, cut
        through = False
        try:
            choose(ROOT)
            through = True
        except PowerCut:
            pass
        os.umount(ROOT)
        flash.cut = -1
        os.mount(os.VfsLfs2(flash), ROOT)
        try:
            order = [choose(ROOT)[len(ROOT) :] for _ in range(5)]
        finally:
            os.umount(ROOT)
        assert order[-1] == "/a" and set(order) <= {"/a", "/b"} and order == sorted(order, reverse=True), (
            order
        )
        if through:
            return
    assert False


def test_a_word_that_is_no_text_stops_nothing():
    """What `echo b > slot` writes under Windows."""
    wide = b"\xff\xfeb\0\r\0\n\0"
    assert runs(a="x", b="y", slot=wide) == ["/a"]
    assert runs(a="x", b="y", trial=wide) == ["/a"]


def test_a_soft_reset_costs_a_trial_nothing():
    """Every command of the bench that opens the prompt ends in one."""
    board(a="x", b="y", slot="a", trial="b")
    try:
        assert [choose(ROOT, True) for _ in range(9)] == [ROOT + "/b"] * 9
        assert [choose(ROOT) for _ in range(4)] == [ROOT + "/b"] * 3 + [ROOT + "/a"]
        assert choose(ROOT, True) == ROOT + "/a"
    finally:
        os.umount(ROOT)

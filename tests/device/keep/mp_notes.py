"""Crash notes: bounded, counted, kept where there is no room, and made without memory."""

from heap import locked
from memory import Files, Nvs, fail
from weave.keep import Keep
from weave.keep.store import write

SOFT = 5  # as machine.reset_cause() numbers them on the ESP32


def test_notes_survive_and_are_bounded():
    fs, nvs = Files(), Nvs()
    for boot in range(12):
        k = Keep(fs, nvs, None, SOFT)
        k.mark(97 + boot)
        k.note("sense", fail("fault %d" % boot), 0)
        assert k.quiet(0)
    notes = Keep(fs, nvs).notes.read()
    assert [n["n"] for n in notes] == list(range(4, 12))
    last = notes[-1]
    assert (
        last["part"] == "sense" and "RuntimeError: fault 11" in last["text"] and "Traceback" in last["text"]
    )
    assert last["cause"] == SOFT and last["boot"] == 12 and last["free"] > 0 and last["marks"] == "l"
    assert len([f for f in fs.files if f.startswith("/note.")]) == 8


def test_the_same_fault_only_counts():
    fs = Files()
    k = Keep(fs, Nvs())
    e = fail()
    for _ in range(500):
        k.note("radio", e, 0)
    assert k.notes.taken == 1 and k.notes.dropped == 0 and len(k.notes.read()) == 1
    for i in range(9):
        k.note("radio", fail(str(i)), 0)
    assert len(k.notes.waiting) == 3 and k.notes.dropped == 7
    k.quiet(0)
    k.notes.clear()
    assert not k.notes.read() and not [f for f in fs.files if "note" in f]


def test_notes_wait_for_a_full_filesystem_and_fit():
    fs = Files()
    k = Keep(fs, Nvs())
    k.note("light", fail("x" * 3000), 0)
    fs.full = True
    assert not k.quiet(0) and len(k.notes.waiting) == 1
    fs.full = False
    assert k.quiet(0) and not k.notes.waiting
    assert len(fs.files["/note.0"]) < 900


def test_a_note_without_memory_does_not_raise():
    k = Keep(Files(), Nvs())
    e = fail()
    assert locked(k.note, "x", e, 0) is False
    assert k.notes.dropped == 1


def test_notes_that_are_not_ours_are_left_out():
    for body in (b"[]", b'{"part":"x"}', b"no json", b'{"n":"a"}', b"\xff"):
        fs = Files()
        k = Keep(fs, Nvs())
        k.note("sense", "one", 0)
        assert k.quiet(0)
        write(fs, "/note.3", 1, 3, body)
        k = Keep(fs, Nvs())
        k.note("sense", "two", 0)
        assert k.quiet(0), body
        assert [n["text"] for n in k.notes.read()] == ["one", "two"], body


def test_a_fault_that_found_no_room_is_noted_when_there_is_some():
    k = Keep(Files(), Nvs())
    for i in range(3):
        k.note("sense", fail(str(i)), 0)
    e = fail("the strand")
    assert not k.note("light", e, 0) and k.notes.dropped == 1
    assert k.quiet(0)
    assert k.note("light", e, 0) and k.notes.last["part"] == "light"
    assert not k.note("light", e, 0), "from now on it only counts"

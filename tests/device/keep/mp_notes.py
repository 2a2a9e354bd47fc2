"""Crash notes: bounded, counted, kept where there is no room, and made without memory."""

from heap import locked
from memory import Files, Nvs, fail
from weave.keep import Keep

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

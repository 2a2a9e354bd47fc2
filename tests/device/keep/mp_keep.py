"""keep/: configuration, crash notes, boot counter, watchdog, supervisor (both ports, in memory)."""

from heap import locked
from memory import Dog, Files, Nvs
from weave.keep import Keep
from weave.keep.config import Config
from weave.keep.store import read, write
from weave.keep.supervisor import Supervisor

# as machine.reset_cause() numbers them on the ESP32
POWER, HARD, WATCHDOG, SOFT = 1, 2, 3, 5


def node(nvs, cause, fs=None):
    return Keep(fs or Files(), nvs, None, cause)


def live(keep, seconds):
    for i in range(seconds * 50):
        keep.done = True
        keep.step(20 * i)
    keep.quiet(seconds * 1000)


def test_defaults_shine():
    c = Keep(Files(), Nvs()).config
    assert (c.node, c.name, c.cluster, c.scene, c.brightness, c.role) == (0, "", 1, "hearth", 255, "node")
    assert not c.dirty


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

    def one(v):
        v["x"], v["y"], v["z"] = v.pop("place")
        return v

    def two(v):
        v["brightness"] = 99
        return v

    c = Config(fs, 3, (one, two))
    assert c.load() and (c.node, c.x, c.y, c.z, c.brightness) == (7, 1, 2, 3, 99) and c.dirty
    c.save()
    assert read(fs, "/config.1")[1] == 3
    write(fs, "/config.0", 9, 6, b'{"node": 8, "aura": [5]}')
    c = Config(fs)
    assert c.load() and c.node == 8
    c.set("node", 9)
    c.save()
    assert b'"aura": [5]' in fs.files["/config.1"]


def test_five_crash_boots_are_safe_mode():
    nvs = Nvs()
    for i in range(4):
        assert not node(nvs, WATCHDOG if i & 1 else HARD).safe
    k = node(nvs, HARD)
    assert k.safe and k.boots == 5
    live(k, 61)
    assert node(nvs, HARD).safe
    k = node(nvs, POWER)  # the plug pulled: one more try
    assert not k.safe
    assert node(nvs, HARD).safe


def test_power_storm_is_no_crash():
    nvs = Nvs()
    for _ in range(100):
        assert not node(nvs, POWER).safe
        nvs.cut()
    for _ in range(50):
        assert not node(nvs, SOFT).safe
    assert node(nvs, POWER).boots == 151


def test_wanted_resets_are_no_crash():
    nvs = Nvs()
    for _ in range(10):
        k = node(nvs, HARD)
        k.leaving()
    assert k.bad == 1  # the first one only: nobody had asked for it


def test_a_minute_of_health_clears():
    nvs = Nvs()
    for _ in range(4):
        k = node(nvs, WATCHDOG)
    live(k, 59)
    assert k.bad == 4
    n = nvs.commits
    live(k, 2)
    assert k.bad == 0 and nvs.commits == n + 1
    live(k, 5)
    assert nvs.commits == n + 1
    assert not node(nvs, WATCHDOG).safe


def test_watchdog_only_after_a_whole_tick():
    dog = Dog()
    k = Keep(Files(), Nvs(), dog)
    k.step(0)
    assert dog.meals == 0
    k.done = True
    k.step(20)
    k.step(40)
    assert dog.meals == 1 and k.ticks == 1


def test_trial_firmware_is_confirmed_after_health():
    fs = Files()
    fs.files["/slot"] = b"a"
    fs.files["/trial"] = b"b.."
    k = Keep(fs, Nvs())
    live(k, 30)
    assert fs.files["/slot"] == b"a"
    live(k, 31)
    assert fs.files["/slot"] == b"b" and "/trial" not in fs.files


def fail(text="broken"):
    try:
        raise RuntimeError(text)
    except RuntimeError as e:
        return e


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


def test_watchdog_reset_leaves_a_note():
    k = node(Nvs(), WATCHDOG)
    assert k.notes.read()[0]["text"] == "watchdog"


def test_supervisor_backs_off_and_recovers():
    k = Keep(Files(), Nvs())
    sup = Supervisor(("sense", "light"), k)
    now, waits = 1000, []
    e = fail()
    for _ in range(9):
        assert sup.due(0, now) and sup.due(1, now)
        waits.append(sup.fault(0, e, now))
        assert not sup.due(0, now + waits[-1] * 1000 - 1)
        now += waits[-1] * 1000
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert sup.due(0, now) and not sup.wait[0]
    assert sup.fault(0, e, now + 10001) == 1  # it worked for ten seconds
    assert sup.faults[0] == 10 and sup.faults[1] == 0 and k.notes.taken == 1


def test_supervisor_across_the_wrap_of_ticks():
    from time import ticks_add

    sup = Supervisor(("a",), Keep(Files(), Nvs()))
    now = ticks_add(0, -500)
    assert sup.fault(0, fail(), now) == 1
    assert not sup.due(0, ticks_add(now, 999)) and sup.due(0, ticks_add(now, 1000))


def ticks(keep, sup, n):
    for i in range(n):
        for part in range(2):
            if not sup.wait[part] or sup.due(part, i):
                pass
        keep.mark(97 + i % 26)
        keep.done = True
        keep.step(i)


def test_steady_step_allocates_nothing():
    k = Keep(Files(), Nvs(), Dog())
    k.wdt = None
    sup = Supervisor(("a", "b"), k)
    k.ticks = 0x1FFFFFFF - 500
    locked(ticks, k, sup, 1000)
    assert k.ticks < 1000


def test_a_fault_is_held_without_any_memory():
    """The heap is locked: the note is lost, the part is put aside all the same."""
    keep = Keep(Files(), Nvs())
    s = Supervisor(("zeta", "jolt"), keep)
    error = MemoryError()
    assert locked(s.fault, 1, error, 1000) == 1
    assert s.wait[1] == 1 and s.faults[1] == 1 and not locked(s.due, 1, 1500) and locked(s.due, 1, 2000)
    assert keep.notes.dropped == 1 and keep.marks() == "J"

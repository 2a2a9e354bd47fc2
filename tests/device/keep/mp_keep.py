"""keep/: configuration, crash notes, boot counter, watchdog, supervisor (both ports, in memory)."""

from heap import locked
from memory import Dog, Files, Nvs, fail
from weave.keep import Keep
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
    fs.place = "/b"
    k = Keep(fs, Nvs())
    live(k, 30)
    assert fs.files["/slot"] == b"a"
    live(k, 31)
    assert fs.files["/slot"] == b"b" and "/trial" not in fs.files


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


def test_watchdog_reset_leaves_a_note():
    k = node(Nvs(), WATCHDOG)
    assert k.notes.read()[0]["text"] == "watchdog"


def test_a_deploy_leads_out_of_safe_mode():
    """deploy restarts softly: the cure must get its chance, once."""
    nvs = Nvs()
    for _ in range(5):
        k = node(nvs, HARD)
    assert k.safe
    assert not node(nvs, SOFT).safe
    assert node(nvs, HARD).safe


class Once(Nvs):
    """NVS that refuses one commit."""

    refuse = 0

    def commit(self):
        if self.refuse:
            self.refuse -= 1
            self.now = {}
            return False
        return super().commit()


def test_a_refused_commit_at_the_minute_of_health_is_tried_again():
    nvs = Once()
    for _ in range(4):
        k = node(nvs, HARD)
    nvs.refuse = 1
    live(k, 61)
    assert k.bad == 4, "status must say what the flash says"
    live(k, 1)
    assert k.bad == 0 == nvs.get("bad")


def test_firmware_that_did_not_run_is_not_confirmed():
    """boot.py could not count the trial's boot and ran the old one: its health proves nothing of the new one."""
    fs = Files()
    fs.files["/slot"], fs.files["/trial"] = b"a", b"b"
    fs.place = "/a"
    live(node(Nvs(), POWER, fs), 61)
    assert fs.files["/slot"] == b"a" and fs.files["/trial"] == b"b"
    fs.place = "/b"
    live(node(Nvs(), POWER, fs), 61)
    assert fs.files["/slot"] == b"b" and "/trial" not in fs.files

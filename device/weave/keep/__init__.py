"""What a node remembers and what keeps it going: configuration, crash notes, boot counter, watchdog, supervisor.

In: a filesystem (methods of VfsLfs2), NVS, a watchdog with feed() or None, the cause of this boot.
Out: `config`, `boots`, `safe`, `notes`.
Nothing is written in step(): flash writes stop everything for up to 80 ms, so they wait for quiet(now), which the node
calls when nobody is touching it.
"""

from .config import Config
from .notes import Notes

# Causes of a boot, as ESP32's machine.reset_cause() numbers them. Brown-outs read as POWER there, panics as HARD.
_POWER = const(1)
_HARD = const(2)
_WATCHDOG = const(3)
_SOFT = const(5)

_BAD = const(5)  # crash boots until safe mode
_HEALTHY_TICKS = const(3000)  # 60 s of complete ticks
_MARKS = const(16)


class Keep:
    """`cause` is machine.reset_cause(); `boots` counts all boots, `bad` crash boots without 60 s of health between."""

    def __init__(self, fs, nvs, wdt=None, cause=_POWER):
        self.wdt = wdt  # may be set later: the watchdog is armed after the first good second
        self.done = False  # the tick says so at its end, when it did all its work
        self.ticks = 0  # complete ticks since start
        self.cause = cause
        self._fs = fs
        self._nvs = nvs
        self._marks = bytearray(b" " * _MARKS)
        self._mark = 0
        self._clean = False  # the bad-boot counter of this run is cleared
        self.notes = Notes(fs)
        self.config = Config(fs)
        self.config.load()
        self._count()

    def _count(self):
        """Count this boot. A reset asked for, a power cut or a soft reset is no crash."""
        nvs = self._nvs
        self.boots = (nvs.get("boots") + 1) & 0x3FFFFFFF
        bad = nvs.get("bad")
        wanted = nvs.get("wanted")
        if self.cause == _WATCHDOG or (self.cause == _HARD and not wanted):
            bad += 1
            self.note("boot", "watchdog" if self.cause == _WATCHDOG else "crash", 0)
        elif self.cause in (_POWER, _SOFT) and bad >= _BAD:
            # somebody pulled the plug, or deployed, to try again: one crash more and it is safe mode at once
            bad = _BAD - 1
        self.bad = bad
        self.safe = bad >= _BAD
        nvs.set("boots", self.boots)
        nvs.set("bad", bad)
        if wanted:
            nvs.set("wanted", 0)
        nvs.commit()

    def step(self, now) -> None:
        """Last in the tick: feed the watchdog, but only after a tick that did all its work."""
        if self.done:
            self.done = False
            self.ticks = (self.ticks + 1) & 0x1FFFFFFF  # 124 days; one bit below what fits
            if self.wdt:
                self.wdt.feed()

    def uptime(self):
        """Seconds of complete ticks since start."""
        return self.ticks // 50

    def note(self, part, error, now):
        """Keep what went wrong in `part` (an exception or a text) until it can be written; True where it is new."""
        return self.notes.take(part, error, self)

    def mark(self, code):
        """Remember that event `code` (a letter's number) happened; the last 16 stand in every note. No allocation."""
        self._marks[self._mark] = code
        self._mark = (self._mark + 1) & (_MARKS - 1)

    def marks(self):
        """The last events as letters, newest last."""
        m, n = self._marks, self._mark
        return (m[n:] + m[:n]).decode().strip()

    def healthy(self, now):
        """After 60 s of complete ticks: clear the crash counter, confirm firmware on trial. True where it wrote.

        Call it now and then (once a second is plenty); it writes once. In safe mode the counter stays.
        """
        if self._clean or self.safe or self.ticks < _HEALTHY_TICKS:
            return False
        if self.bad:
            self._nvs.set("bad", 0)
            if self._nvs.commit():
                self.bad = 0
        self._clean = not self.bad
        confirm(self._fs)
        return True

    def quiet(self, now):
        """A moment in which 80 ms do not matter: write what waits. True where something was written."""
        wrote = self.healthy(now)
        if self.config.dirty:
            wrote = self.config.save() or wrote
        if self.notes.waiting:
            wrote = self.notes.save() or wrote
        return wrote

    def leaving(self):
        """Before a reset that is wanted: it does not count as a crash; what waits is written."""
        self.quiet(0)
        self._nvs.set("wanted", 1)
        self._nvs.commit()


def confirm(fs):
    """Make the firmware directory on trial the chosen one (see boot.py); nothing where none is on trial."""
    try:
        with fs.open("/trial", "r") as f:
            slot = f.read(1)
        if slot in ("a", "b"):
            if fs.getcwd() != "/" + slot:
                return  # it has not run: boot.py could not count its boot
            with fs.open("/slot~", "w") as f:
                f.write(slot)
            fs.rename("/slot~", "/slot")
        fs.remove("/trial")
    except OSError:
        pass  # none on trial, or still on trial: tried again after the next boot

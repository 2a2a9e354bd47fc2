"""Crash notes: what went wrong, kept through resets in a ring of eight small files.

In: exceptions. Out: dictionaries with `part`, `text` (the traceback), `cause` of the last reset, `up_s` uptime in seconds,
`free` heap in bytes, `boot` number, `marks` (the last events, hexadecimal, newest last), `n` running number.
A note waits in memory until a quiet moment. The same fault again only counts, so that a part which fails every minute
does not wear the flash.
"""

import gc
import io
import json
import sys

from micropython import const

from .store import read, write

_FILES = const(8)
_PATH = "/note.%d"
_WAITING = const(3)  # notes that wait in memory
_TEXT = const(400)  # bytes of traceback
_SEEN = const(4)  # different faults remembered


def traceback(exception):
    """The traceback of `exception` as text, at most 400 characters."""
    page = io.StringIO()
    sys.print_exception(exception, page)
    return page.getvalue()[:_TEXT]


class Notes:
    """The ring on `fs`; `taken` counts notes since start, `repeats` faults already noted, `dropped` notes without room."""

    def __init__(self, fs):
        self._fs = fs
        self._waiting = []
        self._seen = [None] * _SEEN
        self._next = None  # running number of the next note, known after the first look at the flash
        self.last = None  # the newest note
        self.taken = 0
        self.repeats = 0
        self.dropped = 0

    def take(self, part, exception, keep):
        """Note a fault; True where it was a new one. Never raises, not even without memory."""
        try:
            text = exception if isinstance(exception, str) else traceback(exception)
            mark = (part, text)
            if mark in self._seen:
                self.repeats += 1
                return False
            note = {
                "part": part,
                "text": text,
                "cause": keep.cause,
                "boot": keep.boots,
                "up_s": keep.uptime(),
            }
            note["free"] = gc.mem_free()
            note["marks"] = keep.marks()
            self._seen[self.taken % _SEEN] = mark
            self.taken += 1
            self.last = note
            if len(self._waiting) < _WAITING:
                self._waiting.append(note)
            else:
                self.dropped += 1  # the first notes tell most: they stay
            return True
        except MemoryError:
            self.dropped += 1
            return False

    def waiting(self):
        """How many notes are not on flash yet."""
        return len(self._waiting)

    def save(self):
        """Write the waiting notes; False where the filesystem refused (they go on waiting)."""
        if self._next is None:
            kept = self.kept()
            self._next = kept[-1]["n"] + 1 if kept else 0
        while self._waiting:
            n = self._next
            self._waiting[0]["n"] = n
            if not write(self._fs, _PATH % (n % _FILES), 1, n, json.dumps(self._waiting[0]).encode()):
                return False
            self._next = n + 1
            self._waiting.pop(0)
        return True

    def read(self):
        """All notes, oldest first, those still waiting last."""
        return self.kept() + self._waiting

    def clear(self):
        """Forget every note, on flash too."""
        self._waiting.clear()
        self._seen = [None] * _SEEN
        for i in range(_FILES):
            try:
                self._fs.remove(_PATH % i)
            except OSError:
                pass

    def kept(self):
        """The notes on flash, oldest first."""
        found = [read(self._fs, _PATH % i) for i in range(_FILES)]
        return sorted([json.loads(r[2]) for r in found if r], key=lambda note: note["n"])

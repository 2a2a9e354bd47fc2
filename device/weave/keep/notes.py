"""Crash notes: what went wrong, kept through resets in a ring of eight small files.

In: exceptions. Out: dictionaries with `part`, `text` (the traceback), `cause` of the last reset, `up_s` uptime in seconds,
`free` heap in bytes, `boot` number, `marks` (the last events, newest last), `n` running number.
A note waits in memory until a quiet moment. The same fault again only counts, so that a part which fails every minute
does not wear the flash.
"""

import gc
import json
import sys
from io import StringIO

from .store import read, write

_FILES = const(8)
_PATH = const("/note.%d")
_MOST = const(3)  # notes that wait in memory
_TEXT = const(400)  # bytes of traceback
_SEEN = const(4)  # different faults remembered


class Notes:
    """The ring on `fs`; `waiting` are not on flash yet; `taken` counts notes since start, `dropped` those without room."""

    def __init__(self, fs):
        self._fs = fs
        self.waiting = []
        self._seen = [None] * _SEEN
        self._next = None  # running number of the next note, known after the first look at the flash
        self.last = None  # the newest note
        self.taken = 0
        self.dropped = 0

    def take(self, part, error, keep):
        """Note a fault; True where it was a new one. Never raises, not even without memory."""
        try:
            text = error
            if not isinstance(text, str):
                page = StringIO()
                sys.print_exception(error, page)
                text = page.getvalue()[:_TEXT]
            mark = (part, text)
            if mark in self._seen:
                return False
            note = {
                "part": part,
                "text": text,
                "cause": keep.cause,
                "boot": keep.boots,
                "up_s": keep.uptime(),
                "free": gc.mem_free(),
                "marks": keep.marks(),
            }
            if len(self.waiting) == _MOST:
                self.dropped += 1  # the first notes tell most: they stay
                return False
            self.waiting.append(note)
            self._seen[self.taken % _SEEN] = mark
            self.taken += 1
            self.last = note
            return True
        except MemoryError:
            self.dropped += 1
            return False

    def save(self):
        """Write the waiting notes; False where the filesystem refused (they go on waiting)."""
        if self._next is None:
            kept = self.kept()
            self._next = kept[-1]["n"] + 1 if kept else 0
        while self.waiting:
            n = self._next
            self.waiting[0]["n"] = n
            if not write(self._fs, _PATH % (n % _FILES), 1, n, json.dumps(self.waiting[0]).encode()):
                return False
            self._next = n + 1
            self.waiting.pop(0)
        return True

    def read(self):
        """All notes, oldest first, those still waiting last."""
        return self.kept() + self.waiting

    def clear(self):
        """Forget every note, on flash too."""
        self.waiting.clear()
        self._seen = [None] * _SEEN
        for i in range(_FILES):
            try:
                self._fs.remove(_PATH % i)
            except OSError:
                pass

    def kept(self):
        """The notes on flash, oldest first."""
        found = []
        for i in range(_FILES):
            try:
                note = json.loads(read(self._fs, _PATH % i)[2])
                note["n"] += 0
                found.append(note)
            except (TypeError, KeyError, ValueError):
                pass  # none there, or none of ours
        return sorted(found, key=lambda note: note["n"])

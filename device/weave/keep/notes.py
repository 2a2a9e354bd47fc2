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
_WAITING = const(3)  # notes that wait in memory
_TEXT = const(400)  # bytes of traceback
_SEEN = const(4)  # different faults remembered


class _Page(io.IOBase):
    """A stream that keeps the first _TEXT bytes written to it."""

    def __init__(self):
        self.text = bytearray()

    def write(self, data):
        room = _TEXT - len(self.text)
        if room > 0:
            self.text.extend(data if len(data) <= room else bytes(data)[:room])
        return len(data)


def traceback(exception):
    """The traceback of `exception` as text, at most 400 bytes."""
    page = _Page()
    sys.print_exception(exception, page)
    return page.text.decode()


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

    def take(self, part, exception, cause, up_s, boot, marks):
        """Note a fault; True where it was a new one. Never raises, not even without memory."""
        try:
            text = exception if isinstance(exception, str) else traceback(exception)
            mark = (part, text)
            if mark in self._seen:
                self.repeats += 1
                return False
            note = {"part": part, "text": text, "cause": cause, "up_s": up_s}
            note.update({"free": gc.mem_free(), "boot": boot, "marks": marks})
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
            self._next = max([n for n, _ in self._kept()] or [-1]) + 1
        while self._waiting:
            note = self._waiting[0]
            note["n"] = self._next
            if not write(
                self._fs, "/note.%d" % (self._next % _FILES), 1, self._next, json.dumps(note).encode()
            ):
                return False
            self._next += 1
            self._waiting.pop(0)
        return True

    def read(self):
        """All notes, oldest first, those still waiting last."""
        kept = sorted(self._kept(), key=lambda k: k[0])
        return [note for _, note in kept] + list(self._waiting)

    def clear(self):
        """Forget every note, on flash too."""
        self._waiting.clear()
        self._seen = [None] * _SEEN
        for i in range(_FILES):
            try:
                self._fs.remove("/note.%d" % i)
            except OSError:
                pass

    def _kept(self):
        out = []
        for i in range(_FILES):
            found = read(self._fs, "/note.%d" % i)
            if found:
                try:
                    out.append((found[0], json.loads(found[2])))
                except ValueError:
                    pass
        return out

"""The console: one serial line for people with a terminal and for hosts, shared with the REPL.

In: bytes of a port; the node's parts. Out: text, and frames between it (out.py, streams.py; layouts in README.md). Lines are
plain commands (commands.py), or `@base64(payload, CRC-32)` from a host. A line is at most 255 bytes; what is longer or
not printable is thrown away and counted. step() never waits, and idle or streaming frames it allocates nothing.
Commands and streams are loaded when first asked for.
"""

from time import ticks_add, ticks_diff

from micropython import const

from .out import Out

_LINE = const(256)
_JOBS = const(4)
_PART = const(80)  # bytes of text at once
_FULL = const(350)  # bytes waiting at which answers pause: a frame must find room
_ECHO = const(200)  # bytes waiting that end the echo: garbage must not crowd out frames
_RAW_MS = const(600000)  # raw ends by itself
_SHORT = const(12)  # values in a line of text
_FRAMES = const(3)
_LOG = const(3)  # kinds of frames, as in streams.py
_CRASH = const(4)
_ANSWER = const(6)


class Console:
    """`watch`, `beats`: 0 off, 1 text, 2 JSON, 3 frames; `raw` 1 while raw samples leave (the strand must show it);
    `reboot` 1 when somebody asked for it; `garbage` counts lines thrown away."""

    def __init__(self, port, node):
        self.node = node
        self.out = Out()
        self.watch = self.beats = self.raw = self.reboot = self.garbage = self.mode = 0
        self.now = self.since = self._next = self._beat = self._notes = 0
        self.streams = None  # the module, once something streams
        self.table = None  # what state frames hold
        self.samples = None  # what gathers raw samples
        self._buf = port.buf
        self._read = port.read
        self._write = port.write
        self._line = bytearray(_LINE)
        self._one = bytearray(1)
        self._n = 0
        self._bad = False  # this line is garbage
        self._busy = False
        self._jobs = []  # iterators of bytes (text) or (kind, bytes)

    def step(self, now):
        """Take what came in, let out what fits."""
        n = self._read()
        if n:
            self.now = now
            self._take(n)
        if self._busy:
            self._work(now)

    def log(self, text):
        """Tell whoever is watching; where nobody is, nothing happens."""
        if self.watch:
            self._say(text, _LOG if self.watch == _FRAMES else 0)

    # --- in

    def _take(self, n):
        self._busy = True
        line = self._line
        for i in range(n):
            b = self._buf[i]
            k = self._n
            if b == 10 or b == 13:
                if self._bad:
                    self.garbage += 1
                elif k:
                    self._end(bytes(memoryview(line)[:k]))
                self._n = 0
                self._bad = False
            elif b == 8 or b == 127:
                if k:
                    self._n = k - 1
                    self.out.text(b"\b \b")
            elif b < 32 or k == _LINE - 1:
                self._bad = True
            else:
                line[k] = b
                self._n = k + 1
                if line[0] != 64 and self.out.used < _ECHO:  # people see what they type
                    self._one[0] = b
                    self.out.text(self._one)

    def _end(self, data):
        """A line is complete: a command, or what a host says."""
        try:
            if data[0] == 64:
                self._host(data[1:])
                return
            words = data.decode().split()
        except Exception:  # not UTF-8, not base64, not its CRC: which exception depends on the port
            self.garbage += 1
            return
        self.out.text(b"\r\n")
        if words:
            doc = self.run(words)
            if not self.mode:
                from .commands import text

                doc = text(doc)
            self._say(doc)

    def _host(self, data):
        """A host's line: kind, number, text of a command or (kind 2) a sealed command for the mesh; answered in frames."""
        from binascii import a2b_base64, crc32

        data = a2b_base64(data)
        n = len(data) - 4
        if n < 3 or crc32(data[:n]) != int.from_bytes(data[n:], "little"):
            raise ValueError
        if data[0] == 2:
            doc = {"sent": int(self.node.mesh.send_command(data[2:n], n - 2))}
        else:
            doc = self.run(data[2:n].decode().split() or "?")
        self._say(doc, _ANSWER, data[1])

    def run(self, words):
        """The document that answers a command; never raises. `mode` is left at 1 where JSON was asked for, 2 frames."""
        self.mode = 0
        for flag in ("-j", "-f"):
            if flag in words:
                words.remove(flag)
                self.mode += 1 if flag == "-j" else 2
        try:
            from .commands import answer

            return answer(self, words)
        except ValueError as e:
            return {"error": str(e)}
        except Exception as e:  # a part is missing, or worse: said, noted, survived
            if hasattr(self.node, "keep"):
                self.node.keep.note("console", e, self.now)
            return {"error": "%s cannot: %r" % (words[0], e)}

    # --- out

    def _say(self, doc, kind=0, number=0):
        """Text, lines of text, or a document as JSON; as lines, or in frames of a kind."""
        if isinstance(doc, dict) or (kind or self.mode) and isinstance(doc, list):
            import json

            doc = json.dumps(doc)
        if len(self._jobs) < _JOBS:
            self._jobs.append(self._parts([doc] if isinstance(doc, str) else doc, kind, number))
        else:
            self.out.dropped += 1
        self._busy = True

    def _parts(self, rows, kind, number):
        """Rows of text as bytes, or as frames' payloads: number, 1 on the last one, text."""
        for row in rows:
            data = row.encode()
            for i in range(0, len(data) or 1, _PART):
                part = data[i : i + _PART]
                yield (kind, bytes((number, i + _PART >= len(data))) + part) if kind else part
            if not kind:
                yield b"\r\n"

    def _work(self, now):
        """Streams, answers, and the ring."""
        self.now = now
        out = self.out
        jobs = self._jobs
        while jobs and out.used < _FULL:
            item = next(jobs[0], None)
            if item is None:
                jobs.pop(0)
            elif isinstance(item, tuple):
                n = len(item[1])
                out.body[2 : 2 + n] = item[1]
                out.frame(item[0], n)
            else:
                out.text(item)
        node = self.node
        if self.watch and ticks_diff(now, self._next) >= 0:
            self._next = ticks_add(now, 1000)
            self._watch(node, now)
        if self.beats and node.sense.beats != self._beat:
            s = node.sense
            self._beat = s.beats
            if self.beats == _FRAMES:
                self.streams.beat(s, out)
            else:
                doc = {"beat_ms": s.beat_ms, "ibi_ms": s.ibi_q4 / 16, "quality": s.quality, "gap": s.gap}
                self._show(doc, self.beats)
        if self.raw:
            if node.sense.contact and ticks_diff(now, self.since) < _RAW_MS:
                self.samples.step(node.sense, now, out)
            else:
                self.raw = 0  # the hand that said yes is gone
        if out.used:
            out.drain(self._write)
        elif not (jobs or self.watch or self.beats or self.raw):
            self._busy = False

    def _watch(self, node, now):
        """Once a second: the state, and a new crash note."""
        if self.watch == _FRAMES:
            self.streams.state(self.table, now, self.out)
            if hasattr(node, "keep") and node.keep.notes.taken != self._notes:
                self._notes = node.keep.notes.taken
                self._say(node.keep.notes.last, _CRASH)
        else:
            from .commands import values

            self._show(values(self.table[:_SHORT] if self.watch == 1 else self.table), self.watch)

    def _show(self, doc, how):
        """One document on one line: as text (how 1) or JSON."""
        from .commands import row

        self._say(row(doc) if how == 1 else doc)

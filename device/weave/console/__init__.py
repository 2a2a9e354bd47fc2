"""The console: one serial line for people with a terminal and for hosts, shared with the REPL.

In: bytes of a port; the node's parts. Out: text, and frames between it (out.py, streams.py; layouts in README.md). Lines are
plain commands (commands.py), or `@base64(payload, CRC-32)` from a host. A line is at most 255 bytes; what is longer or
not printable is thrown away and counted. step() never waits, and idle or streaming frames it allocates nothing.
What understands lines and writes answers (lines.py, commands.py, streams.py) is loaded with the first of them.
"""

from time import ticks_add, ticks_diff

from micropython import const

from .out import Out

_LINE = const(256)
_FULL = const(350)  # bytes waiting at which answers pause: a frame must find room
_ECHO = const(200)  # bytes waiting that end the echo: garbage must not crowd out frames
_RAW_MS = const(600000)  # raw ends by itself
_FRAMES = const(3)
_LOG = const(3)  # kinds of frames, as in streams.py
_CRASH = const(4)


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
        self.gate = self.ask = None  # the gateway stream, once a host asked for it
        self._buf = port.buf
        self._read = port.read
        self._write = port.write
        self._line = bytearray(_LINE)
        self._one = bytearray(1)
        self._n = 0
        self._bad = False  # this line is garbage
        self.busy = False
        self.jobs = []  # iterators of bytes (text) or (kind, bytes)

    def step(self, now):
        """Take what came in, let out what fits."""
        n = self._read()
        if n:
            self.now = now
            self._take(n)
        if self.busy:
            self._work(now)

    def log(self, text):
        """Tell whoever is watching; where nobody is, nothing happens."""
        if self.watch:
            from weave.console.lines import say

            say(self, text, _LOG if self.watch == _FRAMES else 0)

    def run(self, words):
        """The document that answers a command; never raises. `mode` is left at 1 where JSON was asked for, 2 frames."""
        from weave.console.lines import run

        return run(self, words)

    # --- in

    def _take(self, n):
        self.busy = True
        line = self._line
        for i in range(n):
            b = self._buf[i]
            k = self._n
            if b == 10 or b == 13:
                bad = self._bad
                self._bad = False
                self._n = 0
                if bad:
                    self.garbage += 1
                elif k:
                    from weave.console.lines import end

                    end(self, bytes(memoryview(line)[:k]))
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

    # --- out

    def _work(self, now):
        """Streams, answers, and the ring."""
        self.now = now
        out = self.out
        jobs = self.jobs
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
                from weave.console.lines import beat

                beat(self, s)
        if self.raw:
            if node.sense.contact and ticks_diff(now, self.since) < _RAW_MS:
                self.samples.step(node.sense, now, out)
            else:
                self.raw = 0  # the hand that said yes is gone
        if self.gate:
            self.gate.send(now)
        if out.used:
            out.drain(self._write)
        elif not (jobs or self.watch or self.beats or self.raw or self.gate):
            self.busy = False

    def _watch(self, node, now):
        """Once a second: the state, and a new crash note."""
        if self.watch == _FRAMES:
            self.streams.state(self.table, now, self.out)
            notes = node.keep.notes if hasattr(node, "keep") else None
            if notes and notes.taken != self._notes:
                from weave.console.lines import say

                self._notes = notes.taken
                say(self, notes.last, _CRASH)
        else:
            from weave.console.lines import watch

            watch(self)

"""The console: one serial line for people with a terminal and for hosts, shared with the REPL.

In: bytes of a port; the node's parts. Out: text, and frames between it (out.py, streams.py; layouts in README.md). Lines are
plain commands (commands.py), or `@base64(payload, CRC-32)` from a host. A line is at most 255 bytes; what is longer or
not printable is thrown away and counted. step() never waits, and idle or streaming frames it allocates nothing.
What understands lines and writes answers (lines.py, commands.py, streams.py) is loaded with the first of them.
"""

from .out import Out

_LINE = const(256)
_FULL = const(350)  # bytes waiting at which answers pause: a frame must find room
_ECHO = const(200)  # bytes waiting that end the echo: garbage must not crowd out frames


class Console:
    """`watch`, `beats`: 0 off, 1 text, 2 JSON, 3 frames; `raw` 1 while raw samples leave (the strand shows it);
    `reboot` 1 when somebody asked for it; `garbage` counts lines thrown away."""

    def __init__(self, port, node):
        self.node = node
        self.out = Out()
        self.watch = self.beats = self.raw = self.reboot = self.garbage = 0
        self.now = self.mode = 0
        self.lines = None  # the module, once there was a line
        self.flow = None  # what streams states, beats and raw samples, once they were asked for
        self.ask = None  # what a host asked of the gateway stream
        self._buf = port.buf
        self._read = port.read
        self._write = port.write
        self._line = bytearray(_LINE)
        self._one = bytearray(1)
        self._n = 0
        self._bad = False  # this line is garbage
        self.busy = False
        self.jobs = []  # iterators of (kind, bytes): frames, or text where kind is 0
        self.streams = []  # called with now in every tick, once something was asked for

    def step(self, now) -> None:
        """Take what came in, let out what fits."""
        n = self._read()
        if n:
            self.now = now
            self._take(n)
        if self.busy:
            self._work(now)

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
                    from weave.console import lines

                    self.lines = lines
                    lines.end(self, bytes(memoryview(line)[:k]))
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
            if not item:
                jobs.pop(0)
            elif item[0]:
                out.send(item[0], item[1])
            else:
                out.text(item[1])
        for stream in self.streams:
            stream(now)
        if out.used:
            out.drain(self._write)
        elif not (jobs or self.streams):
            self.busy = False

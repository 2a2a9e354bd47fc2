"""The console's port: the standard streams of the board (UART0 or native USB), shared with the REPL.

read() returns how many bytes wait in `buf`; write() takes at most what the transmit FIFO swallows at once, so neither
blocks. Ctrl-C stays MicroPython's own: mpremote can always break in.
"""

import select

_IN = const(64)
_IDLE = const(3)  # ticks between looks at a quiet line
_OUT = const(96)  # UART FIFO: 128 bytes; at 115200 baud a tick moves 230


class Port:
    """Wraps binary streams `stdin` and `stdout` (with readinto and write)."""

    def __init__(self, stdin, stdout):
        self.buf = bytearray(_IN)
        self._one = bytearray(1)
        self._idle = 0
        self._in = stdin
        self._out = stdout
        self._poll = select.poll()
        self._poll.register(stdin, select.POLLIN)
        self._ready = self._poll.ipoll

    def read(self) -> int:
        """Bytes now in `buf` (0..64); a quiet line is looked at every fourth tick, a busy one every tick."""
        if self._idle:
            self._idle -= 1
            return 0
        n = 0
        while n < _IN:
            hit = False
            for _ in self._ready(0):
                hit = True
            if not hit or not self._in.readinto(self._one):  # nothing there, or the host closed the line
                break
            self.buf[n] = self._one[0]
            n += 1
        if not n:
            self._idle = _IDLE
        return n

    def write(self, view, n):
        """Send the first n bytes of `view`; returns how many were taken (0..96)."""
        if n <= 0:
            return 0
        if n > _OUT:
            n = _OUT
        return self._out.write(view, n) or 0

"""The two ends of a virtual board's console line: what the host typed, what the board printed."""

import io

POLL = 3
POLLIN = 1
POLLOUT = 4


class Typed(io.IOBase):
    """Standard input of a board: bytes the host has sent and the board has not read."""

    def __init__(self):
        self._bytes = b""
        self._at = 0

    def put(self, data):
        self._bytes = self._bytes[self._at :] + data
        self._at = 0

    def ioctl(self, request, flags):
        if request == POLL:
            return flags & POLLIN if self._at < len(self._bytes) else 0
        return 0

    def readinto(self, buf):
        if self._at >= len(self._bytes):
            return None
        buf[0] = self._bytes[self._at]
        self._at += 1
        return 1


class Printed(io.IOBase):
    """Standard output of a board: kept until the host takes it, the oldest lost beyond `limit` bytes."""

    def __init__(self, limit=1 << 16):
        self._parts = []
        self._size = 0
        self._limit = limit

    def ioctl(self, request, flags):
        return flags & POLLOUT if request == POLL else 0

    def write(self, data, n=None):
        n = len(data) if n is None else n
        self._parts.append(bytes(data[:n]))
        self._size += n
        while self._size > self._limit and len(self._parts) > 1:
            self._size -= len(self._parts.pop(0))
        return n

    def take(self):
        if not self._parts:
            return b""
        data = b"".join(self._parts)
        self._parts = []
        self._size = 0
        return data

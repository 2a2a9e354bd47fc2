"""The way out: text and frames into a bounded ring, from the ring to the port, never waiting.

A frame is 00 COBS(kind u8, sequence u8, payload, CRC-32) 00 (Cheshire & Baker 1999; CRC as in zlib, little-endian).
Text holds no zero, so the two never garble each other: what lies between zeros and has a sound CRC is a frame, the
rest is text.
In: `body[2:]`, filled by the caller, and its length; or text. What finds no room is dropped whole and counted.
Nothing here allocates. CRC in two halves of 16 bits, a nibble at a time: a 32-bit value would be a heap object.
"""

from array import array

_SIZE = const(512)  # a power of two
_MASK = const(511)
_CHUNK = const(96)  # what a UART's FIFO takes at once
_PAYLOAD = const(96)


class Out:
    """`body`: kind, sequence, then up to 96 bytes of payload; `used` bytes wait; `dropped` texts and frames had no room."""

    def __init__(self):
        self.body = bytearray(_PAYLOAD + 6)
        self.used = 0
        self.dropped = 0
        self._ring = bytearray(_SIZE)
        self._start = 0
        self._chunk = bytearray(_CHUNK)
        self._view = memoryview(self._chunk)
        self._sequence = 0
        self._hi = array("H")
        self._lo = array("H")
        for i in range(16):  # CRC-32, reflected polynomial, of a nibble
            for _ in range(4):
                i = i >> 1 ^ (0xEDB88320 if i & 1 else 0)
            self._hi.append(i >> 16)
            self._lo.append(i & 0xFFFF)

    def text(self, data):
        """Queue bytes without a zero among them; False where there is no room."""
        n = len(data)
        if n > _SIZE - self.used:
            self.dropped += 1
            return False
        ring = self._ring
        w = self._start + self.used
        for b in data:
            ring[w & _MASK] = b
            w += 1
        self.used += n
        return True

    def send(self, kind, data):
        """Queue a frame of these bytes, at most 96."""
        n = len(data)
        self.body[2 : 2 + n] = data
        return self.frame(kind, n)

    def frame(self, kind, n):
        """Queue a frame of n payload bytes from body[2:]; False where there is no room."""
        if n + 9 > _SIZE - self.used:
            self.dropped += 1
            self._sequence = (self._sequence + 1) & 255  # the gap tells the host
            return False
        body = self.body
        body[0] = kind
        body[1] = self._sequence
        self._sequence = (self._sequence + 1) & 255
        n += 2
        tables_hi, tables_lo = self._hi, self._lo
        hi = lo = 0xFFFF
        for i in range(n):
            lo ^= body[i]
            k = lo & 15
            lo = (lo >> 4 | (hi & 15) << 12) ^ tables_lo[k]
            hi = hi >> 4 ^ tables_hi[k]
            k = lo & 15
            lo = (lo >> 4 | (hi & 15) << 12) ^ tables_lo[k]
            hi = hi >> 4 ^ tables_hi[k]
        lo ^= 0xFFFF
        hi ^= 0xFFFF
        body[n] = lo & 255
        body[n + 1] = lo >> 8
        body[n + 2] = hi & 255
        body[n + 3] = hi >> 8
        n += 4

        ring = self._ring
        w = self._start + self.used
        ring[w & _MASK] = 0
        mark = w + 1  # where the count to the next zero goes
        w += 2
        run = 1
        for i in range(n):
            b = body[i]
            if b:
                ring[w & _MASK] = b
                run += 1
            else:
                ring[mark & _MASK] = run
                mark = w
                run = 1
            w += 1
        ring[mark & _MASK] = run
        ring[w & _MASK] = 0
        self.used += n + 3
        return True

    def drain(self, write):
        """Give the port what it takes at once (at most 96 bytes)."""
        n = min(self.used, _CHUNK)
        ring, chunk = self._ring, self._chunk
        r = self._start
        for i in range(n):
            chunk[i] = ring[(r + i) & _MASK]
        n = write(self._view, n)
        if n:
            self._start = (r + n) & _MASK
            self.used -= n

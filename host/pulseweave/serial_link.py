"""The serial link's host side: bytes of a board in, frames and text out; commands in, lines for the board out.

Device to host: log text, and between it `00 COBS(kind, sequence, payload, CRC-32) 00`; what stands between two zeros and is
no sound frame is text. Host to device: `@base64(kind, number, payload, CRC-32)\\n`. Layouts: device/weave/console/README.md.
Nothing that arrives raises here; garbage comes out as text, and the next zero is a fresh start.
"""

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pulseweave.paths import DEVICE

STATE, BEAT, LOG, CRASH, RAW, ANSWER, GATEWAY = range(1, 8)
COMMAND, SEALED = 1, 2
LINE_MAX = 255  # bytes that a board takes in one line
FRAME_MAX = 110  # bytes between two zeros of the longest frame, and some
SEGMENT_MAX = 4096  # text without a zero or a line end is given out after this many bytes


def cobs_encode(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing (Cheshire & Baker 1999), without the delimiters."""
    out = bytearray()
    block = bytearray()
    for b in data:
        if b == 0:
            out += bytes((len(block) + 1,)) + block
            block.clear()
        else:
            block.append(b)
            if len(block) == 254:
                out += b"\xff" + block
                block.clear()
    return bytes(out + bytes((len(block) + 1,)) + block)


def cobs_decode(data: bytes) -> bytes | None:
    """The bytes before stuffing, or None where `data` is not COBS."""
    out = bytearray()
    i = 0
    while i < len(data):
        n = data[i]
        block = data[i + 1 : i + n]
        if n == 0 or len(block) != n - 1 or 0 in block:
            return None
        out += block
        i += n
        if n < 255 and i < len(data):
            out.append(0)
    return bytes(out)


@dataclass(frozen=True)
class Frame:
    """One sound frame; `lost` frames are missing before it by its sequence number."""

    kind: int
    sequence: int
    payload: bytes
    lost: int = 0


@dataclass(frozen=True)
class Text:
    """Bytes that were not a frame, decoded with replacement characters."""

    text: str


def encode_frame(kind: int, sequence: int, payload: bytes) -> bytes:
    """What a board sends, delimiters included."""
    body = bytes((kind, sequence & 255)) + payload
    return b"\0" + cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def decode_segment(segment: bytes) -> Frame | None:
    """The frame between two zeros, or None."""
    if not 7 <= len(segment) <= FRAME_MAX:
        return None
    body = cobs_decode(segment)
    if body is None or len(body) < 6 or zlib.crc32(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
        return None
    return Frame(body[0], body[1], body[2:-4])


class Receiver:
    """Splits a byte stream into frames and text; finds its way back from anything within one frame."""

    def __init__(self):
        self._pending = bytearray()
        self._outside = True  # what waits came after the end of a frame: it cannot be one
        self._last: int | None = None
        self.frames = 0
        self.lost = 0

    def feed(self, data: bytes) -> Iterator[Frame | Text]:
        """Take what arrived, give what is complete. Text is given line by line, or up to the next frame."""
        self._pending += data
        while True:
            zero = self._pending.find(0)
            if zero < 0:
                yield from self._lines()
                return
            segment = bytes(self._pending[:zero])
            del self._pending[: zero + 1]
            frame = decode_segment(segment)
            self._outside = frame is not None
            if frame:
                lost = 0 if self._last is None else (frame.sequence - self._last - 1) & 255
                self._last = frame.sequence
                self.frames += 1
                self.lost += lost
                yield Frame(frame.kind, frame.sequence, frame.payload, lost)
            else:
                yield from self._text(segment)

    def rest(self) -> Iterator[Text]:
        """What is left when the line is closed, or quiet for a while."""
        segment = bytes(self._pending)
        self._pending.clear()
        self._outside = True
        yield from self._text(segment)

    def _lines(self) -> Iterator[Text]:
        """Whole lines that wait, once it is certain that they are no part of a frame."""
        if len(self._pending) > FRAME_MAX:
            self._outside = True
        if not self._outside:
            return
        end = self._pending.rfind(b"\n") + 1
        if not end and len(self._pending) > SEGMENT_MAX:
            end = SEGMENT_MAX
        segment = bytes(self._pending[:end])
        del self._pending[:end]
        yield from self._text(segment)

    @staticmethod
    def _text(segment: bytes) -> Iterator[Text]:
        for row in segment.decode("utf-8", "replace").splitlines():
            if row:
                yield Text(row)


def encode_line(kind: int, number: int, payload: bytes) -> bytes:
    """A line for the board. ValueError where it is longer than a board takes."""
    body = bytes((kind, number & 255)) + payload
    line = b"@" + base64.b64encode(body + struct.pack("<I", zlib.crc32(body)))
    if len(line) > LINE_MAX:
        raise ValueError(
            f"a line of {len(line)} bytes is longer than the board's {LINE_MAX}: send less at once"
        )
    return line + b"\n"


def command(number: int, text: str) -> bytes:
    """The line that asks for command `text`; its answer comes in ANSWER frames with the same number."""
    return encode_line(COMMAND, number, text.encode())


class Answers:
    """Puts the parts of answers, logs and crash notes together."""

    def __init__(self):
        self._parts: dict[tuple[int, int], bytearray] = {}

    def feed(self, frame: Frame) -> tuple[int, int, str] | None:
        """(kind, number, text) when `frame` completes one. A lost frame spoils the one under way."""
        if frame.lost:
            self._parts.clear()
        if frame.kind not in (LOG, CRASH, ANSWER) or len(frame.payload) < 2:
            return None
        key = (frame.kind, frame.payload[0])
        self._parts.setdefault(key, bytearray()).extend(frame.payload[2:])
        if not frame.payload[1]:
            return None
        return *key, self._parts.pop(key).decode("utf-8", "replace")


@cache
def fields() -> tuple[tuple[str, int], ...]:
    """(name, divisor) of a state's values, read from the firmware's own table."""
    source = (DEVICE / "weave" / "console" / "streams.py").read_text()
    table = re.search(r"^_FIELDS = const\((.*?)^\)", source, re.M | re.S)
    assert table, "streams.py has no _FIELDS"
    words = "".join(re.findall(r'"([^"]*)"', table[1])).split()
    out = []
    for word in words:
        where, _, name = word.partition("=")
        where, _, divisor = where.partition("/")
        out.append((name or where.rpartition(".")[2], int(divisor or 0)))
    return tuple(out)


SIGNED = ("valence",)


def decode(frame: Frame) -> dict | None:
    """A state, beat or raw frame as a dictionary (0..1, ms, bpm, microsiemens, counts); None where it does not fit."""
    p = frame.payload
    if frame.kind == STATE and len(p) >= 4 and len(p) % 2 == 0:
        out = {"ms": struct.unpack_from("<I", p)[0]}
        names = fields()
        for (name, divisor), v in zip(names, struct.unpack(f"<{len(p) // 2 - 2}H", p[4:])):
            v = v - 65536 if name in SIGNED and v > 32767 else v
            out[name] = round(v / divisor, 3) if divisor else v
        return out
    if frame.kind == BEAT and len(p) == 10:
        ms, ibi, beats, quality, gap = struct.unpack("<IHHBB", p)
        return {"ms": ms, "ibi_ms": ibi / 16, "beats": beats, "quality": round(quality / 255, 3), "gap": gap}
    if frame.kind == RAW and len(p) >= 4:
        return raw(p)
    return None


def raw(p: bytes) -> dict | None:
    """Raw samples: `ms` of the last tick, `pulse` counts, `skin` sums (one a tick); None where the lengths do not fit."""
    out = {"ms": struct.unpack_from("<I", p)[0], "pulse": [], "skin": []}
    k = 4
    while k < len(p):
        n = p[k]
        if k + 3 + 3 * n > len(p):
            return None
        k += 1
        for _ in range(n):
            out["pulse"].append(int.from_bytes(p[k : k + 3], "little"))
            k += 3
        out["skin"].append(int.from_bytes(p[k : k + 2], "little"))
        k += 2
    return out


def document(text: str):
    """The JSON of an answer, or an error document where it is damaged."""
    try:
        return json.loads(text)
    except ValueError:
        return {"error": f"damaged answer: {text[:60]}"}

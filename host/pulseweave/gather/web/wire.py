"""What travels between the server and the page over one WebSocket: binary pixels, JSON for all else.

Binary, server to page, one message per picture of the room, little-endian, 24 bytes and then the pixels:

    offset  type   meaning
    0       2s     b"PW"
    2       u8     version of this format, 1
    3       u8     kind: 1 = pixels
    4       u32    seq: pictures the room has made so far; a step of more than one is a picture that was skipped
    8       f64    t_s: room time in seconds
    16      u16    nodes: rows, in the order of meta.strands
    18      u16    pixels per row
    20      u32    reserved, 0
    24      u8[nodes * pixels * 3]   r, g, b in linear light, exactly the duty of the strip's own PWM, white folded in

Text, server to page, one JSON object with a `type`:
    {"type": "meta", "meta": {...}}            what the room is; again when that changes
    {"type": "history", "rows": [[t_s, collective, truth, g], ...]}   the room's curve so far, after meta, and
                                               again when a replay goes to another moment
    {"type": "state", "state": {...}}          4 per second: room, nodes (arrays in the order of strands), health
    {"type": "near", "node": i, "neighbours": [[node, rssi_dBm], ...], "notes": [{part, text, boot}]}   after each state,
                                                                                     while the page looks at i
    {"type": "events", "events": [{"t_s", "kind", "text", ...}, ...]}     what just happened; up to 256 wait
    {"type": "answer", "id": n, "ok": bool, "text": "..."}      to each command

Text, page to server, at most 4096 bytes, one JSON object:
    {"do": "look", "node": i or null}          which strand this page leans towards (index into strands); not a command
    {"do": ..., "id": n, ...}                  a command for source.command(); the id comes back in the answer
"""

import struct

import msgspec

HEADER = struct.Struct("<2sBBIdHHI")
VERSION = 1
PIXELS = 1
LONGEST = 4096  # bytes of a message from a page


class Garbage(ValueError):
    """A message from a page that is not one of this format."""


def picture(seq: int, t_s: float, nodes: int, pixels: int, rgb: bytes) -> bytes:
    """One binary message. Raises ValueError where `rgb` is not nodes * pixels * 3 bytes."""
    if len(rgb) != nodes * pixels * 3:
        raise ValueError(f"{len(rgb)} bytes for {nodes} strands of {pixels} pixels")
    return HEADER.pack(b"PW", VERSION, PIXELS, seq & 0xFFFFFFFF, t_s, nodes, pixels, 0) + rgb


def _plain(value):
    """numpy arrays and scalars as JSON has them; four decimals are more than a screen shows."""
    if getattr(value, "ndim", None) is not None and hasattr(value, "tolist"):
        if value.dtype.kind == "f":
            value = value.astype("f8").round(4)
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a message")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def text(kind: str, **body) -> str:
    """One JSON message of `kind`; numbers that are not finite become null."""
    return _encoder.encode({"type": kind, **body}).decode()


def command(message: str | bytes | None) -> dict:
    """A page's message as a dict with a string under `do`. Raises Garbage for anything else."""
    if not isinstance(message, str):
        raise Garbage("binary messages have no meaning here")
    if len(message) > LONGEST:
        raise Garbage(f"a message is at most {LONGEST} bytes")
    try:
        body = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError):
        raise Garbage("not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("do"), str):
        raise Garbage('not an object with a word under "do"')
    return body

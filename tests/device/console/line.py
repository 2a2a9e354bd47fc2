"""A console on a port: what is said to it, and what came out."""

import json
from binascii import b2a_base64, crc32
from struct import pack, unpack

from node import Node, Port
from weave.console import Console


def decode(segment):
    """COBS and CRC, written apart from the firmware's: (kind, sequence, payload) or None."""
    out, i = bytearray(), 0
    while i < len(segment):
        n = segment[i]
        out += segment[i + 1 : i + n]
        i += n
        if i < len(segment):
            out.append(0)
    body = bytes(out)
    if len(body) < 6 or crc32(body[:-4]) != unpack("<I", body[-4:])[0]:
        return None
    return body[0], body[1], body[2:-4]


def frames(data):
    return [f for f in (decode(s) for s in bytes(data).split(b"\0") if s) if f]


def texts(data):
    """Text between the frames."""
    return b"".join(s for s in bytes(data).split(b"\0") if s and not decode(s)).decode()


def talk(line, node=None, seconds=3, con=None):
    """Console and what came out after `line`."""
    port = Port()
    con = Console(port, node or Node()) if con is None else con
    port.feed(line)
    for i in range(seconds * 50):
        con.step(20 * i)
    return con, bytes(port.out)


def say(line, node=None, seconds=3):
    return texts(talk(line, node, seconds)[1])


def reply(line, node=None):
    """The JSON document that answers `line`."""
    for row in say(line, node).split("\r\n"):
        if row[:1] in ("{", "["):
            return json.loads(row)


def host(kind, number, payload):
    body = bytes((kind, number)) + payload
    return b"@" + b2a_base64(body + pack("<I", crc32(body))).strip() + b"\n"

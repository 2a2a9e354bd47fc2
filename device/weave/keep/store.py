"""One small record in one file, safe against power cuts.

In: a filesystem with the methods of VfsLfs2, a path, bytes. Out: the same bytes, or nothing at all: never a part.
Layout, little-endian: "PW", version u8, 0, sequence u32, length u16, body, CRC-32 (ISO-HDLC, as zlib) of everything before.
A record is written beside its place in one write and renamed over it: littlefs renames atomically, and nothing is
ever removed first (remove-then-rename lost the file in 1 of 32 cuts).
"""

from binascii import crc32
from struct import pack, unpack_from

_HEAD = const(10)
_MOST = const(2048)  # longest body


def write(fs, path, version, sequence, body):
    """Store `body` (bytes) under `path`; False where the filesystem refused. Takes up to 80 ms per 4 KiB of flash."""
    data = pack("<2sBBIH", b"PW", version, 0, sequence, len(body)) + body
    data += pack("<I", crc32(data))
    try:
        with fs.open(path + "~", "wb") as f:
            f.write(data)
        fs.rename(path + "~", path)
        return True
    except OSError:
        return False


def read(fs, path):
    """(sequence, version, body) of the record under `path`, or None where there is no sound one."""
    try:
        with fs.open(path, "rb") as f:
            data = f.read(_MOST + 16)
    except OSError:
        return None
    n = len(data) - 4
    if n < _HEAD or data[:2] != b"PW":
        return None
    _, version, _, sequence, length = unpack_from("<2sBBIH", data)
    if n != _HEAD + length or crc32(data[:n]) != unpack_from("<I", data, n)[0]:
        return None
    return sequence, version, data[_HEAD:n]

"""Firmware images without a firmware: whole, for a chip, of random bytes and zeros that compress by half, as firmware does.

In: a chip, a seed, how long the application is. Out: bytes that `pulseweave flash` takes for an official image (ESP-IDF's
"Firmware Image Format" and "Partition Tables"). Tests and figures only.
"""

import hashlib
import random
import struct

CHIP_ID = {"esp32": 0, "esp32s3": 9, "esp32c3": 5}
TABLE, APPLICATION = 0x8000, 0x10000  # in flash


def segment(chip: str, size: int, seed: int) -> bytes:
    """One sound image with a segment of `size` bytes."""
    body = random.Random(seed).randbytes(size // 2) + bytes(size - size // 2)
    head = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080000)
    head += struct.pack("<BBBBHBHH4sB", 0xEE, 0, 0, 0, CHIP_ID[chip], 0, 0, 0xFFFF, bytes(4), 1)
    data = head + struct.pack("<II", 0x3F400020, size) + body
    checksum = 0xEF
    for b in body:
        checksum ^= b
    data += bytes(15 - len(data) % 16) + bytes((checksum,))
    return data + hashlib.sha256(data).digest()


def merged(chip: str, seed: int = 1, size: int = 60_000) -> bytes:
    """Bootloader, partition table and an application of `size` bytes in one file, as MicroPython publishes them."""
    offset = 0x1000 if chip == "esp32" else 0
    table = struct.pack("<HBBII16sI", 0x50AA, 0, 0, APPLICATION, 0x1F0000, b"factory", 0)
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    data = bytearray(b"\xff" * (APPLICATION - offset))
    boot = segment(chip, 8000, seed)
    data[: len(boot)] = boot
    data[TABLE - offset : TABLE - offset + len(table)] = table
    return bytes(data) + segment(chip, size, seed + 1)

"""Firmware images: is this file whole, for which chip is it, and is it the one that is known under this name?

An image is a merged binary: bootloader, partition table, application. The first and the last are in ESP-IDF's "Firmware
Image Format": header of 24 bytes (0xE9, segments, ..., chip id u16 at 12, hash flag at 23), segments of address, length,
data, padding, XOR checksum, SHA-256 of all of it; partition table: entries of 32 bytes with magic 0x50AA, then 0xEBEB
and their MD5. Images are not shipped: boards/firmware.lock knows them by name and SHA-256.
"""

import hashlib
import json
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pulseweave.boards import description
from pulseweave.boards.model import Board
from pulseweave.paths import BOARDS
from pulseweave.problem import Problem

LOCK = BOARDS / "firmware.lock"
CHIP_IDS = {
    0: "esp32",
    2: "esp32s2",
    5: "esp32c3",
    9: "esp32s3",
    12: "esp32c2",
    13: "esp32c6",
    16: "esp32h2",
    18: "esp32p4",
}
TABLE = 0x8000  # where the partition table lies in flash
TABLE_BYTES = 0xC00


@dataclass(frozen=True)
class Image:
    """A sound image: where it came from, its SHA-256, its chip, and the name it is known under ("" = not in the lock)."""

    path: Path
    sha256: str
    size: int
    chip: str
    known: str


def walk(data: bytes, at: int, what: str, path: Path) -> int:
    """Check the image that begins at `at`; returns where it ends. Raises Problem where it is damaged."""

    def damaged(why: str) -> Problem:
        return Problem(f"{path}: damaged: {what} {why}: download the image again")

    if len(data) < at + 24 or data[at] != 0xE9:
        raise damaged("does not begin as an image")
    segments, hashed = data[at + 1], data[at + 23]
    if not 1 <= segments <= 16:
        raise damaged(f"names {segments} segments")
    end, checksum = at + 24, 0xEF
    for i in range(segments):
        if end + 8 > len(data):
            raise damaged(f"is cut off before segment {i}")
        length = struct.unpack_from("<I", data, end + 4)[0]
        if length > len(data) or end + 8 + length > len(data):
            raise damaged(f"is cut off in segment {i}")
        body = int.from_bytes(data[end + 8 : end + 8 + length], "little")
        checksum ^= fold(body, length)
        end += 8 + length
    end += 15 - (end - at) % 16
    if end >= len(data) or data[end] != checksum:
        raise damaged("has a wrong checksum")
    end += 1
    if hashed:
        if hashlib.sha256(data[at:end]).digest() != data[end : end + 32]:
            raise damaged("has a wrong SHA-256")
        end += 32
    return end


def fold(number: int, length: int) -> int:
    """XOR of all bytes of a number of `length` bytes, by halves."""
    bits = 8
    while bits < 8 * length:
        bits *= 2
    while bits > 8:
        bits //= 2
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
    return number


def partitions(data: bytes, at: int, path: Path) -> list[tuple[int, int]]:
    """(offset in flash, type) of each row of the table at `at`. Raises Problem where there is none, or it is damaged."""
    table = data[at : at + TABLE_BYTES]
    found, i = [], 0
    while i + 32 <= len(table) and table[i : i + 2] == b"\xaa\x50":
        found.append((struct.unpack_from("<I", table, i + 4)[0], table[i + 2]))
        i += 32
    if not found or table[i : i + 2] != b"\xeb\xeb":
        raise Problem(f"{path}: damaged: no whole partition table in it: download the image again")
    if hashlib.md5(table[:i]).digest() != table[i + 16 : i + 32]:
        raise Problem(f"{path}: damaged: the partition table has a wrong MD5: download the image again")
    return found


def known() -> dict[str, dict]:
    """boards/firmware.lock: official file name to chip, version, sha256. Raises Problem where it is damaged."""
    try:
        entries = tomllib.loads(LOCK.read_text(encoding="utf-8")).get("image", [])
        return {
            e["name"]: {"chip": e["chip"], "version": e["version"], "sha256": e["sha256"].lower()}
            for e in entries
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as e:
        raise Problem(f"{LOCK}: damaged ({e}): restore it from version control") from None


def load(path: str | Path, board: Board) -> Image:
    """The image of `path`, checked to be whole and for `board`. Raises Problem: nothing has been written anywhere."""
    path = Path(path)
    if not path.name.isprintable():  # such a byte is neither text for the ledger nor for esptool
        raise Problem(f"{str(path)!a}: a name that cannot be printed: give the file another")
    if board.firmware is None:
        raise Problem(
            f"board {board.name}: a {board.chip} chip takes no firmware image: use `deploy`, or another --board"
        )
    try:
        data = path.read_bytes()
    except OSError as e:
        raise Problem(f"{path}: cannot be read ({e.strerror}): give --firmware the image's file") from None
    if len(data) < 24 or data[0] != 0xE9:
        hint = "unpack it first" if data[:2] in (b"PK", b"\x1f\x8b") else "download the .bin of this board"
        raise Problem(
            f"{path}: not an image for an ESP32 (it begins with {data[:2].hex() or 'nothing'}): {hint}"
        )
    sha256 = hashlib.sha256(data).hexdigest()
    lock = known()
    entry = lock.get(path.name)
    if entry and entry["sha256"] != sha256:
        raise Problem(
            f"{path}: damaged: its SHA-256 is {sha256[:12]}..., boards/firmware.lock knows {entry['sha256'][:12]}...: "
            "download the image again"
        )
    chip_id = struct.unpack_from("<H", data, 12)[0]
    chip = CHIP_IDS.get(chip_id, f"unknown chip {chip_id}")
    if chip != board.chip:
        fits = [n for n in description.names() if description.load(n).chip == chip]
        raise Problem(
            f"{path}: wrong chip: this image is for {chip}, board {board.name} has {board.chip}: "
            f"take {board.firmware.image}{f', or --board {fits[0]}' if fits else ''}"
        )
    offset = board.firmware.offset
    end = walk(data, 0, "the first part", path)
    if end > TABLE - offset or len(data) <= TABLE - offset:
        raise Problem(
            f"{path}: only a part of an image, a bootloader or an application alone: take {board.firmware.image}, in "
            "which both are"
        )
    apps = [where - offset for where, kind in partitions(data, TABLE - offset, path) if kind == 0]
    inside = [at for at in apps if at < len(data)]
    if not inside:
        raise Problem(f"{path}: damaged: cut off before the application: download the image again")
    for at in inside:
        walk(data, at, "the application", path)
    names = [n for n, e in lock.items() if e["sha256"] == sha256]
    return Image(path, sha256, len(data), chip, names[0] if names else "")


def pin(image: Image, version: str, lock: Path = LOCK) -> None:
    """Write an image into the lock file, under its file name. Raises Problem."""
    facts = {"name": image.path.name, "chip": image.chip, "version": version, "sha256": image.sha256}
    if not version.isprintable():
        raise Problem(f"--version {version!a}: not printable: give MicroPython's, such as 1.29.0")
    quoted = {k: json.dumps(v, ensure_ascii=False) for k, v in facts.items()}
    entry = "\n[[image]]\n" + "".join(f"{k} = {v}\n" for k, v in quoted.items())
    try:
        with lock.open("a", encoding="utf-8") as f:
            f.write(entry)
    except OSError as e:
        raise Problem(f"{lock}: cannot be written ({e.strerror}): check its permissions") from None

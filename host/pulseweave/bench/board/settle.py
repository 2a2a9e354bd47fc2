"""Sent to a board to provision it: configuration through the firmware's own Config, keys through NVS. Raw REPL.

`state()` prints what the board is, as one line of JSON; of the keys only a hash. `fits(values)` raises ValueError where
a setting cannot be that; `settle(values, net, epoch)` writes what is given.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
# ruff: noqa: E402 (MicroPython)
import gc
import json
import os
from binascii import hexlify, unhexlify
from hashlib import sha256

gc.collect()
import esp32
import machine
from weave.keep.config import Config
from weave.keep.notes import Notes


class Disk:
    open = open
    rename = os.rename
    remove = os.remove


nvs = esp32.NVS("weave")


def number(key):
    try:
        return nvs.get_i32(key)
    except OSError:
        return 0


def keys():
    """Of the network's keys: their hash and the network's number; None where there are none."""
    blob = bytearray(72)
    try:
        if nvs.get_blob("net", blob) != 72:
            return None
    except OSError:
        return None
    return [hexlify(sha256(blob).digest()).decode(), blob[1], blob[3]]


def state():
    config = Config(Disk)
    try:
        with open("board.json") as f:
            board = json.load(f)
    except (OSError, ValueError):
        board = {}
    print(
        json.dumps(
            {
                "mac": hexlify(machine.unique_id()).decode(),
                "set_up": config.load(),
                "config": config.values(),
                "keys": keys(),
                "epoch": number("epoch"),
                "boots": number("boots"),
                "bad": number("bad"),
                "notes": Notes(Disk).read(),
                "board": board.get("name"),
                "release": board.get("release"),
                "cwd": os.getcwd(),
            }
        )
    )


def fits(values):
    """Whether the firmware takes these settings: ValueError says why it does not. Nothing is written."""
    from weave.light.scenes import NAMES

    config = Config(Disk)
    for k in values:
        config.set(k, values[k])
    for k, words in (("scene", NAMES), ("role", ("node", "gateway"))):
        if k in values and values[k] not in words:
            raise ValueError(k + " is one of " + ", ".join(words))


def settle(values, net, epoch):
    """Write configuration, keys (hex) and epoch; what is None stays. Raises OSError where the flash refuses."""
    config = Config(Disk)
    config.load()
    for k in values:
        config.set(k, values[k])
    if values and not config.save():
        raise OSError(28)
    if net:
        nvs.set_blob("net", unhexlify(net))
    if epoch:
        nvs.set_i32("epoch", epoch)
    nvs.commit()

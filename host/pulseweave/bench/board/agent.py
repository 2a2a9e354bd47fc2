"""Sent to a board before a deploy: looks at its files, copies, writes, removes; every function leaves the root
consistent.

Runs in the raw REPL. Firmware directories are /a and /b (see device/boot.py); a directory without main.py is never
started.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import gc
import json
import os
import sys
from binascii import a2b_base64, hexlify
from hashlib import sha256

gc.collect()


def digest(path):
    h = sha256()
    buf = bytearray(1024)
    view = memoryview(buf)
    with open(path, "rb") as f:
        while n := f.readinto(buf):
            h.update(view[:n])
    return hexlify(h.digest()).decode()


def walk(place, found, top):
    """Paths below `place`, relative to `top`; [] where it is not there."""
    try:
        entries = list(os.ilistdir(place))
    except OSError:
        return found
    for e in entries:
        path = place + "/" + e[0]
        if e[1] == 0x4000:
            walk(path, found, top)
        else:
            found.append(path[len(top) + 1 :])
    return found


def sums(place):
    return {p: digest(place + "/" + p) for p in walk(place, [], place)}


def word(path):
    try:
        with open(path) as f:
            return f.read(8).strip()
    except OSError:
        return ""


def board():
    """What the running or the root firmware was made for."""
    for path in (os.getcwd() + "/board.json", "/a/board.json", "/b/board.json", "/board.json"):
        try:
            with open(path) as f:
                d = json.load(f)
            return d.get("name"), d.get("release")
        except (OSError, ValueError):
            pass
    return None, None


def look():
    """Everything a host wants to know first, as one line of JSON."""
    import machine

    s = os.statvfs("/")
    name, release = board()
    try:
        boot = digest("/boot.py")
    except OSError:
        boot = ""
    print(
        json.dumps(
            {
                "mac": hexlify(machine.unique_id()).decode(),
                "machine": sys.implementation._machine,
                "version": list(sys.implementation[1][:3]),
                "mpy": sys.implementation._mpy,
                "board": name,
                "release": release,
                "cwd": os.getcwd(),
                "slot": word("/slot"),
                "trial": word("/trial"),
                "a": sums("/a"),
                "b": sums("/b"),
                "boot": boot,
                "root": [e[0] for e in os.ilistdir("/")],
                "free": s[3] * s[0],
                "block": s[0],
            }
        )
    )


def remove(path):
    try:
        os.remove(path)
    except OSError as e:
        if e.errno != 2:  # it need not be there
            raise


def parents(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError as e:
            if e.errno != 17:  # it may be there already
                raise
        at = path.find("/", at + 1)


def same(source, path):
    """Copy on the board: what lies in the other directory need not come over the line."""
    parents(path)
    with open(source, "rb") as f, open(path, "wb") as g:
        while data := f.read(1024):
            g.write(data)


def put(path, text, mode="wb"):
    """Write a part of a file; the first one begins it anew."""
    parents(path)
    with open(path, mode) as f:
        f.write(a2b_base64(text))


def rename(old, new):
    os.rename(old, new)


def tree(path):
    """Remove a folder with all that is in it."""
    try:
        for e in list(os.ilistdir(path)):
            if e[1] == 0x4000:
                tree(path + "/" + e[0])
            else:
                os.remove(path + "/" + e[0])
        os.rmdir(path)
    except OSError:
        pass

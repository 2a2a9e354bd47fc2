"""The faults that the host switches on one board, and the look at all boards once a second."""

import gc
from binascii import hexlify, unhexlify

import requests_table
from requests_table import TABLE, _board

from . import POWER
from .rogue import ORIGIN, Rogue

FRESH_MS = 15000
sensor_of_old = requests_table.sensor


def switch(fleet, request, tick):
    """One switch of the board's Rough (hardware.py): `name`, `on`."""
    board = _board(fleet, request)
    if not hasattr(board.rough, request["name"]):
        return {"error": "no fault " + request["name"]}
    board.rough.switch(request["name"], request["on"])


def board_switch(fleet, request, tick):
    """One of VirtualBoard's own: radio_dead, radio_desync, nvs_fail, no_mem."""
    board = _board(fleet, request)
    setattr(board, request["name"], request["on"])
    if request["name"] == "nvs_fail":
        board.watch.sure = False
    if board.radio_dead:
        board.radio_up = False


def sensor(fleet, request, tick):
    """As the simulator's own, but a hung bus takes time."""
    sensor_of_old(fleet, request, tick)
    _board(fleet, request).rough.bus_hangs = bool(request["flags"] & 2)


def reset(fleet, request, tick):
    """A reset with a cause, or a power cut of `off` ticks."""
    board = _board(fleet, request)
    if board.starts < 0 or request["cause"] == POWER:
        fleet.reset(board, request["cause"], tick, request["off"])


def storm(fleet, request, tick):
    """`count` resets with `up` and `down` ticks between them."""
    board = _board(fleet, request)
    board.storm = [request["count"], request["up"], request["down"], request["cause"], tick]


def cut(fleet, request, tick):
    """The power goes at the `at`-th flash operation from now on; 0 takes that back. Says whether it is still to come."""
    board = _board(fleet, request)
    waiting = board.disk.cut
    board.disk.cut = request["at"]
    return {"waiting": waiting}


def refuse(fleet, request, tick):
    """Flash writes answer with EIO."""
    _board(fleet, request).disk.refuses = request["on"]


def fill(fleet, request, tick):
    """A file takes all the room there is, or leaves."""
    board = _board(fleet, request)
    fs = board.fs
    flash_us, disk = board.rough.flash_us, board.disk
    cut, disk.cut = disk.cut, 0
    try:
        if request["on"]:
            with fs.open("/fill", "wb") as f:
                while True:
                    f.write(b"x" * 128)
        else:
            fs.remove("/fill")
    except OSError:
        pass
    disk.cut = cut
    board.rough.flash_us = flash_us


def clock(fleet, request, tick):
    """The board's clock runs `ppm` off from now on, and jumps by `jump_ms`."""
    board = _board(fleet, request)
    t = tick * 20000
    if "ppm" in request:
        board.boot_us += t * (board.ppm - request["ppm"]) // 1000000
        board.ppm = request["ppm"]
    board.boot_us += request.get("jump_ms", 0) * 1000


def line(fleet, request, tick):
    """Bytes (hex) on the console line."""
    board = _board(fleet, request)
    if board.stdin:
        board.stdin.put(unhexlify(request["hex"]))


def rogue(fleet, request, tick):
    """A policy that a member of the network sealed without the right to command: the frame in hex."""
    if fleet.rogue is None:
        fleet.rogue = Rogue(unhexlify(fleet.plan["network"]["node"]))
    board = _board(fleet, request)
    if board.node is None:
        return {"frame": ""}
    return {"frame": hexlify(fleet.rogue.policy(board.node.mesh.time(board.now))).decode()}


def look(fleet, request, tick):
    """Once a second: what was found, pings obeyed, and how every board is (names in campaign/room.py)."""
    boards = []
    for board in fleet.boards:
        node = board.node
        if node is None:
            boards.append([0, 0, 0, 0, 0, 0, 0, 0, board.watch.boots])
            continue
        room = node.mesh.room
        known = strange = 0
        for i in range(1, room.count):
            if room.node[i] not in fleet.ids:
                strange += room.node[i] != ORIGIN
            elif room.age[i] < FRESH_MS:
                known += 1
        boards.append(
            [
                1,
                node.mesh.fault,
                sum(node.supervisor.wait),
                known,
                strange,
                node.mesh.synced,
                node.sense.faults,
                node.sense.contact,
                board.watch.boots,
            ]
        )
    found, fleet.found = fleet.found, []
    obeyed, fleet.obeyed = fleet.obeyed, []
    return {"found": found, "obeyed": obeyed, "boards": boards}


def floor(fleet, request, tick):
    """Bytes in use after a collection."""
    gc.collect()
    gc.collect()
    return {"used": gc.mem_alloc()}


def notes(fleet, request, tick):
    """The crash notes of one board, for a report."""
    node = _board(fleet, request).node
    return {"notes": node.keep.notes.read() if node else []}


for f in (
    switch,
    board_switch,
    sensor,
    reset,
    storm,
    cut,
    refuse,
    fill,
    clock,
    line,
    rogue,
    look,
    floor,
    notes,
):
    TABLE[f.__name__] = f

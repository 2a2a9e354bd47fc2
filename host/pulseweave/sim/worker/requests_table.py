"""Requests of the host that are not part of the tick: answer(fleet, request, tick) -> a dictionary for JSON.

Those with a `slot` change what a node does and are recorded; the others only look.
"""

import gc
from binascii import hexlify, unhexlify

from fleet import HISTOGRAM
from rehearsal import luminance


def answer(fleet, request, tick):
    do = request["do"]
    f = TABLE.get(do)
    if f is None:
        return {"error": "the worker knows no request " + do}
    return f(fleet, request, tick) or {}


def _board(fleet, request):
    board = fleet.boards[request["slot"]]
    fleet.bus.board = board
    return board


def ping(fleet, request, tick):
    """This node tells everybody a number; its own counts as heard."""
    from kinds import PING

    board = _board(fleet, request)
    n = request["id"]
    if board.node is None:
        return {"sent": False}
    sent = board.node.mesh.send_event(PING, bytes((n >> 8, n & 255)), 2, -1)
    board.node.ping = n
    return {"sent": bool(sent)}


def scene(fleet, request, tick):
    """Change the room's scene in a second, at one mesh time for all."""
    from kinds import SCENE
    from weave.light.scenes import find

    board = _board(fleet, request)
    number = find(request["name"])
    if number < 0:
        return {"error": "scene %r is unknown" % request["name"]}
    if board.node is None:
        return {"sent": False}
    mesh = board.node.mesh
    at = (mesh.time(board.now) + 1000) & 0x3FFFFFFF
    if not mesh.send_event(SCENE, bytes((number, 30)), 2, at):
        board.node.light.set_scene(number, at)


def damping(fleet, request, tick):
    """Policy for the whole room: damping on or off."""
    from kinds import POLICY

    board = _board(fleet, request)
    if board.node is None:
        return {"sent": False}
    # version, flags (1: damping off), rho 0.25, theta as a node starts with, strength 1.0, guide 0: weave/damp/README.md
    theta = board.node.damp.theta
    data = bytes((1, 0 if request["on"] else 1, 4, 0, theta >> 8, theta & 255, 64, 0))
    sent = board.node.mesh.send_event(POLICY, data, len(data), -1)
    board.node.damp.policy(data, 0, len(data))
    return {"sent": bool(sent)}


def reboot(fleet, request, tick):
    """The node starts again, as by its reset pin."""
    board = _board(fleet, request)
    board.clear_radio()
    board.radio_up = False
    fleet.boot(board, request.get("cause", 5), tick * 20000 + board.phase_us)


def off(fleet, request, tick):
    """Power cut: dark, silent, until `on`."""
    fleet.power(_board(fleet, request), False, tick)


def on(fleet, request, tick):
    fleet.power(_board(fleet, request), True, tick)


def sensor(fleet, request, tick):
    """Faults of the pulse sensor's bus, by flags: 1 no answer, 2 hung, 4 FIFO overflow, 8 fast, 16 slow."""
    flags = request["flags"]
    for chip in _board(fleet, request).chips:
        chip.absent = bool(flags & 3)
        chip.rate_q8 = 269 if flags & 8 else 243 if flags & 16 else 256
        chip.stalled = bool(flags & 4)


def radio(fleet, request, tick):
    """Faults of the radio: dead, desync, no_mem (so many sends fail)."""
    board = _board(fleet, request)
    board.radio_dead = bool(request.get("dead"))
    if request.get("desync"):
        board.radio_desync = True
    board.no_mem = request.get("no_mem", 0)
    if board.radio_dead:
        board.radio_up = False


def button(fleet, request, tick):
    _board(fleet, request).button = bool(request["down"])


def type_in(fleet, request, tick):
    """Bytes typed on the node's console."""
    _board(fleet, request).stdin.put(request["text"].encode())


def console(fleet, request, tick):
    """Bytes (hex) typed on a node's console, in; what it has printed since, out. `reboot` is obeyed here."""
    board = _board(fleet, request)
    said = board.stdout.take()
    if board.node is not None and board.node.console.reboot:
        reboot(fleet, request, tick)
    if request["hex"]:
        board.stdin.put(unhexlify(request["hex"]))
    return {"hex": hexlify(said).decode()}


def calibrate(fleet, request, tick):
    """Mean linear luminance of a scene at level 0 and at level 1, from its pixels."""
    try:
        return {"luminance": luminance(fleet, request["scene"])}
    except ValueError as e:
        return {"error": str(e), "luminance": [0, 1]}


def printed(fleet, request, tick):
    return {"said": fleet.printed()}


def neighbours(fleet, request, tick):
    """Who hears whom: for every node, [node, dBm] of those in earshot."""
    near_bit = 4  # as in weave/mesh/roster.py
    out = []
    for board in fleet.boards:
        near = []
        if board.node is not None:
            r = board.node.mesh.room
            near = [[r.node[i], r.rssi[i]] for i in range(1, r.count) if r.state[i] & near_bit]
        out.append(near)
    return {"neighbours": out}


def notes(fleet, request, tick):
    """Crash notes of every node, newest last."""
    out = []
    for board in fleet.boards:
        keep = board.node.keep if board.node is not None else None
        out.append(keep.notes.read()[-2:] if keep and (keep.notes.taken or keep.boots > 1) else [])
    return {"notes": out}


def ages(fleet, request, tick):
    """Ages in ms of all entries in all tables (own ones left out)."""
    out = []
    for board in fleet.boards:
        if board.node is not None:
            r = board.node.mesh.room
            out.extend([r.age[i] for i in range(1, r.count)])
    return {"ages": out}


def report(fleet, request, tick):
    """How long ticks took here, and what they left on the heap."""
    h = fleet.histogram
    return {
        "histogram": [[i, h[i]] for i in range(HISTOGRAM) if h[i]],
        "raw": sum(getattr(b.node.console, "raw_samples", 0) for b in fleet.boards if b.node),
    }


def allocated(fleet, request, tick):
    """What weighed ticks left on the heap."""
    return {"bytes": fleet.left, "ticks": fleet.left_ticks}


def crash(fleet, request, tick):
    """For tests of the simulator itself: the node's interpreter raises, at once or `after` so many ticks."""
    board = _board(fleet, request)
    left = request.get("after", 0)
    node = board.step

    def step(now):
        nonlocal left
        if not left:
            raise RuntimeError("asked to fail")
        left -= 1
        node(now)

    board.step = step


def memory(fleet, request, tick):
    before = gc.mem_alloc()
    gc.collect()
    return {"used": gc.mem_alloc(), "free": gc.mem_free(), "garbage": before - gc.mem_alloc()}


TABLE = {
    f.__name__: f
    for f in (
        ping,
        scene,
        damping,
        reboot,
        off,
        on,
        sensor,
        radio,
        button,
        console,
        calibrate,
        printed,
        neighbours,
        notes,
        ages,
        report,
        allocated,
        memory,
        crash,
    )  # fmt: skip
}
TABLE["type"] = type_in

"""What a person or a host may ask for: every command makes a document (a dictionary or a list), shown as text or as JSON.

In: the console and the words of a line. Out: a document, or ValueError with what to do. Commands may allocate: somebody
typed. This module is loaded with the first command. Parts of the node that are missing leave their keys out.
"""

from collections import OrderedDict

from micropython import const

from . import streams

_SCENE = const(1)  # kinds of events, as in mesh/frame.py
_IDENTIFY = const(4)
_FADE = const(20)  # tenths of a second
_IDENTIFY_MS = const(10000)

HELP = {
    "?": "this list; -j: JSON",
    "status": "this node",
    "watch": "a line a second; -j -f; off",
    "beats": "heart beats; -j -f; off",
    "mesh": "who is in the room",
    "scene": "[NAME]",
    "identify": "[NODE] blink",
    "config": "[KEY [VALUE]] | save",
    "crash": "notes | clear",
    "optout": "neutral light, nothing shared; off",
    "raw": "the wearer's samples, over this cable; off",
    "gateway": "FROM: records, for a host",
    "reboot": "",
}


def answer(con, words):
    """The document for a command line already split into words."""
    word = words[0]
    if word == "?":
        return HELP
    if word not in HELP:
        raise ValueError("unknown command %s: ? lists them" % word)
    return globals()[word](con, con.node, words[1:])


def values(table):
    """What `table` (of streams.fields) holds, scaled: fractions 0..1, bpm, ms, microsiemens."""
    out = OrderedDict()
    for part, attribute, divisor, name in table:
        v = getattr(part, attribute, None)
        if v is not None:
            out[name] = round(v / divisor, 3) if divisor else int(v)
    return out


def status(con, node, args):
    import gc

    out = values(streams.fields(node))
    out.update(scene(con, node, ()))
    out["free"] = gc.mem_free()
    out["dropped"] = con.out.dropped
    out["garbage"] = con.garbage
    keep = getattr(node, "keep", None)
    if keep:
        out["up_s"] = keep.uptime()
        for name in ("name", "cluster", "role"):
            out[name] = getattr(keep.config, name)
    if hasattr(node, "mesh"):
        out["node"] = node.mesh.node
    sup = getattr(node, "supervisor", None)
    if sup:
        out["faults"] = {sup.names[i]: n for i, n in enumerate(sup.faults) if n}
    return out


def mesh(con, node, args):
    room = node.mesh.room
    scale = (("node", 0), ("age", 0), ("arousal", 4096), ("confidence", 255), ("g", 4096))
    return [
        {k: round(getattr(room, k)[i] / d, 2) if d else getattr(room, k)[i] for k, d in scale}
        for i in range(room.count)
    ]


def scene(con, node, args):
    """The scene for the whole room, half a second from now; without a mesh for this strand, at once."""
    light = getattr(node, "light", None)
    names = list(getattr(light, "names", ()))
    if args:
        if args[0] not in names:
            raise ValueError("no scene %s: there are %s" % (args[0], " ".join(names)))
        i = names.index(args[0])
        mesh = getattr(node, "mesh", None)
        if not mesh or not mesh.send_event(
            _SCENE, bytes((i, _FADE)), 2, mesh.time(con.now) + 500 & 0x3FFFFFFF
        ):
            light.set_scene(i, -1)
        return {"scene": args[0]}
    i = getattr(light, "scene", 0)
    return {"scene": names[i] if i < len(names) else i, "scenes": names}


def identify(con, node, args):
    if not args:
        node.light.show_only(node.light.names.index("identify"), con.now, _IDENTIFY_MS)
    elif not args[0].isdigit() or not node.mesh.send_event(_IDENTIFY, bytes(1), 1, -1, int(args[0])):
        raise ValueError(
            "cannot reach %s: give a node's number, and the network's keys to this one" % args[0]
        )
    return {"identify": args}


def config(con, node, args):
    config = node.keep.config
    if args == ["save"]:
        if config.dirty and not config.save():
            raise ValueError("the flash refused: free some space, then config save")
    elif args and args[0] not in config.values():
        raise ValueError("no key %s: config lists them" % args[0])
    elif len(args) > 1:
        config.set(args[0], " ".join(args[1:]))
    out = config.values()
    if args and args[0] in out:
        out = {args[0]: out[args[0]]}
    out["unsaved"] = int(config.dirty)
    return out


def crash(con, node, args):
    notes = node.keep.notes
    if args == ["clear"]:
        notes.clear()
    return notes.read()


def optout(con, node, args):
    node.damp.opt_out(not args)
    return {"opted_out": node.damp.opted_out}


def reboot(con, node, args):
    node.keep.leaving()
    con.reboot = 1
    return {"reboot": 1}


def stream(con, node, args):
    """The mode in which something is to be streamed, 0 for off."""
    con.streams = streams
    con.table = streams.fields(node)
    return 0 if args else 1 + con.mode


def raw(con, node, args):
    if not args and not node.sense.contact:
        raise ValueError("raw is for the wearer: touch the sensor first")
    con.raw = 1 if stream(con, node, args) else 0
    con.samples = streams.Raw()
    con.since = con.now
    return {"raw": con.raw}


def gateway(con, node, args):
    """Records from number FROM on, at most 512 more; what is gone from the ring is skipped."""
    if not con.gate:
        from weave.console.gateway import gateway

        con.ask = [0, 0, 0]
        con.gate = gateway(node.mesh, con.out, con.ask)
        next(con.gate)
    con.ask[0] = n = int(args[0])
    con.ask[1] = n + 512
    mesh = node.mesh
    return {"node": mesh.node, "epoch": mesh.epoch, "next": con.ask[2], "mesh_ms": mesh.time(con.now)}


def watch(con, node, args):
    con.watch = stream(con, node, args)
    return {"watch": con.watch}


def beats(con, node, args):
    con.beats = stream(con, node, args)
    return {"beats": con.beats}

"""What a person or a host may ask for: every command makes a document (a dictionary or a list), shown as text or as JSON.

In: the console and the words of a line. Out: a document, or ValueError with what to do. Commands may allocate: somebody
typed. This module is loaded with the first command. Parts of the node that are missing leave their keys out.
"""

from . import streams

HELP = {
    "?": "this list; -j after a command: JSON",
    "status": "this node",
    "watch": "a line a second; -j, -f frames; off",
    "beats": "heart beats; -j, -f; off",
    "mesh": "who is in the room",
    "scene": "[NAME] show or choose",
    "identify": "[NODE] blink",
    "config": "[KEY [VALUE]] or save",
    "crash": "what went wrong; clear",
    "optout": "neutral light, nothing shared; off",
    "raw": "the wearer's own samples over this cable; off",
    "reboot": "restart",
}


def answer(con, words):
    """The document for a command line already split into words."""
    word = words[0]
    if word == "?":
        return HELP
    if word not in HELP:
        raise ValueError("unknown command %s: ? lists them" % word)
    return globals()[word](con, con.node, words[1:])


def values(node):
    """Everything in streams.FIELDS that the node has, scaled: fractions 0..1, bpm, ms, microsiemens."""
    out = {}
    for part, attribute, divisor, name in streams.fields(node):
        v = getattr(part, attribute, None)
        if v is not None:
            out[name] = round(v / divisor, 3) if divisor else int(v)
    return out


def status(con, node, args):
    import gc

    out = values(node)
    out["scene"] = scene(con, node, ())["scene"]
    keep = getattr(node, "keep", None)
    if keep:
        c = keep.config
        out.update(
            {"node": c.node, "name": c.name, "cluster": c.cluster, "role": c.role, "up_s": keep.uptime()}
        )
        out.update(
            {"boots": keep.boots, "bad_boots": keep.bad, "cause": keep.cause, "notes": keep.notes.taken}
        )
    if hasattr(node, "mesh"):
        out["node"] = node.mesh.node
    sup = getattr(node, "supervisor", None)
    if sup:
        out["faults"] = {sup.names[i]: n for i, n in enumerate(sup.faults) if n}
    out.update({"free": gc.mem_free(), "dropped": con.out.dropped, "garbage": con.garbage})
    return out


def mesh(con, node, args):
    room = node.mesh.room
    out = []
    for i in range(room.count):
        row = {"node": room.node[i], "age": room.age[i]}
        for name, divisor in (("arousal", 4096), ("confidence", 255), ("g", 4096)):
            row[name] = round(getattr(room, name)[i] / divisor, 2)
        out.append(row)
    return out


def scene(con, node, args):
    light = getattr(node, "light", None)
    names = list(getattr(light, "names", ()))
    if args:
        if args[0] not in names:
            raise ValueError("no scene %s: there are %s" % (args[0], " ".join(names)))
        change(node, names.index(args[0]))
    i = getattr(light, "scene", 0)
    return {"scene": names[i] if i < len(names) else i, "scenes": names}


def change(node, i):
    """Scene i for the room where the node can tell it (choose), else for this strand."""
    if hasattr(node, "choose"):
        node.choose(i)
    else:
        node.light.set_scene(i, -1)


def identify(con, node, args):
    if hasattr(node, "identify"):
        node.identify(int(args[0]) if args else None)
    elif args:
        raise ValueError("no mesh to reach node %s" % args[0])
    else:
        change(node, node.light.names.index("identify"))
    return {"identify": args[0] if args else "here"}


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
    if args == ["clear"]:
        node.keep.notes.clear()
    return node.keep.notes.read()


def optout(con, node, args):
    node.damp.opt_out(args != ["off"])
    return {"opted_out": node.damp.opted_out}


def reboot(con, node, args):
    node.keep.leaving()
    con.reboot = 1
    return {"reboot": 1}


def raw(con, node, args):
    if args != ["off"] and not node.sense.contact:
        raise ValueError("raw is for the wearer: touch the sensor first")
    con.stream_raw(args != ["off"])
    return {"raw": con.raw}


def watch(con, node, args):
    con.watch = 0 if args else 1 + con.mode
    con.table = streams.fields(node)
    return {"watch": con.watch}


def beats(con, node, args):
    con.beats = 0 if args else 1 + con.mode
    return {"beats": con.beats}


def line(node):
    """The first dozen values on one line."""
    v = values(node)
    return "  ".join("%s %s" % (f[3], v[f[3]]) for f in streams.fields(node)[:12] if f[3] in v)


def text(doc):
    """Lines of a document, for people; a `text` (a traceback) comes on lines of its own."""
    for row in [doc] if isinstance(doc, dict) else doc or ["nothing"]:
        if isinstance(row, str):
            yield row
        elif row is doc:
            for k in row:
                yield "%-14s%s" % (k, row[k])
        else:
            yield "  ".join("%s %s" % (k, row[k]) for k in row if k != "text")
            if "text" in row:
                yield row["text"].replace("\n", "\r\n  ")

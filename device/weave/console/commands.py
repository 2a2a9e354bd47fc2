"""What a person or a host may ask for: every command makes a document (a dictionary or a list), shown as text or as JSON.

In: the console and the words of a line. Out: a document, or ValueError with what to do. Commands may allocate: somebody
typed. A function here is a command: it gets the console, the node and the words after its name. Loaded with the first line.
"""

import gc
from binascii import hexlify

from .streams import Flow, fields, values

_SCENE = const(1)  # kinds of events, as in mesh/README.md
_IDENTIFY = const(4)
_LINKS = const(8)
_NOTES = const(9)
_FADE = const(20)  # tenths of a second
_IDENTIFY_MS = const(10000)

_HELP = {
    "?": "this list; -j: JSON",
    "status": "this node",
    "watch": "a line a second; -j -f; off",
    "beats": "heart beats; -j -f; off",
    "mesh": "who is here; NODE: whom it hears",
    "scene": "[NAME]",
    "identify": "[NODE] blink",
    "config": "[KEY [VALUE]] | save",
    "crash": "notes | clear | NODE: ask twice",
    "optout": "neutral light, not shared; off",
    "share": "[PERCENT] of the light is yours alone",
    "raw": "the wearer's samples; off",
    "gateway": "[FROM] records",
    "reboot": "",
}


def answer(con, words):
    """The document for a command line already split into words."""
    word = words[0]
    if word == "?":
        return _HELP
    if word not in _HELP:
        raise ValueError("unknown command %s: ? lists them" % word)
    return globals()[word](con, con.node, words[1:])


def status(con, node, args):
    out = values(fields(node))
    out.update(scene(con, node, ()))
    keep = node.keep
    for name in ("name", "cluster", "role"):
        out[name] = getattr(keep.config, name)
    out["node"] = node.mesh.node
    board = node.hardware.board
    out["board"] = board.get("name")
    out["release"] = board.get("release")
    out["up_s"] = keep.uptime()
    out["free"] = gc.mem_free()
    out["dropped"] = con.out.dropped
    out["garbage"] = con.garbage
    sup = node.supervisor
    out["faults"] = {name: n for name, n in zip(sup.names, sup.faults) if n}
    return out


# of a row of the table: name[/scale]
_ROW = const("node age version rssi arousal/4096 confidence/255 g/4096")


def mesh(con, node, args):
    """The table; or, in hex, the last answer to a question for links, and the question is put to the node named."""
    mesh = node.mesh
    if args:
        return {"links": hexlify(ask(mesh, _LINKS, args[0])).decode()}
    room = mesh.room
    rows = []
    for i in range(room.count):
        row = {}
        for word in _ROW.split():
            name, _, scale = word.partition("/")
            v = getattr(room, name)[i]
            row[name] = round(v / int(scale), 2) if scale else v
        rows.append(row)
    return rows


def scene(con, node, args):
    """The scene for the whole room, half a second from now; alone, for this strand, at once."""
    light = node.light
    names = light.names
    if not args:
        return {"scene": names[light.scene], "scenes": names}
    i = known(names, args)
    mesh = node.mesh
    if not mesh.send_event(_SCENE, bytes((i, _FADE)), 2, mesh.time(con.now) + 500 & 0x3FFFFFFF):
        light.set_scene(i, -1)
    return {"scene": args[0]}


def known(names, words):
    """The number of the scene that `words` name and nothing else. Raises ValueError."""
    name = " ".join(words)
    if name not in names:
        raise ValueError("no scene %s: there are %s" % (name, " ".join(names)))
    return names.index(name)


def whom(word):
    """A node's number. Raises ValueError."""
    if not word.isdigit() or not 0 < int(word) < 65535:
        raise ValueError("%s is no node: 1 to 65534" % word)
    return int(word)


def ask(mesh, kind, word):
    """Put a question to the node that `word` names; returns the last answer to one."""
    n = whom(word)
    told = mesh.told
    mesh.told = b""
    mesh.send_event(kind, told, 0, -1, n)
    return told


def identify(con, node, args):
    if not args:
        node.light.show_only(node.light.names.index("identify"), con.now, _IDENTIFY_MS)
    elif not node.mesh.send_event(_IDENTIFY, bytes(1), 1, -1, whom(args[0])):
        raise ValueError("cannot reach %s without the network's keys" % args[0])
    return {"identify": args}


def config(con, node, args):
    config = node.keep.config
    out = config.values()
    if args == ["save"]:
        if config.dirty and not config.save():
            raise ValueError("the flash refused: free some space, save again")
    elif args:
        name = args[0]
        if name not in out:
            raise ValueError("no key %s: config lists them" % name)
        words = args[1:]
        if words:
            if name == "scene":
                known(node.light.names, words)
            elif name == "pixels":
                most = node.hardware.board["strand"]["pixels"]
                if words[0].isdigit() and int(words[0]) > most:
                    raise ValueError("the strand has %d pixels: 0 is all of them" % most)
            config.set(name, " ".join(words))
        out = {name: getattr(config, name)}
    out["unsaved"] = int(config.dirty)
    return out


def crash(con, node, args):
    """The notes; or the last answer to a question for notes, and the question is put to the node named."""
    notes = node.keep.notes
    if args and args[0].isdigit():
        return {"notes": ask(node.mesh, _NOTES, args[0]).decode()}
    if args == ["clear"]:
        notes.clear()
    return notes.read()


def optout(con, node, args):
    node.damp.opt_out(not args)
    return {"opted_out": node.damp.opted_out}


def share(con, node, args):
    """The wearer's wish for an unmediated share, in percent; the share in force and whose it is: the wish counts
    where it is above the room's, which is the policy's, and never less than the floor."""
    damp = node.damp
    if args:
        worn(node)
        damp.wish(int(args[0]) * 4096 // 100)
    rho = damp.rho
    return {"share": round(rho / 40.96), "from": "wish" if rho > max(damp.policy_rho, 1024) else "room"}


def worn(node):
    """Raises ValueError where nobody touches: what follows is the wearer's to say."""
    if not node.sense.contact:
        raise ValueError("touch the sensor first")


def reboot(con, node, args):
    node.keep.leaving()
    con.reboot = 1
    return {"reboot": 1}


def stream(con, args):
    """How something is to be streamed (1 text, 2 JSON, 3 frames), 0 for off."""
    if not con.flow:
        con.flow = Flow(con)
        con.streams.append(con.flow.step)
    return 0 if args else con.mode


def raw(con, node, args):
    if not args:
        worn(node)
    con.raw = 1 if stream(con, args) else 0
    con.flow.restart(con.now)
    return {"raw": con.raw}


def gateway(con, node, args):
    """Records from number FROM on, at most 512 more; what is gone from the ring is skipped."""
    if not con.ask:
        from .gateway import gateway

        numbers = [0, 0, 0]
        records = gateway(node.mesh, con.out, numbers)
        next(records)
        con.streams.append(records.send)
        con.ask = numbers
    con.ask[0] = n = max(0, int(args[0])) if args else 0
    con.ask[1] = n + 512
    mesh = node.mesh
    return {"node": mesh.node, "epoch": mesh.epoch, "next": con.ask[2], "mesh_ms": mesh.time(con.now)}


def watch(con, node, args):
    con.watch = stream(con, args)
    con.flow.next = con.now  # one of days ago may lie ahead: ticks wrap
    return {"watch": con.watch}


def beats(con, node, args):
    con.beats = stream(con, args)
    return {"beats": con.beats}

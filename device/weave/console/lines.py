"""Lines: what somebody said is understood, what is answered goes its way as text, JSON or frames.

In: the console, a line without its end; documents (a dictionary, a list of dictionaries, or lines of text). Out: jobs of
the console: iterators of bytes (text) or of (kind, bytes) (frames' payloads), at most four. Loaded with the first line.
"""

import json
from binascii import a2b_base64, crc32
from collections import OrderedDict

from micropython import const

from .commands import answer, values

_JOBS = const(4)
_PART = const(80)  # bytes of text at once
_SHORT = const(12)  # values in a line of text
_ANSWER = const(6)  # kind of frame, as in streams.py


def end(con, data):
    """A line is complete: a command, or what a host says."""
    try:
        if data[0] == 64:
            host(con, data[1:])
            return
        words = data.decode().split()
    except Exception:  # not UTF-8, not base64, not its CRC: which exception depends on the port
        con.garbage += 1
        return
    con.out.text(b"\r\n")
    if words:
        doc = run(con, words)
        say(con, doc if con.mode else text(doc))


def host(con, data):
    """A host's line: kind, number, text of a command or (kind 2) a sealed command for the mesh; answered in frames."""
    data = a2b_base64(data)
    n = len(data) - 4
    if n < 3 or crc32(data[:n]) != int.from_bytes(data[n:], "little"):
        raise ValueError
    if data[0] == 2:
        doc = {"sent": int(con.node.mesh.send_command(data[2:n], n - 2))}
    else:
        doc = run(con, data[2:n].decode().split() or "?")
    say(con, doc, _ANSWER, data[1])


def run(con, words):
    """See Console.run."""
    con.mode = 0
    for flag in ("-j", "-f"):
        if flag in words:
            words.remove(flag)
            con.mode += 1 if flag == "-j" else 2
    try:
        return answer(con, words)
    except ValueError as e:
        return {"error": str(e)}
    except Exception as e:  # a part is missing, or worse: said, noted, survived
        if hasattr(con.node, "keep"):
            con.node.keep.note("console", e, con.now)
        return {"error": "%s cannot: %r" % (words[0], e)}


def say(con, doc, kind=0, number=0):
    """Text, lines of text, or a document as JSON; as lines, or in frames of a kind."""
    if isinstance(doc, dict) or (kind or con.mode) and isinstance(doc, list):
        doc = json.dumps(doc)
    if len(con.jobs) < _JOBS:
        con.jobs.append(parts([doc] if isinstance(doc, str) else doc, kind, number))
    else:
        con.out.dropped += 1
    con.busy = True


def parts(rows, kind, number):
    """Rows of text as bytes, or as frames' payloads: number, 1 on the last one, text."""
    for line in rows:
        data = line.encode()
        for i in range(0, len(data) or 1, _PART):
            part = data[i : i + _PART]
            yield (kind, bytes((number, i + _PART >= len(data))) + part) if kind else part
        if not kind:
            yield b"\r\n"


def watch(con):
    """The state as a line of text, or JSON."""
    how = con.watch
    show(con, values(con.table[:_SHORT] if how == 1 else con.table), how)


def beat(con, sense):
    """A heart beat as a line of text, or JSON."""
    doc = {"beat_ms": sense.beat_ms, "ibi_ms": sense.ibi_q4 / 16, "quality": sense.quality, "gap": sense.gap}
    show(con, doc, con.beats)


def show(con, doc, how):
    """One document on one line; as text where how is 1, or JSON."""
    say(con, row(doc) if how == 1 else doc)


def keys(doc):
    """In their own order where they have one, else sorted."""
    return doc if isinstance(doc, OrderedDict) else sorted(doc)


def row(doc):
    """A document on one line; a `text` (a traceback) stays out."""
    return "  ".join("%s %s" % (k, doc[k]) for k in keys(doc) if k != "text")


def text(doc):
    """Lines of a document, for people; a traceback comes on lines of its own."""
    if isinstance(doc, dict):
        return ["%-15s%s" % (k, doc[k]) for k in keys(doc)]
    out = [] if doc else ["nothing"]
    for d in doc:
        out.append(row(d))
        if "text" in d:
            out.append(d["text"].replace("\n", "\r\n  "))
    return out

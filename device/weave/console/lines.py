"""Lines: what somebody said is understood, what is answered goes its way as text, JSON or frames.

In: the console, a line without its end; documents (a dictionary, a list of dictionaries, or lines of text). Out: jobs of
the console: iterators of (kind, bytes), frames' payloads or, where kind is 0, text; at most four.
"""

import json
from binascii import a2b_base64, crc32

from .commands import answer

_JOBS = const(4)
_PART = const(80)  # bytes of text at once
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
        say(con, text(doc) if con.mode == 1 else doc)


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
    """The document that answers a command; never raises. `con.mode` is 1 for text, 2 where JSON was asked for, 3 frames."""
    con.mode = 1
    for flag in ("-j", "-f"):
        if flag in words:
            words.remove(flag)
            con.mode += 1 if flag == "-j" else 2
    try:
        return answer(con, words or "?")
    except ValueError as e:
        return {"error": str(e)}
    except Exception as e:  # the unforeseen: said, noted, survived
        con.node.keep.note("console", e, con.now)
        return {"error": "%s cannot: %r" % (words[0], e)}


def say(con, doc, kind=0, number=0):
    """A document as JSON, or lines of text (neither dictionary nor list); as lines, or in frames of a kind."""
    if isinstance(doc, (dict, list)):
        doc = (json.dumps(doc),)
    if len(con.jobs) < _JOBS:
        con.jobs.append(parts(doc, kind, number))
    else:
        con.out.dropped += 1
    con.busy = True


def parts(rows, kind, number):
    """Rows of text as (0, bytes), or as frames: (kind, payload) with number, 1 on the last one, text."""
    for line in rows:
        data = line.encode()
        for i in range(0, len(data) or 1, _PART):
            part = data[i : i + _PART]
            yield kind, bytes((number, i + _PART >= len(data))) + part if kind else part
        if not kind:
            yield 0, b"\r\n"


def show(con, doc, how):
    """One document on one line; as text where how is 1, or JSON."""
    say(con, (row(doc),) if how == 1 else doc)


def keys(doc):
    """In their own order where they have one, else sorted."""
    return sorted(doc) if type(doc) is dict else doc


def row(doc):
    """A document on one line; a `text` (a traceback) stays out."""
    return "  ".join("%s %s" % (k, doc[k]) for k in keys(doc) if k != "text")


def text(doc):
    """Lines of a document, for people; a traceback comes on lines of its own."""
    if isinstance(doc, dict):
        for k in keys(doc):
            yield "%-15s%s" % (k, doc[k])
        return
    if not doc:
        yield "nothing"
    for d in doc:
        yield row(d)
        if "text" in d:
            yield d["text"].replace("\n", "\r\n  ")

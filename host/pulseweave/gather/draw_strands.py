"""Runs in MicroPython: the device's own Damp and Light, drawing strands from what the mesh tells about them.

stdin: a line of JSON {"pixels", "strands": [[node, x, y, z mm], ...]}, answered by a line of JSON; then, per picture,
`<IBBH` room ms, scene, flags (1 damping, 2 start afresh), ticks to go, and for every strand `<HBBBBBB` age ms (65535 =
unknown), arousal, fast, confidence, g, flags, 0. stdout: per picture pixels as r, g, b, strand after strand, then for every
strand `<hHHHB` level, collective, ratio, synchrony, contagion. Heart beats do not travel through the mesh: strands of
gathered rooms are drawn without.
"""

import json
import sys
from array import array
from struct import calcsize, pack_into, unpack_from

from weave.damp import Damp
from weave.light import Light, Site

ROW = "<HBBBBBB"
ROW_BYTES = calcsize(ROW)
HEAD = "<IBBH"
HEAD_BYTES = calcsize(HEAD)
TOLD = "<hHHHB"
TOLD_BYTES = calcsize(TOLD)


class Strand:
    channels = 3
    order = (0, 1, 2)

    def __init__(self, n):
        self.n = n
        self.buf = bytearray(3 * n)

    def show(self):
        pass


class Visitor:
    """Sense and affect in one, as far as they are known."""

    beats = onset = valence = valence_confidence = 0
    contact = arousal = fast = confidence = fast_confidence = 0

    def __init__(self, rest):
        self.rest = rest


class Room:
    """The table of the mesh, the same for all strands."""

    def __init__(self, nodes):
        n = self.count = len(nodes)
        self.node = array("H", nodes)
        self.arousal, self.fast, self.g, self.age = [array("H", bytes(2 * n)) for _ in range(4)]
        self.confidence = bytearray(n)


def rest():
    """What a visitor at rest reads, from the estimator itself."""
    from weave.affect import Affect

    class Nobody:
        def __getattr__(self, name):
            return 0

    return Affect(Nobody()).rest


def main():
    plan = json.loads(sys.stdin.buffer.readline())
    strands = plan["strands"]
    n = len(strands)
    room = Room([s[0] for s in strands])
    calm = rest()
    pixels = plan["pixels"]

    def build():
        return (
            [Light(Strand(pixels), Site(s[1], s[2], s[3], budget_ma=20000)) for s in strands],
            [Damp(s[0]) for s in strands],
            [Visitor(calm) for _ in strands],
        )

    lights, damps, visitors = build()
    buf = bytearray(HEAD_BYTES + n * ROW_BYTES)
    told = bytearray(n * TOLD_BYTES)
    out = sys.stdout.buffer
    out.write(json.dumps({"scenes": list(Light.names)}).encode() + b"\n")
    now = 0
    while sys.stdin.buffer.readinto(buf) == len(buf):
        ms, scene, flags, ticks = unpack_from(HEAD, buf, 0)
        if flags & 2:
            lights, damps, visitors = build()
        for i in range(n):
            age, arousal, fast, confidence, g, state, _ = unpack_from(ROW, buf, HEAD_BYTES + i * ROW_BYTES)
            v = visitors[i]
            room.age[i] = age
            room.arousal[i] = v.arousal = arousal * 257 >> 4
            room.fast[i] = v.fast = fast * 257 >> 4
            room.confidence[i] = v.confidence = v.fast_confidence = confidence
            room.g[i] = g * 257 >> 4
            v.contact = state & 1 if age < 60000 else 0
        for t in range(ticks):
            at = (ms - 20 * (ticks - 1 - t)) & 0x3FFFFFFF
            now = now + 20 & 0x3FFFFFFF
            for i in range(n):
                d = damps[i]
                light = lights[i]
                if light.scene != scene and light._pending < 0:
                    light.set_scene(scene, at)
                d.enabled = flags & 1
                d.step(now, at, visitors[i], visitors[i].contact, room)
                d.g = room.g[i]  # the node has said how much it damps
                light.step(now, at, visitors[i], visitors[i], d)
        for i in range(n):
            out.write(lights[i].guard.out)
            d = damps[i]
            pack_into(
                TOLD,
                told,
                i * TOLD_BYTES,
                d.level,
                d.collective,
                min(d.ratio_q8, 65535),
                d.synchrony,
                d.contagion,
            )
        out.write(told)


main()

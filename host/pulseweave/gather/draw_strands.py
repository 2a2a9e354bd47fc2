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

from micropython import heap_lock, heap_unlock
from still import Strand
from weave.damp import Damp
from weave.light import Light, Site

ROW = "<HBBBBBB"
ROW_BYTES = calcsize(ROW)
HEAD = "<IBBH"
HEAD_BYTES = calcsize(HEAD)
TOLD = "<hHHHB"
TOLD_BYTES = calcsize(TOLD)
STEADY = 250  # ticks after a start or a new scene in which code is still loaded and objects are made


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


class Seen:
    """The crowd as the first strand's Damp has counted it: all look at the same table, so one of them does for all."""

    at = 1 << 20  # nothing is left to look at

    def __init__(self, crowd):
        self.crowd = crowd
        self.end()

    def begin(self, rest=0):
        self.rest = self.crowd.rest

    def end(self):
        c = self.crowd  # one by one: a tuple would be an object on the heap
        self.mean = c.mean
        self.weight = c.weight
        self.visitors = c.visitors
        self.rest = c.rest
        self.g = c.g
        self.spread = c.spread
        self.p90 = c.p90
        self.synchrony = c.synchrony


def rest():
    """What a visitor at rest reads, from the estimator itself."""
    from weave.affect import Affect

    class Nobody:
        def __getattr__(self, name):
            return 0

    return Affect(Nobody()).rest


def step(now, clock, damp, light, visitor, room, g):
    """A tick of one strand; `g`: the node has said how much it damps."""
    damp.step(now, visitor, visitor.contact, room)
    damp.g = g
    light.step(now, clock, visitor, visitor, damp)


def main():
    plan = json.loads(sys.stdin.buffer.readline())
    strands = plan["strands"]
    n = len(strands)
    room = Room([s[0] for s in strands])
    calm = rest()
    pixels = plan["pixels"]

    def build():
        lights = [Light(Strand(pixels), Site(s[1], s[2], s[3], budget_ma=20000)) for s in strands]
        damps = [Damp(s[0]) for s in strands]
        for d in damps[1:]:
            d.crowd = Seen(damps[0].crowd)
        return lights, damps, [Visitor(calm) for _ in strands]

    lights, damps, visitors = build()
    buf = bytearray(HEAD_BYTES + n * ROW_BYTES)
    told = bytearray(n * TOLD_BYTES)
    out = sys.stdout.buffer
    out.write(json.dumps({"scenes": list(Light.names)}).encode() + b"\n")
    now = at = steady = 0

    def clock(_):
        return at

    while sys.stdin.buffer.readinto(buf) == len(buf):
        ms, scene, flags, ticks = unpack_from(HEAD, buf, 0)
        if flags & 2:
            lights, damps, visitors = build()
            steady = 0
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
                d.enabled = flags & 1
                light = lights[i]
                if light.scene != scene and light._pending < 0:
                    light.set_scene(scene, at)
                    steady = 0
                if steady < STEADY:
                    step(now, clock, d, light, visitors[i], room, room.g[i])
                    continue
                # A locked heap gives the frames of calls from the stack: they need not be looked for among the objects of
                # hundreds of strands, which takes longer than the calls. A steady tick allocates nothing else.
                heap_lock()
                try:
                    step(now, clock, d, light, visitors[i], room, room.g[i])
                    heap_unlock()
                except MemoryError:  # it was none: its strand takes it again
                    heap_unlock()
                    steady = 0
                    step(now, clock, d, light, visitors[i], room, room.g[i])
            steady += 1
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

"""What the console streams as frames, without allocation: a state once a second, beats, raw samples.

In: the node's parts. Out: payloads in `out.body` (layouts in README.md, little-endian). FIELDS is the one table behind
state frames, the status document and the line of text that `watch` prints: part.attribute/divisor=name, each 16 bits
in a frame. A part or an attribute that is missing reads as 0.
"""

from struct import pack_into

from micropython import const

_STATE = const(1)  # kinds of frames; 3 log, 4 crash, 6 answer are the console's
_BEAT = const(2)
_RAW = const(5)

FIELDS = (
    "sense.contact sense.quality/255 sense.hr_q4/16=bpm sense.rmssd_q4/16=rmssd_ms sense.scl_ns/1000=skin_us "
    "affect.arousal/4096 affect.confidence/255 damp.level/4096 damp.g/4096 damp.ratio_q8/256=ratio "
    "mesh.neighbours light.ma affect.fast/4096 affect.valence/4096 damp.rho/4096 damp.contagion damp.opted_out "
    "sense.skin_ok sense.scrs sense.ibi_q4/16=ibi_ms sense.faults=sensor_faults light.scene light.limited light.frames "
    "mesh.synced mesh.sent mesh.received mesh.rejected mesh.restarts=radio_restarts keep.safe "
    "keep.boots keep.bad=bad_boots keep.cause console.raw"
)

_BODY = const(92)  # bytes of raw samples in a frame
_MOST = const(8)  # pulse samples in a tick; more come only after a stall


def fields(node):
    """FIELDS resolved: (part or None, attribute, divisor, name) each."""
    out = []
    for word in FIELDS.split():
        where, _, name = word.partition("=")
        where, _, divisor = where.partition("/")
        part, _, attribute = where.partition(".")
        out.append((getattr(node, part, None), attribute, int(divisor or 0), name or attribute))
    return out


def state(table, now, out):
    """Queue a state: now in ms, then each of `table` (from fields())."""
    body = out.body
    pack_into("<I", body, 2, now)
    k = 6
    for part, attribute, _, _ in table:
        v = getattr(part, attribute, 0)
        if v > 65535:
            v = 65535
        body[k] = v & 255
        body[k + 1] = v >> 8 & 255
        k += 2
    return out.frame(_STATE, k - 2)


def beat(sense, out):
    """Queue a beat."""
    pack_into("<IHHBB", out.body, 2, sense.beat_ms, sense.ibi_q4, sense.beats, sense.quality, sense.gap)
    return out.frame(_BEAT, 10)


class Raw:
    """Gathers raw samples: for each tick their number, pulse counts (24 bits each), the skin sum (16 bits)."""

    def __init__(self):
        self._body = bytearray(_BODY)
        self._k = 0

    def step(self, sense, now, out):
        """Take this tick's samples; a full body leaves as a frame that begins with now in ms."""
        body = self._body
        k = self._k
        n = getattr(sense, "polled", 1) if getattr(sense, "at", now) == now else 0
        if n > _MOST:
            n = _MOST
        body[k] = n
        k += 1
        for i in range(n + 1):
            x = sense.pulse.samples[i] if i < n else sense.skin.sensor.samples[0]
            body[k] = x & 255
            body[k + 1] = x >> 8 & 255
            k += 2
            if i < n:
                body[k] = x >> 16 & 255
                k += 1
        if k > _BODY - 3 - 3 * _MOST:
            pack_into("<I", out.body, 2, now)
            for i in range(k):
                out.body[6 + i] = body[i]
            out.frame(_RAW, 4 + k)
            k = 0
        self._k = k

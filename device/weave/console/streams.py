"""What the console streams as frames, without allocation: a state once a second, beats, raw samples.

In: the node's parts. Out: payloads in `out.body` (layouts in README.md, little-endian). FIELDS is the one table behind
state frames, the status document and the line of text that `watch` prints: part.attribute/divisor=name, each 16 bits
in a frame. A part or an attribute that is missing reads as 0.
"""

from struct import pack_into

from micropython import const

STATE = const(1)
BEAT = const(2)
LOG = const(3)
CRASH = const(4)
RAW = const(5)
ANSWER = const(6)

FIELDS = (
    "sense.contact sense.quality/255 sense.hr_q4/16=bpm sense.rmssd_q4/16=rmssd_ms sense.scl_ns/1000=skin_us "
    "affect.arousal/4096 affect.confidence/255 damp.level/4096 damp.g/4096 damp.ratio_q8/256=ratio "
    "mesh.neighbours light.ma affect.fast/4096 affect.valence/4096 damp.rho/4096 damp.contagion damp.opted_out "
    "sense.skin_ok sense.scrs sense.ibi_q4/16=ibi_ms sense.faults=sensor_faults light.scene light.limited light.frames "
    "mesh.synced mesh.sent mesh.received mesh.rejected mesh.restarts=radio_restarts keep.safe console.raw"
)

_HOLD = const(10)  # raw: ticks in a frame
_PULSES = const(20)  # most pulse samples in a frame


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
    return out.frame(STATE, k - 2)


def beat(sense, out):
    """Queue a beat."""
    pack_into("<IHHBB", out.body, 2, sense.beat_ms, sense.ibi_q4, sense.beats, sense.quality, sense.gap)
    return out.frame(BEAT, 10)


class Raw:
    """Gathers the samples of ten ticks into one frame: ms, counts, pulses (24 bits each), skin sums (16 bits each)."""

    def __init__(self):
        self._pulse = bytearray(3 * _PULSES)
        self._skin = bytearray(2 * _HOLD)
        self._n = self._m = 0

    def step(self, sense, now, out):
        """Take this tick's samples; queue a frame every tenth tick."""
        n = self._n
        if getattr(sense, "at", now) == now:
            samples = sense.pulse.samples
            b = self._pulse
            for i in range(getattr(sense, "polled", 1)):
                if n < _PULSES:
                    x = samples[i]
                    b[3 * n] = x & 255
                    b[3 * n + 1] = x >> 8 & 255
                    b[3 * n + 2] = x >> 16 & 255
                    n += 1
        m = self._m
        x = sense.skin.sensor.samples[0]
        self._skin[2 * m] = x & 255
        self._skin[2 * m + 1] = x >> 8 & 255
        self._n = n
        self._m = m + 1
        if m + 1 == _HOLD:
            body = out.body
            pack_into("<IBB", body, 2, now, n, _HOLD)
            k = 8
            for i in range(3 * n):
                body[k] = self._pulse[i]
                k += 1
            for i in range(2 * _HOLD):
                body[k] = self._skin[i]
                k += 1
            self._n = self._m = 0
            out.frame(RAW, k - 2)

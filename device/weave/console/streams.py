"""What the console streams: a state once a second, beats, raw samples; as frames without allocation, or as lines.

In: the console, and the node's parts. Out: payloads in `out.body` (layouts in README.md, little-endian). _FIELDS is the one
table behind state frames, the status document and the line of text that `watch` prints: [part.]attribute[/divisor][=name],
each 16 bits in a frame; the part is named where it changes. What is missing reads as 0.
"""

from collections import OrderedDict
from struct import pack_into
from time import ticks_add, ticks_diff

from ..light.scenes import IDENTIFY

_STATE = const(1)  # kinds of frames; 6, answers, is of lines.py
_BEAT = const(2)
_CRASH = const(4)
_RAW = const(5)

_FIELDS = const(
    "sense.contact quality/255 hr_q4/16=bpm rmssd_q4/16=rmssd_ms scl_ns/1000=skin_us "
    "affect.arousal/4096 confidence/255 damp.level/4096 g/4096 ratio_q8/256=ratio "
    "mesh.neighbours light.ma affect.fast/4096 valence/4096 damp.rho/4096 contagion opted_out "
    "sense.skin_ok scrs ibi_q4/16=ibi_ms faults=sensor_faults light.scene limited frames "
    "mesh.synced sent received rejected restarts=radio_restarts fault=mesh_fault keep.safe "
    "boots bad=bad_boots cause console.raw"
)
_LINE = const(12)  # values in a line of text

_FRAMES = const(3)
_RAW_MS = const(600000)  # raw ends by itself
_BODY = const(92)  # bytes of raw samples in a frame
_MOST = const(8)  # pulse samples in a tick; more come only after a stall


def fields(node):
    """_FIELDS resolved: (part or None, attribute, divisor, name) each."""
    out = []
    for word in _FIELDS.split():
        word, _, name = word.partition("=")
        word, _, divisor = word.partition("/")
        where, _, attribute = word.rpartition(".")
        if where:
            part = getattr(node, where, None)
        out.append((part, attribute, int(divisor or 0), name or attribute))
    return out


def values(table):
    """What `table` (of fields()) holds, scaled: fractions 0..1, bpm, ms, microsiemens."""
    out = OrderedDict()
    for part, attribute, divisor, name in table:
        v = getattr(part, attribute, None)
        if v is not None:
            out[name] = round(v / divisor, 3) if divisor else int(v)
    return out


class Flow:
    """Whatever of `con.watch`, `con.beats` and `con.raw` is on. Raw samples: for each tick their number, pulse
    counts (24 bits each), the skin sum (16 bits)."""

    def __init__(self, con):
        self._con = con
        self._table = fields(con.node)
        self.next = con.now
        self._beat = self._notes = 0
        self._body = bytearray(_BODY)
        self.restart(con.now)

    def restart(self, now):
        """Raw samples begin here."""
        self._since = now
        self._k = 0

    def step(self, now):
        con = self._con
        sense = con.node.sense
        if con.watch and ticks_diff(now, self.next) >= 0:
            self.next = ticks_add(now, 1000)
            self._watch(con, now)
        if con.beats and sense.beats != self._beat:
            self._beat = sense.beats
            self._pulse(con, sense)
        if con.raw:
            if sense.contact and ticks_diff(now, self._since) < _RAW_MS:
                con.node.light.show_only(IDENTIFY, now, 1000)  # whose samples go out sees that they do
                self._raw(con.out, sense, now)
            else:
                con.raw = 0  # the hand that said yes is gone

    def _watch(self, con, now):
        """Once a second: the state, and a new crash note."""
        table = self._table
        if con.watch != _FRAMES:
            con.lines.show(con, values(table[:_LINE] if con.watch == 1 else table), con.watch)
            return
        body = con.out.body
        pack_into("<I", body, 2, now)
        k = 6
        for part, attribute, _, _ in table:
            v = min(getattr(part, attribute, 0), 65535)
            body[k] = v & 255
            body[k + 1] = v >> 8 & 255
            k += 2
        con.out.frame(_STATE, k - 2)
        notes = con.node.keep.notes
        if notes.taken != self._notes:
            self._notes = notes.taken
            con.lines.say(con, notes.last, _CRASH)

    def _pulse(self, con, s):
        """A heart beat."""
        if con.beats == _FRAMES:
            pack_into("<IHHBB", con.out.body, 2, s.beat_ms, s.ibi_q4, s.beats, s.quality, s.gap)
            con.out.frame(_BEAT, 10)
        else:
            doc = {"beat_ms": s.beat_ms, "ibi_ms": s.ibi_q4 / 16, "quality": s.quality, "gap": s.gap}
            con.lines.show(con, doc, con.beats)

    def _raw(self, out, sense, now):
        """Take this tick's samples; a full body leaves as a frame that begins with now in ms."""
        body = self._body
        k = self._k
        n = min(sense.pulse.polled, _MOST)
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

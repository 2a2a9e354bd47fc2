"""The node's configuration: plain attributes with defaults that shine, kept in two slots on flash.

In: a filesystem. Out: attributes named in _FIELDS (integers within their span, strings up to their length).
The newer sound slot counts; the older one is overwritten, so that a cut, a full filesystem or a bad block costs at most the
change in progress. The body is JSON: a newer firmware's keys survive an older one, and `steps` lift older versions.
"""

import json

from .store import read, write

_VERSION = const(1)
_SLOTS = const(("/config.0", "/config.1"))

# A number: default, lowest, highest; a word: default, longest in bytes. As text it takes a quarter of the memory.
_FIELDS = const(
    '{"node":[0,0,65534],'  # id in the mesh; 0 = taken from the radio's address
    '"name":["",24],'
    '"cluster":[1,0,255],'
    '"x":[0,-1000000,1000000],'  # position in the room, mm
    '"y":[0,-1000000,1000000],'
    '"z":[0,-1000000,1000000],'
    '"scene":["hearth",16],'
    '"brightness":[255,0,255],'  # Q8
    '"role":["node",8],'  # node or gateway
    '"skin_cal":[0,0,4095],'  # 12-bit counts with nobody touching; 0 = the board's
    '"skin_gain":[4096,1024,16384],'  # Q12, corrects the slope of conductance
    '"pixels":[0,0,300],'  # 0 = the board's
    '"budget_ma":[0,0,60000],'  # 0 = the board's
    '"cluster_max":[64,1,254],'  # nodes in the mesh's table, about 51 bytes of heap each
    '"channel":[0,0,13]}'  # Wi-Fi channel; 0 = the board's
)


class Config:
    """Attributes as in _FIELDS; `dirty` while something waits to be written, `sequence` counts writes.

    `steps[i](values)` turns the dictionary of version i + 1 into that of version i + 2.
    """

    def __init__(self, fs, version=_VERSION, steps=()):
        self._fs = fs
        self._version = version
        self._steps = steps
        self._other = {}  # keys of a newer version, carried along
        self.sequence = 0
        self.dirty = False
        fields = json.loads(_FIELDS)
        for name in fields:
            setattr(self, name, fields[name][0])

    def load(self):
        """Read the newer sound slot; True where there was one. A value outside its span keeps its default."""
        best = None
        for path in _SLOTS:
            found = read(self._fs, path)
            if found and (best is None or found[0] > best[0]):
                try:
                    values = json.loads(found[2])
                except ValueError:
                    continue
                if isinstance(values, dict):
                    best = (found[0], found[1], values)
        if best is None:
            return False
        self.sequence, version, values = best
        if version > self._version:
            self._version = version  # its steps are done: they must not be done again after us
        while 0 < version < self._version:
            values = self._steps[version - 1](values)
            version += 1
            self.dirty = True
        for name in list(values):
            try:
                self._put(name, values[name])
            except KeyError:
                self._other[name] = values[name]
            except ValueError:
                pass
        return True

    def save(self):
        """Write to the older slot; True where it is safe on flash. At quiet moments only: the flash stops everything."""
        values = self.values()
        values.update(self._other)
        n = self.sequence + 1
        if not write(self._fs, _SLOTS[n & 1], self._version, n, json.dumps(values).encode()):
            return False
        self.sequence = n
        self.dirty = False
        return True

    def values(self):
        """All fields as a dictionary."""
        return {name: getattr(self, name) for name in json.loads(_FIELDS)}

    def set(self, name, value):
        """Change one field (text is converted); written at the next quiet moment. KeyError: unknown; ValueError: why."""
        old = getattr(self, name, None)
        self._put(name, value)
        if getattr(self, name) != old:
            self.dirty = True

    def _put(self, name, value):
        field = json.loads(_FIELDS)[name]
        low, high = field[-2:]
        if isinstance(low, str):
            if not isinstance(value, str) or len(value.encode()) > high:
                raise ValueError("%s is a word of at most %d bytes" % (name, high))
        else:
            try:
                value = int(value)
            except (TypeError, ValueError, OverflowError):
                value = low - 1
            if not low <= value <= high:
                raise ValueError("%s is a number from %d to %d" % (name, low, high))
        setattr(self, name, value)

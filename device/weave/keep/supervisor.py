"""The supervisor: a part that raises is put aside for a while, the rest of the node goes on.

In: the faults of parts, by index; now in ms. Out: `due(i, now)`, whether part i may run. After consecutive
faults it waits 1, 2, 4 ... 60 s; a fault more than 10 s after a restart counts as a first one again. In the tick:

    if not sup.wait[i] or sup.due(i, now):
        try: steps[i](now)
        except Exception as e: sup.fault(i, e, now)
"""

import gc
from array import array
from time import ticks_add, ticks_diff

_LONGEST = const(60)
_STEADY_MS = const(10000)


class Supervisor:
    """Guards parts called `names`; faults are noted by `keep`."""

    def __init__(self, names, keep):
        n = len(names)
        self.names = names
        self.keep = keep
        self.wait = bytearray(n)  # 0 = runs; else the seconds of the current back-off
        self.faults = array("H", bytes(2 * n))  # faults of each part since start, stops at 65535
        self._level = bytearray(n)  # seconds of the last back-off
        self._until = array("i", bytes(4 * n))
        self._capital = bytes([ord(name[0]) & 0x5F for name in names])  # now: a fault may find no memory

    def due(self, i, now):
        """True where part i may run now."""
        if not self.wait[i]:
            return True
        if ticks_diff(now, self._until[i]) < 0:
            return False
        self.wait[i] = 0
        return True

    def fault(self, i, error, now):
        """Part i raised: note it, put it aside, return for how many seconds."""
        if isinstance(error, MemoryError):
            gc.collect()
        level = self._level[i]
        since = ticks_diff(now, self._until[i])
        level = min(2 * level, _LONGEST) if level and 0 <= since <= _STEADY_MS else 1
        self._level[i] = self.wait[i] = level
        self._until[i] = ticks_add(now, 1000 * level)
        if self.faults[i] < 65535:
            self.faults[i] += 1
        self.keep.mark(self._capital[i])
        self.keep.note(self.names[i], error, now)
        return level

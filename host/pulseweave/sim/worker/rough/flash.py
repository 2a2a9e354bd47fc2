"""Flash that fails: a RAM disk under MicroPython's own littlefs that loses power, refuses writes, and takes its time.

Prices: NOR flash of ESP32 modules (Winbond W25Q32JV data sheet, table 9.6): 45 ms to erase a sector, 0.4 ms to program a
page of 256 bytes. One littlefs block stands for one sector.
"""

import os

from virtual import bus

SIZE = 512
BLOCKS = 48
ERASE_US = 45000
PAGE_US = 400


class PowerCut(BaseException):
    """The supply went away in the middle of a flash operation: nothing of the firmware may catch this."""


class FailingDisk:
    """`cut` > 0 counts erases and writes down to a power cut, which tears the last one; `refuses` answers with EIO."""

    def __init__(self):
        self.data = bytearray(b"\xff" * (BLOCKS * SIZE))
        self.rough = bus.board.rough if bus.board else None
        self.cut = 0
        self.dead = False
        self.refuses = False
        self.operations = 0

    def filesystem(self):
        """A fresh littlefs on this disk."""
        os.VfsLfs2.mkfs(self)
        return os.VfsLfs2(self)

    def mounted(self):
        """The littlefs that is on it, after power-up. Raises OSError where none is sound."""
        self.dead = False
        return os.VfsLfs2(self)

    def _work(self, us):
        """One operation begins; True where it is the one in which the power goes."""
        if self.dead:
            raise PowerCut
        self.operations += 1
        if self.rough:
            self.rough.flash_us += us
        if self.refuses:
            raise OSError(5)
        if self.cut:
            self.cut -= 1
            self.dead = not self.cut
        return self.dead

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            raise PowerCut
        at = block * SIZE + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        n = len(buf)
        at = block * SIZE + offset
        if self._work((n + 255) // 256 * PAGE_US):
            half = n // 2
            self.data[at : at + half] = memoryview(buf)[:half]
            raise PowerCut
        self.data[at : at + n] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return SIZE
        if op == 6:
            n = SIZE // 2 if self._work(ERASE_US) else SIZE
            at = arg * SIZE
            self.data[at : at + n] = b"\xff" * n
            if self.dead:
                raise PowerCut
        return 0

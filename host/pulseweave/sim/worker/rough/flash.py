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


EIO = -5  # what a block device answers: an exception would leave littlefs' own lists broken


class FailingDisk:
    """`cut` > 0 counts erases and writes down to a power cut, which tears the last one: `dead`, for the fleet to see after
    the tick. `refuses`: erases and writes fail."""

    def __init__(self, data=None, refuses=False):
        self.data = data or bytearray(b"\xff" * (BLOCKS * SIZE))
        self.rough = bus.board.rough if bus.board else None
        self.cut = 0
        self.dead = False  # no power, or a life that is over: files that the collector finds open must not touch the flash
        self.refuses = refuses

    def filesystem(self):
        """A fresh littlefs on this disk."""
        os.VfsLfs2.mkfs(self)
        return os.VfsLfs2(self)

    def again(self):
        """The same flash after a reset or a power cut."""
        self.dead = True
        return FailingDisk(self.data, self.refuses)

    def mounted(self):
        """The littlefs that is on it. Raises OSError where none is sound."""
        return os.VfsLfs2(self)

    def _work(self, us):
        """One operation begins: 0, EIO, or 1 where it is the one in which the power goes."""
        if self.dead:
            return EIO
        if self.rough:
            self.rough.flash_us += us
        if self.refuses:
            return EIO
        if self.cut:
            self.cut -= 1
            self.dead = not self.cut
        return 1 if self.dead else 0

    def readblocks(self, block, buf, offset=0):
        if self.dead:
            return EIO
        at = block * SIZE + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset=0):
        n = len(buf)
        done = self._work((n + 255) // 256 * PAGE_US)
        if done < 0:
            return EIO
        at = block * SIZE + offset
        if done:
            n //= 2
            self.data[at : at + n] = memoryview(buf)[:n]
            return EIO
        self.data[at : at + n] = buf
        return 0

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return SIZE
        if op == 6:
            done = self._work(ERASE_US)
            if done < 0:
                return EIO
            n = SIZE // 2 if done else SIZE
            at = arg * SIZE
            self.data[at : at + n] = b"\xff" * n
            return EIO if done else 0
        return 0

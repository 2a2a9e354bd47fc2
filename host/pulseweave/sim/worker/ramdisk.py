"""A board's flash as a block device in memory, for MicroPython's own littlefs."""


class RamDisk:
    """`blocks` x 512 bytes; `cut` > 0 counts writes down to a power cut: from then on OSError, and a torn last block."""

    SIZE = 512

    def __init__(self, blocks=32):
        self.data = bytearray(blocks * self.SIZE)
        self.blocks = blocks
        self.cut = 0

    def filesystem(self):
        """A fresh littlefs on this disk; where the port has none (wasm), a folder of its memory filesystem."""
        import os

        if not hasattr(os, "VfsLfs2"):
            root = "/flash%d" % id(self)
            os.mkdir(root)
            return os.VfsPosix(root)
        os.VfsLfs2.mkfs(self)
        return os.VfsLfs2(self)

    def readblocks(self, block, buf, offset=0):
        at = block * self.SIZE + offset
        buf[:] = memoryview(self.data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * self.SIZE + offset
        if self.cut:
            if self.cut < 0:
                raise OSError(5)
            self.cut -= 1
            if not self.cut:
                half = len(buf) // 2
                self.data[at : at + half] = memoryview(buf)[:half]
                self.cut = -1
                raise OSError(5)
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return self.SIZE
        return 0

"""Stand-ins for flash in keep's tests: a dictionary filesystem, NVS, a watchdog, a block device that loses power."""

import io


class _File(io.BytesIO):
    """A file that lands in the dictionary when it is closed."""

    def __init__(self, files, path):
        super().__init__()
        self._files = files
        self._path = path

    def write(self, data):
        return super().write(data.encode() if isinstance(data, str) else data)

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self._files[self._path] = self.getvalue()
        self.close()


class Files:
    """VfsLfs2's methods over a dictionary; `full` refuses every new byte."""

    def __init__(self):
        self.files = {}
        self.full = False
        self.place = "/"  # the directory that the firmware runs from

    def getcwd(self):
        return self.place

    def open(self, path, mode):
        if "w" in mode:
            if self.full:
                raise OSError(28)
            return _File(self.files, path)
        if path not in self.files:
            raise OSError(2)
        data = self.files[path]
        return io.BytesIO(data) if "b" in mode else io.StringIO(data.decode())

    def rename(self, old, new):
        if old not in self.files:
            raise OSError(2)
        self.files[new] = self.files.pop(old)

    def remove(self, path):
        if path not in self.files:
            raise OSError(2)
        del self.files[path]

    def stat(self, path):
        if path not in self.files:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)


class Nvs:
    """NVS whose values count only after commit."""

    def __init__(self):
        self.kept = {}
        self.now = {}
        self.commits = 0

    def get(self, key):
        return self.now.get(key, self.kept.get(key, 0))

    def set(self, key, value):
        self.now[key] = value

    def commit(self):
        self.kept.update(self.now)
        self.commits += 1
        return True

    def cut(self):
        self.now = {}


class Dog:
    """A watchdog that counts its meals."""

    meals = 0

    def feed(self):
        self.meals += 1


class PowerCut(Exception):
    """The supply went away in the middle of a flash operation."""


class Flash:
    """RAM block device (extended protocol, 512-byte blocks) that dies at operation `cut`, having done a part of it."""

    def __init__(self, blocks=32):
        self.data = bytearray(blocks * 512)
        self.operations = 0
        self.cut = -1
        self.keep = 0  # bytes of the interrupted write that still reach the flash

    def _work(self):
        self.operations += 1
        return self.cut >= 0 and self.operations > self.cut

    def readblocks(self, n, buf, offset=0):
        at = n * 512 + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, n, buf, offset=None):
        if offset is None:
            offset = 0
            self.ioctl(6, n)
        at = n * 512 + offset
        if self._work():
            k = min(self.keep, len(buf)) if self.operations == self.cut + 1 else 0
            self.data[at : at + k] = buf[:k]
            raise PowerCut
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // 512
        if op == 5:
            return 512
        if op == 6:
            if self._work():
                raise PowerCut
            self.data[arg * 512 : arg * 512 + 512] = b"\xff" * 512
            return 0
        return 0


def fail(text="broken"):
    """An exception that was raised."""
    try:
        raise RuntimeError(text)
    except RuntimeError as e:
        return e

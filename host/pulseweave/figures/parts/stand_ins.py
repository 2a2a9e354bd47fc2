"""What device code and the simulator's shims expect of MicroPython, for CPython: just enough to count operations.

`install(shims, worker, device)` makes them importable in this process, which should do nothing else afterwards. None of
them changes what a node computes: the walk's digest must equal the one from MicroPython.
"""

import builtins
import collections
import io
import select
import struct
import sys
import time
import types


class Aes:
    """cryptolib.aes; `blocks` counts 16-byte blocks of all objects."""

    blocks = 0

    def __init__(self, key, mode, iv=b""):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        self._cipher = Cipher(algorithms.AES(bytes(key)), modes.CBC(bytes(iv)) if mode == 2 else modes.ECB())
        self._run = None

    def _do(self, start, data, out):
        self._run = self._run or start()
        data = bytes(data)
        Aes.blocks += len(data) // 16
        done = self._run.update(data)
        if out is None:
            return done
        out[: len(done)] = done
        return out

    def encrypt(self, data, out=None):
        return self._do(self._cipher.encryptor, data, out)

    def decrypt(self, data, out=None):
        return self._do(self._cipher.decryptor, data, out)


class _File(io.BytesIO):
    """A file that lands in the dictionary when it is closed."""

    def __init__(self, files, path):
        super().__init__()
        self._files, self._path = files, path

    def __exit__(self, *_):
        self._files[self._path] = self.getvalue()
        self.close()


class RamDisk:
    """ramdisk.RamDisk: its filesystem is a dictionary, because CPython has no littlefs."""

    def __init__(self, blocks=32):
        self.files: dict[str, bytes] = {}

    def filesystem(self):
        return self

    def open(self, path, mode):
        if "w" in mode:
            return _File(self.files, path)
        if path not in self.files:
            raise OSError(2)
        return io.BytesIO(self.files[path]) if "b" in mode else io.StringIO(self.files[path].decode())

    def rename(self, old, new):
        if old not in self.files:
            raise OSError(2)
        self.files[new] = self.files.pop(old)

    def remove(self, path):
        if self.files.pop(path, None) is None:
            raise OSError(2)

    def stat(self, path):
        if path not in self.files:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]), 0, 0, 0)


class Poll:
    """select.poll over objects with ioctl, as MicroPython's."""

    def __init__(self):
        self.streams = []

    def register(self, stream, flags):
        self.streams.append((stream, flags))

    def ipoll(self, timeout=-1):
        return [(s, r) for s, f in self.streams if (r := s.ioctl(3, f))]


def module(name: str, like=None, **members) -> None:
    """A module of this name from now on, with what `like` has and the members."""
    m = types.ModuleType(name)
    if like is not None:
        m.__dict__.update({k: v for k, v in like.__dict__.items() if not k.startswith("__")})
    m.__dict__.update(members)
    sys.modules[name] = m


def ticks_diff(a: int, b: int) -> int:
    return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000


def ticks_add(a: int, b: int) -> int:
    return (a + b) & 0x3FFFFFFF


def pack_into(form, buf, at, *values):
    """struct.pack_into that takes any buffer for `s`."""
    struct.pack_into(
        form, buf, at, *(bytes(v) if isinstance(v, bytearray | memoryview) else v for v in values)
    )


def _pointer(buffer):
    return buffer


def install(shims: str, worker: str, device: str) -> None:
    """Everything importable, the shims of the simulator first."""
    sys.path[:0] = [shims, worker, device]
    for pointer in ("ptr8", "ptr16", "ptr32"):  # what viper makes pointers are the buffers themselves here
        setattr(builtins, pointer, _pointer)
    builtins.const = lambda v: v  # pyright: ignore[reportAttributeAccessIssue]  # a word of MicroPython's compiler
    module("micropython", const=lambda v: v, viper=lambda f: f, native=lambda f: f)
    module("cryptolib", aes=Aes)
    module("ramdisk", RamDisk=RamDisk)
    module("uctypes", addressof=lambda a: a, bytearray_at=lambda a, n: memoryview(a).cast("B"))
    module("select", select, poll=Poll, POLLIN=1)
    module("struct", struct, pack_into=pack_into)
    module("collections", collections)
    import virtual  # pyright: ignore[reportMissingImports]  # a shim, on the path since just now

    bus = virtual.bus
    module(
        "time", time, ticks_ms=lambda: bus.board.now, ticks_us=lambda: bus.board.us, ticks_diff=ticks_diff,
        ticks_add=ticks_add, real_ticks_us=lambda: time.perf_counter_ns() // 1000,
    )  # fmt: skip

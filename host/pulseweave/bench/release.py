"""A release: the firmware compiled for one kind of board, known by the hash of its contents.

In: device/ (or another tree) and a board description. Out: files by their path in a firmware directory. Modules
become .mpy for the board's architecture; main.py stays source, because MicroPython starts only source; board.json is
what main.py reads. Compiled modules are kept in the user's cache by hash, so that the next deploy compiles only what
changed.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pulseweave import compiled, emitters
from pulseweave.boards.model import Board
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem


@dataclass(frozen=True)
class Release:
    """`files`: path in the directory to contents; `boot`: boot.py for the root; `id`: hash over all of it, 16 digits."""

    id: str
    files: dict[str, bytes]
    boot: bytes
    native: int  # architecture number of machine code in it (mpy header), 0 = none

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file, as the board reports them."""
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}


def compile_module(path: Path, name: str, arch: str, viper: bool = True) -> bytes:
    """One module as .mpy, without `viper` as bytecode alone. Raises Problem with file and line where it does not compile."""
    source = path.read_bytes()
    if not viper:
        source = emitters.plain(source.decode()).encode()
    try:
        return compiled.module(source, name, f"-march={arch}", "-O2")
    except compiled.DoesNotCompile as e:
        raise Problem(f"{path}: does not compile for {arch}: {e}: correct the module") from None


def build(board: Board, tree: Path | None = None, viper: bool = True) -> Release:
    """The firmware of `tree` (device/) for `board`; without `viper` for a MicroPython that runs no machine code.

    Raises Problem.
    """
    tree = tree or DEVICE
    modules = {
        p.relative_to(tree).as_posix(): p
        for p in compiled.firmware(tree)
        if p.parent != tree or p.name not in compiled.SCRIPTS
    }
    files = {"main.py": (tree / "main.py").read_bytes()}
    made = compiled.many(lambda name: compile_module(modules[name], name, board.arch, viper), list(modules))
    files |= {name[:-3] + ".mpy": data for name, data in zip(modules, made, strict=True)}
    boot = (tree / "boot.py").read_bytes() if (tree / "boot.py").is_file() else b""
    plain = board.device_dict()
    sums = {p: hashlib.sha256(d).hexdigest() for p, d in files.items()} | {
        "boot": hashlib.sha256(boot).hexdigest()
    }
    id = hashlib.sha256(json.dumps([sums, plain], sort_keys=True).encode()).hexdigest()[:16]
    text = json.dumps({**plain, "release": id}, separators=(",", ":"))
    files["board.json"] = text.encode()
    native = max((d[2] >> 2 for p, d in files.items() if p.endswith(".mpy")), default=0)
    return Release(id, files, boot, native)

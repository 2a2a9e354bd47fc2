"""A unix port without a native emitter (64-bit ARM has none) runs the same room as bytecode."""

import json
import os
import subprocess
import sys

from pulseweave import micropython

# Such a port: refuses `-X emit=native`, and ends where any code that it is given uses viper.
PLAIN = """#!{python}
import os, pathlib, sys
given = [a for a in sys.argv[1:] + os.environ.get("MICROPYPATH", "").split(":") if os.path.exists(a)]
if "emit=native" in sys.argv:
    sys.exit("unknown option")
for place in map(pathlib.Path, given):
    for path in place.rglob("*.py") if place.is_dir() else place.parent.rglob("*.py"):
        if "@micropython.viper" in path.read_text():
            sys.exit(f"SyntaxError: invalid micropython decorator in {{path}}")
os.execv("{real}", ["{real}", *sys.argv[1:]])
"""


def test_the_room_is_the_same(tmp_path):
    port = tmp_path / "micropython"
    port.write_text(PLAIN.format(python=sys.executable, real=micropython.executable()))
    port.chmod(0o755)
    line = [sys.executable, "-m", "pulseweave", "sim", "calm", "--nodes", "3", "--seconds", "4", "--fast"]
    line += ["--web", "off", "--json", "-"]
    said = []
    for names in ({}, {"PULSEWEAVE_MICROPYTHON": str(port)}):
        done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **names}, timeout=120)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout)["digest"])
    assert said[0] == said[1]

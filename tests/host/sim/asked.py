"""The command as a user types it, and what a refusal looks like."""

import os
import subprocess
import sys

from pulseweave.paths import ROOT

SHORT = ["--seconds", "1", "--fast", "--web", "off", "--nodes", "2"]


def pulseweave(*words, env=None, timeout=120):
    line = [sys.executable, "-m", "pulseweave", *words]
    env = {**os.environ, **(env or {})}
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=timeout, env=env)


def refused(done, *words, code=2):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    line = done.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in line, line
    return line

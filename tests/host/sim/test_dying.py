"""Ctrl-C leaves nothing behind, a dying worker takes nothing along."""

import os
import signal
import subprocess
import sys
import time

import pytest
from asked import pulseweave, refused
from pulseweave.paths import ROOT


def workers_of(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(w) for w in done.stdout.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with open(f"/proc/{pid}/stat") as f:
        return f.read().split()[2] != "Z"


def started(*words):
    line = [
        sys.executable,
        "-m",
        "pulseweave",
        "sim",
        "calm",
        "--nodes",
        "4",
        "--workers",
        "2",
        "--web",
        "off",
        *words,
    ]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        children = workers_of(process.pid)
        if len(children) == 2:
            time.sleep(1.5)
            return process, children
        time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_leaves_nothing_behind(number):
    process, children = started("--seconds", "600", "--json", "-")
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert '"digest"' in out  # what was measured up to there is not lost
    assert not any(alive(c) for c in children)


def test_a_killed_worker_is_reported_and_the_recording_kept(tmp_path):
    path = tmp_path / "run.weave"
    process, children = started("--seconds", "600", "--record", str(path))
    os.kill(children[0], signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    refused(subprocess.CompletedProcess([], process.returncode, "", err), "run.weave", code=1)
    assert "of virtual time" in err and "nodes 0..1" in err
    assert not any(alive(c) for c in children)
    assert pulseweave("replay", str(path), "--node", "3").returncode == 0

"""A command whose processes run interpreters, stopped in the middle: what is left of it?"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from pulseweave.processes import children


def stopped(line: list[str], folder: Path, number: int, interpreters: int = 2) -> tuple[int, str]:
    """(exit code, stderr) of `line`, which was sent signal `number` once so many interpreters ran. Nothing must be left:
    no process 20 s later, no scratch in `folder`."""
    scratch = folder / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        line, cwd=folder, env={**os.environ, "TMPDIR": str(scratch)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    began: list[int] = []
    try:
        end = time.monotonic() + 60
        while len(began) < interpreters:
            assert time.monotonic() < end and process.poll() is None, "no rooms began"
            time.sleep(0.2)
            pool = children(process.pid)
            began = [p for child in pool for p in children(child)]
        began += pool
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
        end = time.monotonic() + 20
        while left := [p for p in began if os.path.exists(f"/proc/{p}")]:
            assert time.monotonic() < end, left
            time.sleep(0.2)
    finally:
        for p in (process.pid, *began):
            with suppress(ProcessLookupError):
                os.kill(p, signal.SIGKILL)
        process.wait()
    assert not [p for p in scratch.iterdir() if p.name.startswith("pulseweave-")]
    return process.returncode, said

"""CPU time and memory of processes, as Linux counts them.

`run` starts a command and waits; `cpu_s` and `peak_kb` look at one that runs. Seconds of CPU are user + system.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pulseweave.problem import Problem

TICKS = os.sysconf("SC_CLK_TCK")


def pulseweave(*args: str) -> list[str]:
    """The command line of `pulseweave`, as this interpreter runs it."""
    return [sys.executable, "-m", "pulseweave", *args]


def run(line: list[str], core: bool = False, timeout: float | None = None) -> tuple[str, float]:
    """(stdout, CPU seconds of the process and all its ended children). `core`: all of it on a single core.

    Raises Problem with the last line of stderr where it fails.
    """
    one = None
    if core and hasattr(os, "sched_setaffinity"):
        cores = {min(os.sched_getaffinity(0))}
        one = lambda: os.sched_setaffinity(0, cores)  # noqa: E731
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(line, stdout=out, stderr=err, stdin=subprocess.DEVNULL, preexec_fn=one)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = err.read().decode(errors="replace").strip()
        if process.returncode:
            raise Problem(
                f"`{' '.join(line[2:6])} ...` ended with {process.returncode}: {said.splitlines()[-1:]}"
            )
        return out.read().decode(), usage.ru_utime + usage.ru_stime


def fields(pid: int) -> list[str]:
    """/proc/PID/stat after the command's name: state, parent, ...; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_s(pid: int) -> float:
    """CPU seconds of a running process, without its children."""
    f = fields(pid)
    return (int(f[11]) + int(f[12])) / TICKS if f else 0.0


def children(pid: int) -> list[int]:
    """Processes started by `pid` that still run."""
    all_of_them = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [p for p in all_of_them if (f := fields(p)) and int(f[1]) == pid]


def peak_kb(pid: int) -> int:
    """Largest resident memory of a running process so far, KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0

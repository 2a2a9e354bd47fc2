"""The right moment for Ctrl-C: a look at the interpreter while it stands still.

A chip raises KeyboardInterrupt between two bytecodes. The unix port raises it inside the signal handler, wherever it
is: where it was allocating, the heap stays locked and the next allocation waits for ever; where littlefs was writing,
its state is left half done. So the process is stopped, looked at, and interrupted only where it sleeps, polls, or
waits for its serial line. In: a process id. Out: what it was doing.

Linux says where a process is in /proc/PID/syscall (proc(5)). Where that cannot be read every moment counts as right.
"""

import contextlib
import os
import platform
import signal
import time
from pathlib import Path

from pulseweave.processes import cpu_s, fields

READ, WRITE = "read", "write"
CALLS = {  # by machine: the system calls in which a KeyboardInterrupt does no harm
    "x86_64": {0: READ, 1: WRITE, 7: "", 23: "", 35: "", 230: "", 270: "", 271: ""},
    "aarch64": {63: READ, 64: WRITE, 72: "", 73: "", 101: "", 115: ""},
}
__all__ = ["call", "calm", "catches", "cpu_s", "interrupt", "settled", "waits_for_input"]
CALM = CALLS.get(platform.machine(), {})
STOP_S = 1.0
LISTENING, BUSY, INTERRUPTED, GONE = "listens to its line", "busy", "interrupted", "gone"


def _word(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def catches(pid: int) -> bool:
    """Whether it runs Python code: only then the port handles SIGINT; at a prompt Ctrl-C is a character."""
    caught = _word(pid, "status").partition("SigCgt:")[2].split()
    return bool(caught) and bool(int(caught[0], 16) >> (signal.SIGINT - 1) & 1)


def call(pid: int) -> tuple[str, int] | None:
    """(kind, file descriptor) of the calm system call it is in: kind `read`, `write` or ""; None in any other place."""
    words = _word(pid, "syscall").split()
    if not words or not words[0].isdigit() or int(words[0]) not in CALM:
        return None
    kind = CALM[int(words[0])]
    return (kind, int(words[1], 16) & 0xFFFFFFFF) if kind else (kind, -1)


def waits_for_input(pid: int) -> bool:
    """Whether it sits in a read of its serial line, so that nothing it does can throw input away."""
    return call(pid) == (READ, 0)


def settled(pid: int) -> bool:
    """Whether it waits for input or runs code; in between, at a prompt's turn, it throws away what is typed."""
    return waits_for_input(pid) or catches(pid)


def calm(pid: int) -> bool:
    """Whether this is a right moment."""
    if not CALM or not _word(pid, "syscall"):
        return True
    at = call(pid)
    return at is not None and (at[0] == "" or at in ((READ, 0), (WRITE, 1), (WRITE, 2)))


def interrupt(pid: int, force: bool = False) -> str:
    """Raise KeyboardInterrupt in it, if it runs code and this is a right moment, or with `force` at any; which it was."""
    try:
        os.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + STOP_S
        while (state := fields(pid)[:1]) not in (["T"], ["t"]):
            if not state or state == ["Z"] or time.monotonic() > end:
                break
            time.sleep(0.0002)
        if not catches(pid):
            return LISTENING
        if not (force or calm(pid)):
            return BUSY
        os.kill(pid, signal.SIGINT)
        return INTERRUPTED
    except ProcessLookupError:
        return GONE
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

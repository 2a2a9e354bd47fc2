"""Serial ports: which there are, opening one, and who may use it now.

A port is anything pyserial opens: /dev/ttyUSB0, socket://HOST:PORT, rfc2217://HOST:PORT, a pty. `PULSEWEAVE_PORTS`
adds ports that no USB list knows (paths, patterns such as /tmp/boards/*.tty, or URLs, separated by spaces). Whatever
goes wrong is one `Problem` line that names the port and the remedy.

Two benches never share a port: `Claim` is an advisory lock per port (flock, so that it ends with its process). A
claimer that `yields`, the console, lets go when somebody else wants the port and takes it back afterwards.
"""

import contextlib
import errno
import fcntl
import glob
import grp
import hashlib
import json
import os
import re
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import rich_click as click
import serial
from serial.tools import list_ports

from pulseweave.problem import Problem

BAUD = 115200
SPEED = click.IntRange(300, 4_000_000)
PATIENCE_S = 5.0  # how long a console may take to let go
PROBE_S = 0.3  # `wanted()` holds the wish for some microseconds: one who wishes just then tries again


@dataclass(frozen=True)
class Port:
    """A port that can be seen: what pyserial opens, and what the system says it is."""

    device: str
    title: str


def listed() -> list[Port]:
    """USB serial ports and those of PULSEWEAVE_PORTS, in a stable order."""
    found = {p.device: p.description or "" for p in list_ports.comports() if p.vid is not None}
    for word in os.environ.get("PULSEWEAVE_PORTS", "").split():
        for device in [word] if "://" in word else sorted(glob.glob(word)):
            if "://" in word or os.path.exists(device):
                found.setdefault(device, "named in PULSEWEAVE_PORTS")
    return [Port(d, t) for d, t in sorted(found.items())]


def chosen(ports: tuple[str, ...], everything: bool) -> list[str]:
    """The ports a command was given, each once. Raises Problem where there is none."""
    if ports and everything:
        raise Problem("--port and --all exclude each other: leave one out")
    if ports:
        return list(dict.fromkeys(ports))
    seen = [p.device for p in listed()]
    if not seen:
        raise Problem(
            "no board is plugged in: plug one in (a charging cable has no data lines), or name it with --port"
        )
    if not everything and len(seen) > 1:
        raise Problem(
            f"{len(seen)} boards are plugged in ({', '.join(seen)}): choose with --port, or take --all"
        )
    return seen


def only(port: str | None) -> str:
    """The one port a command works on. Raises Problem where that is not clear."""
    return chosen((port,) if port else (), False)[0]


def group_of(device: str) -> str:
    """The group that may use `device`, by name; dialout where that cannot be seen."""
    try:
        return grp.getgrgid(os.stat(device).st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"


def users_of(device: str) -> str:
    """Who has `device` open, as far as this user may see: `picocom (pid 123)`; "" where nobody is seen."""
    real = os.path.realpath(device)
    users, owners = [], set()
    for entry in glob.glob("/proc/[0-9]*/fd/*"):
        pid = entry.split("/")[2]
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.endswith("/ptmx"):
                owners.add(pid)
            if target == real and int(pid) != os.getpid():
                users.append(pid)
    for pid in (p for p in users if p not in owners):  # a virtual board holds its own port open
        with contextlib.suppress(OSError):
            return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
    return ""


def explain(device: str, error: BaseException) -> str:
    """What keeps `device` from being used, and what to do, in one line."""
    code = getattr(error, "errno", None)
    text = str(error)
    if code == errno.EACCES or "Permission denied" in text:
        group = group_of(device)
        return (
            f"{device}: no permission: the port belongs to group {group}: "
            f"`sudo usermod -aG {group} $USER`, then log in again"
        )
    if code == errno.ENOENT or "No such file" in text:
        there = ", ".join(p.device for p in listed())
        return f"{device}: no such port: {f'there are {there}' if there else 'plug the board in, and try another cable'}"
    if code == errno.ECONNREFUSED or "refused" in text:
        return f"{device}: nobody listens there: start what serves this port, or correct host and number"
    if code in (errno.EBUSY, errno.EWOULDBLOCK) or "exclusively lock" in text or "busy" in text.lower():
        user = users_of(device)
        return (
            f"{device}: busy{f', {user} has it open' if user else ''}: close the other program and try again"
        )
    if "://" in device and (isinstance(error, ValueError) or not re.search(r":\d+(/|\?|$)", device)):
        return f"{device}: not a port address: use socket://HOST:PORT or rfc2217://HOST:PORT"
    if code in (errno.ENOTTY, errno.EINVAL) or "Could not configure" in text or "Inappropriate ioctl" in text:
        return f"{device}: not a serial port: name one like /dev/ttyUSB0"
    if gone(error):
        return f"{device}: vanished in the middle: check cable and plug, then run the same command again"
    return f"{device}: cannot be opened ({text}): check cable and port"


def gone(error: BaseException) -> bool:
    """Whether this is what a port says whose board was unplugged."""
    text = str(error)
    lost = (
        "returned no data",
        "device disconnected",
        "write failed",
        "read failed",
        "socket disconnected",
        "closed",
    )
    return getattr(error, "errno", None) in (
        errno.EIO,
        errno.ENXIO,
        errno.ENODEV,
        errno.EPIPE,
        errno.EBADF,
    ) or any(w in text for w in lost)


def open_line(device: str, baud: int = BAUD, timeout: float = 0.05) -> serial.Serial:
    """`device` opened for this process alone. Raises Problem."""
    try:
        return serial.serial_for_url(device, baudrate=baud, timeout=timeout, write_timeout=5, exclusive=True)
    except termios.error as e:
        raise Problem(explain(device, OSError(*e.args))) from None
    except (OSError, ValueError) as e:  # SerialException is an OSError
        raise Problem(explain(device, e)) from None


def folder() -> Path:
    """Where this user's claims on ports lie. Raises Problem."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    place = Path(base) / f"pulseweave-ports-{os.getuid()}"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise unclaimed(place, e) from None
    return place


def unclaimed(place: Path, error: OSError) -> Problem:
    """What keeps claims from being written."""
    return Problem(
        f"{place}: cannot be written ({error.strerror}): free some space, or set XDG_RUNTIME_DIR to a folder of yours"
    )


class Claim:
    """The right to use a port, while the `with` block lasts. Raises Problem where somebody else has it and keeps it, and
    where claims cannot be written.

    `what`: the command, for the other's message. `yields`: asked by `wanted()` now and then, this claimer lets go.
    """

    def __init__(self, device: str, what: str, yields: bool = False):
        name = device if "://" in device else os.path.realpath(device)
        key = folder() / hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        self.device, self.what, self.yields = device, what, yields
        self._lock = key.with_suffix(".held")
        self._wish = key.with_suffix(".wanted")
        self._held = self._wishing = None

    @staticmethod
    def _take(path: Path, kind: int = fcntl.LOCK_EX):
        try:
            f = path.open("a+")
        except OSError as e:
            raise unclaimed(path, e) from None
        try:
            fcntl.flock(f, kind | fcntl.LOCK_NB)
        except OSError:
            f.close()
            return None
        return f

    def _holder(self) -> dict:
        try:
            return json.loads(self._lock.read_text())
        except (OSError, ValueError):
            return {}

    def take(self) -> bool:
        """Take the port without waiting; False where somebody has it or wants it."""
        if self.yields and self.wanted():
            return False
        self._held = self._take(self._lock)
        if not self._held:
            return False
        try:
            self._held.truncate(0)
            self._held.write(json.dumps({"pid": os.getpid(), "what": self.what, "yields": self.yields}))
            self._held.flush()
        except OSError as e:
            raise unclaimed(self._lock, e) from None
        return True

    def __enter__(self) -> "Claim":
        start = time.monotonic()
        while True:
            if not (self.yields or self._wishing):
                self._wishing = self._take(self._wish)
            if (self.yields or self._wishing) and self.take():
                return self
            holder = self._holder()
            patience = (
                0 if self.yields or not holder.get("yields") else PATIENCE_S if self._wishing else PROBE_S
            )
            if time.monotonic() > start + patience:
                self.release()
                who = f"pulseweave {holder['what']} (pid {holder['pid']})" if holder else "another bench"
                raise Problem(f"{self.device}: in use by {who}: wait for it to end, or stop it")
            time.sleep(0.02)

    def wanted(self) -> bool:
        """Whether somebody else asks for the port."""
        f = self._take(self._wish, fcntl.LOCK_SH)
        if f:
            f.close()
        return f is None

    def release(self) -> None:
        """Let go."""
        for f in (self._held, self._wishing):
            if f:
                with contextlib.suppress(OSError):  # what a full disk did not take
                    f.close()
        self._held = self._wishing = None

    def __exit__(self, *_) -> None:
        self.release()

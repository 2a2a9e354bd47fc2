"""Deploying: a release into the firmware directory that does not run, verified there, then on trial (device/boot.py).

In: a release, the REPL of a board. Out: what was done. At every moment the board boots the old or the new version:
the directory written to has no main.py until everything else is in it, what it holds is compared by SHA-256 before
it is chosen, and choosing it is one rename. A new version that does not stay healthy for a minute within three boots
is left again.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pulseweave.bench.release import Release
from pulseweave.bench.repl import BoardError, Repl
from pulseweave.boards.chips import CHIPS
from pulseweave.boards.model import Board
from pulseweave.compiled import MPY
from pulseweave.problem import Problem

AGENT = Path(__file__).parent / "board" / "agent.py"
PART = 1536  # bytes of a file in one message
MESSAGE = 3000  # characters of code in one message: a board's heap takes it at any time
ARCH = (None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
        "rv32imc", "rv64imc")  # fmt: skip
OLDEST = (1, 26)
ENOSPC = 28
STATE = "slot", "trial", "a", "b", "boot"


@dataclass
class Look:
    """What a board says of itself (board/agent.py)."""

    mac: str
    machine: str
    version: list
    mpy: int
    board: str | None
    release: str | None
    cwd: str
    slot: str
    trial: str
    boot: str
    free: int
    block: int
    a: dict[str, str] = field(default_factory=dict)
    b: dict[str, str] = field(default_factory=dict)
    root: list[str] = field(default_factory=list)

    def proven(self) -> str | None:
        """The directory that boot.py falls back to; None where the root is the firmware, or nothing."""
        for place in (self.slot if self.slot in ("a", "b") else "a", "a", "b"):
            if "main.py" in getattr(self, place):
                return place
        return None

    def running(self) -> str:
        """The release id in charge, "" where unknown."""
        return self.release or ""


def look(repl: Repl) -> Look:
    """Send the agent and let it look. Raises Problem where the board has no firmware that we know."""
    repl.run(AGENT.read_text().partition("import gc")[1] + AGENT.read_text().partition("import gc")[2])
    said = repl.run("look()", 60)
    try:
        return Look(**json.loads(said))
    except (ValueError, TypeError):
        raise Problem(
            f"{repl.device_name}: the board's answer cannot be read ({said[:60]!r}): run this again"
        ) from None


def check(device: str, seen: Look, board: Board, release: Release) -> None:
    """Refuse what does not fit: chip, MicroPython, architecture, kind of board. Raises Problem; nothing was written."""
    chip = seen.machine.rpartition(" with ")[2].lower().replace("-", "")
    family = re.match(r"esp32([sch]\d|p\d)?", chip)  # esp32d0wd, esp32picov302 are of the first one
    if seen.machine.split(" ")[0].lower() in ("linux", "darwin"):
        chip = "virtual"
    elif family:
        chip = family[0]
    if chip != board.chip:
        raise Problem(
            f"{device}: wrong board: this is a {seen.machine!r}, {board.name} has {board.chip}: correct --board"
        )
    if seen.board and seen.board != board.name:
        raise Problem(
            f"{device}: wrong board: it was set up as {seen.board}, not {board.name}: use --board {seen.board}, "
            "or --as-new where it was rewired"
        )
    if tuple(seen.version[:2]) < OLDEST:
        raise Problem(
            f"{device}: MicroPython {seen.version[0]}.{seen.version[1]} is too old, "
            f"{OLDEST[0]}.{OLDEST[1]} is needed: flash it first"
        )
    version, sub, arch = seen.mpy & 0xFF, seen.mpy >> 8 & 3, seen.mpy >> 10 & 0xF
    if version != MPY[0] or (release.native and sub != MPY[1]):
        raise Problem(
            f"{device}: its MicroPython loads .mpy {version}.{sub}, this release is {MPY[0]}.{MPY[1]}: flash the version "
            "boards/README.md names"
        )
    named = dict(enumerate(ARCH)).get(arch) or f"architecture {arch}"
    if release.native and arch != release.native:
        raise Problem(
            f"{device}: firmware for {ARCH[release.native]} does not run on {named}: "
            f"correct `arch` in {board.name}'s description"
        )
    assert board.arch in CHIPS[board.chip].arch


def room(device: str, seen: Look, release: Release, target: str) -> None:
    """Raise Problem where the filesystem has no room for the directory `target`."""
    have = set(getattr(seen, target))
    need = sum(
        -(-len(data) // seen.block) * seen.block for path, data in release.files.items() if path not in have
    )
    need += 4 * seen.block
    if need > seen.free:
        raise Problem(
            f"{device}: the board's filesystem is full: {need >> 10} KiB needed, {seen.free >> 10} KiB free: remove what is "
            f"not firmware (`mpremote connect {device} ls`, `rm`), then run this again; the old version runs on"
        )


def writing(seen: Look, release: Release, target: str) -> Iterator[str]:
    """Calls of the agent that fill `target`; main.py goes first and comes last."""
    want, have = release.hashes(), getattr(seen, target)
    other = getattr(seen, "b" if target == "a" else "a")
    there = f"/{'b' if target == 'a' else 'a'}/"
    by_hash = {h: path for path, h in other.items()}
    yield f"remove('/{target}/main.py')\n"
    for path in sorted(set(have) - set(want)):
        yield f"remove('/{target}/{path}')\n"
    for path in sorted(want, key=lambda p: p == "main.py"):
        if have.get(path) == want[path] and path != "main.py":
            continue
        final = f"/{target}/{path}"
        to = final + "~" if path == "main.py" else final
        if want[path] in by_hash:
            yield f"same('{there}{by_hash[want[path]]}','{to}')\n"
        else:
            yield from parts(to, release.files[path])
        if to != final:
            yield f"rename('{to}','{final}')\n"


def parts(path: str, data: bytes) -> Iterator[str]:
    """Calls that write one file."""
    for at in range(0, len(data) or 1, PART):
        text = base64.b64encode(data[at : at + PART]).decode()
        yield f"put('{path}','{text}'{', {!r}'.format('ab') if at else ''})\n"


def switching(seen: Look, target: str, release: Release) -> Iterator[str]:
    """Calls after verification: boot.py by rename, then the trial by rename."""
    if release.boot and seen.boot != hashlib.sha256(release.boot).hexdigest():
        yield from parts("/boot.py~", release.boot)
        yield "rename('/boot.py~','/boot.py')\n"
    proven = seen.proven()
    if proven and proven != target:
        yield f"put('/trial~','{base64.b64encode(target.encode()).decode()}')\n"
        yield "rename('/trial~','/trial')\n"
        if "weave" in seen.root or "main.py" in seen.root:  # the firmware from before there were directories
            yield "remove('/main.py');tree('/weave');remove('/board.json')\n"


def batches(calls: Iterator[str]) -> Iterator[str]:
    """Calls gathered into messages of a size every board takes."""
    message = ""
    for call in calls:
        if message and len(message) + len(call) > MESSAGE:
            yield message
            message = ""
        message += call
    if message:
        yield message


@dataclass(frozen=True)
class Done:
    """`written` files came over the line, `copied` lay on the board; `changed` False: nothing had to be done."""

    changed: bool
    written: int = 0
    copied: int = 0
    target: str = ""


def deploy(
    repl: Repl, seen: Look, board: Board, release: Release, report: Callable = lambda *_: None
) -> Done:
    """Bring `release` onto the board behind `repl`; it is left at the prompt. Raises Problem: the old version stays."""
    device, want = repl.device_name, release.hashes()
    check(device, seen, board, release)
    proven = seen.proven()
    chosen = seen.trial[:1] if seen.trial[:1] in ("a", "b") else proven
    boot_is_new = seen.boot == hashlib.sha256(release.boot).hexdigest() if release.boot else True
    if chosen and getattr(seen, chosen) == want and boot_is_new:
        return Done(False, target=chosen)
    target = {"a": "b", "b": "a", None: "a"}[proven]
    if proven and getattr(seen, proven) == want:  # back to the version that is proven: no trial
        target = proven
    calls = list(writing(seen, release, target)) if getattr(seen, target) != want else []
    if calls:
        room(device, seen, release, target)
    if seen.trial:
        calls.insert(0, "remove('/trial')\n")
    messages = list(batches(iter(calls)))
    try:
        for i, message in enumerate(messages):
            report(0.05 + 0.8 * i / len(messages), f"writing /{target}")
            repl.run(message)
        report(0.87, "verifying")
        found = json.loads(repl.run(f"print(json.dumps(sums('/{target}')))", 60))
        if found != want:
            wrong = sorted(p for p in set(found) | set(want) if found.get(p) != want.get(p))
            raise Problem(
                f"{device}: {len(wrong)} files differ after writing ({wrong[0]}): run this again; if it stays, flash again"
            )
        for message in batches(switching(seen, target, release)):
            repl.run(message)
    except BoardError as e:
        if e.is_errno(ENOSPC):
            raise Problem(
                f"{device}: the board's filesystem is full ({seen.free >> 10} KiB were free): remove what is not firmware "
                f"(`mpremote connect {device} ls`, `rm`), then run this again; the old version runs on"
            ) from None
        raise
    written = sum(c.startswith("put(") and "'ab'" not in c for c in calls)
    return Done(True, written, sum(c.startswith("same(") for c in calls), target)

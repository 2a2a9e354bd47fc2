"""Deliberate bugs: each is put into a copy of the firmware, and the campaign has to find it.

One at least for every invariant and for every family of faults. In: the firmware's folder. Out: a copy with one bug in it. A
bug is a replacement of text that must stand exactly once, so that a firmware that moved on says so.
"""

import shutil
from pathlib import Path

import msgspec

from pulseweave.paths import DEVICE
from pulseweave.problem import Problem


class Mutation(msgspec.Struct, frozen=True):
    """`changes`: (file below weave/, text, text instead). `breaks`: invariants of which one must be seen to break.
    `kinds`, `seed`, `seconds`, `nodes`: the smallest campaign known to find it; `quick`: it is part of every test run."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    breaks: tuple[str, ...]
    kinds: tuple[str, ...]
    seed: int = 1
    seconds: float = 200.0
    nodes: int | None = None
    quick: bool = False


MUTATIONS = (
    Mutation(
        "the visitor's own share is halved",
        (("damp/__init__.py", "self.level = (d * self.own +", "self.level = (d * self.own // 2 +"),),
        ("share",),
        ("burst_loss",),
        seconds=240.0,
        quick=True,
    ),
    Mutation(
        "something flickers behind the limiter",
        (
            (
                "light/guard.py",
                "        frame(self)\n        self.strand.show()\n",
                "        frame(self)\n        for i in range(len(self.out)):\n"
                "            self.out[i] = 90 if now & 128 else 0\n        self.strand.show()\n",
            ),
        ),
        ("limiter",),
        ("power_storm",),
        quick=True,
    ),
    Mutation(
        "a frame's tag is not looked at",
        (("mesh/__init__.py", "or not seal.open(b, self._in_at, p)", "or seal.open(b, self._in_at, p) is None"),),
        ("unsealed", "roster", "recovery"),
        ("hostile",),
        nodes=2,
        quick=True,
    ),
    Mutation(
        "a frame may come again",
        (("mesh/__init__.py", "not r.fresh(row, epoch, seq))", "not r.fresh(row, epoch, seq) and type != _EVENT)"),),
        ("unsealed",),
        ("hostile",),
        nodes=3,
        quick=True,
    ),
    Mutation(
        "a command's own tag is not looked at",
        (("mesh/messages.py", "if not cmac or fold(self.pool.work, b, 16 + n, cmac.tag, 8):", "if not cmac:"),),
        ("unsealed",),
        ("hostile",),
        nodes=2,
        seed=3,
        quick=True,
    ),
    Mutation(
        "the configuration has one slot, and is removed before it is written",
        (
            (
                "keep/store.py",
                '        with fs.open(path + "~", "wb") as f:\n',
                '        if path[1:] in [entry[0] for entry in fs.ilistdir("/")]:\n            fs.remove(path)\n'
                '        with fs.open(path + "~", "wb") as f:\n',
            ),
            ("keep/config.py", "_SLOTS[n & 1]", "_SLOTS[1]"),
        ),
        ("configuration",),
        ("power_cut_in_write",),
        nodes=1,
    ),
    Mutation(
        "an epoch is used twice",
        (("mesh/__init__.py", "self.epoch = (self.epoch + 1) & _M", "self.epoch = self.epoch & _M"),),
        ("roster",),
        ("power_loss", "reset"),
        seed=2,
        seconds=600.0,
        nodes=2,
    ),
    Mutation(
        "every tick keeps a little memory",
        (
            (
                "mesh/__init__.py",
                "        self.received += 1\n",
                "        self.received += 1\n        self._on.append(None)\n",
            ),
        ),
        ("heap",),
        ("console_garbage",),
        nodes=2,
    ),
    Mutation(
        "flash is written while somebody touches",
        (("node.py", "if self.sense.contact:\n            if self._quiet:", "if False:\n            if self._quiet:"),),
        ("late",),
        ("sensor_raises", "console_raises"),
        seed=3,
        nodes=2,
        quick=True,
    ),
    Mutation(
        "the watchdog is always fed",
        (("node.py", "self.keep.done = not (wait[_SHINE] or wait[_KEEP])", "self.keep.done = True"),),
        ("watchdog", "dark"),
        ("strand_raises",),
        nodes=1,
        quick=True,
    ),
    Mutation(
        "a pulled plug counts as a crash",
        (("keep/__init__.py", "if self.cause == _WATCHDOG or", "if self.cause == _POWER or self.cause == _WATCHDOG or"),),
        ("safe",),
        ("power_storm",),
        nodes=1,
        quick=True,
    ),
    Mutation(
        "a crash leaves no note",
        (("keep/__init__.py", 'self.note("boot", "watchdog"', 'str("boot", "watchdog"'),),
        ("note", "start"),
        ("crash_storm", "reset"),
        nodes=1,
        quick=True,
    ),
    Mutation(
        "only expected errors are caught",
        (
            (
                "node.py",
                "            except Exception as e:\n                self.supervisor.fault",
                "            except OSError as e:\n                self.supervisor.fault",
            ),
        ),
        ("raised",),
        ("no_memory", "console_raises"),
        nodes=1,
        quick=True,
        seed=2,
    ),
    Mutation(
        "a part that was put aside stays there",
        (("keep/supervisor.py", "if ticks_diff(now, self._until[i]) < 0:", "if ticks_diff(now, self._until[i]) < 500000:"),),
        ("recovery", "dark", "roster"),
        ("sensor_raises", "console_raises"),
        nodes=1,
    ),
    Mutation(
        "a refused send is tried again at once",
        (("mesh/__init__.py", "            self.fault |= _NO_RADIO\n        return 0", "        return 0"),),
        ("late",),
        ("radio_no_memory",),
        nodes=2,
        seed=2,
        quick=True,
    ),
)  # fmt: skip


def mutant(mutation: Mutation, folder: Path, firmware: Path = DEVICE) -> Path:
    """A copy of `firmware` in `folder` with the bug in it. Raises Problem where its text is not there once."""
    place = folder / "device"
    shutil.copytree(firmware, place, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in mutation.changes:
        path = place / "weave" / name
        text = path.read_text() if path.is_file() else ""
        if text.count(old) != 1:
            raise Problem(
                f"mutation {mutation.name!r}: weave/{name} holds {old!r} {text.count(old)} times: bring it up to date"
            )
        path.write_text(text.replace(old, new))
    return place

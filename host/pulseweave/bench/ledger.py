"""The ledger: what was done to which board, when, with which hashes and which verdict. Append-only, by MAC.

One line of JSON per event, flushed to the disk before the bench goes on: `t` (UTC), `mac`, `what` (flash, deploy,
provision, selftest, backup, restore, retire), `verdict` (ok, skipped, failed, refused; begun: an id is being
written), `why`, `board`, `node`, `port`, `seconds`, hashes, and last `sum`, the CRC-32 of the line before it. Pulling
the plug costs at most the line that was being written: it is skipped with a warning, and the next event begins on a
line of its own. Nothing is ever rewritten.
"""

import fcntl
import json
import os
import re
import sys
import threading
import zlib
from datetime import UTC, datetime
from pathlib import Path

from pulseweave.problem import Problem

DEFAULT = "ledger.jsonl"
DONE = ("ok", "skipped")


def default() -> Path:
    """The ledger of this bench: PULSEWEAVE_LEDGER, or ledger.jsonl where the command runs."""
    return Path(os.environ.get("PULSEWEAVE_LEDGER") or DEFAULT)


def normal(mac: str) -> str:
    """A MAC as the ledger writes it: 24:0a:c4:00:01:02."""
    digits = re.sub(r"[^0-9a-f]", "", mac.lower())
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def seal(event: dict) -> str:
    """The event as a line, with its sum."""
    body = json.dumps(event, ensure_ascii=False, separators=(", ", ": "))
    return f'{body[:-1]}, "sum": "{zlib.crc32(body.encode()):08x}"}}'


def unseal(line: str) -> dict | None:
    """The event of a line, or None where it is damaged."""
    body, mark, rest = line.rpartition(', "sum": "')
    if not mark or len(rest) != 10 or rest[8:] != '"}':
        return None
    body += "}"
    if f"{zlib.crc32(body.encode()):08x}" != rest[:8]:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def warn(book: "Ledger") -> None:
    """Say what of the ledger could not be read; it costs nothing but that line."""
    for what in book.damage:
        print(
            f"pulseweave: {book.path}: {what}: no other line is touched, the bench goes on", file=sys.stderr
        )


class Ledger:
    """The events of one file, oldest first in `events`; `damage` names lines that could not be read.

    Raises Problem where the file cannot be read or is no ledger at all.
    """

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path else default()
        self.events: list[dict] = []
        self.damage: list[str] = []
        self._read = 0
        self._lock = threading.RLock()  # several boards at once
        self.refresh()

    def refresh(self) -> None:
        """Read what has been added since, by this process or another."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        try:
            with self.path.open("rb") as f:
                fcntl.flock(f, fcntl.LOCK_SH)  # no line that is being written
                f.seek(self._read)
                data = f.read()
        except FileNotFoundError:
            return
        except OSError as e:
            raise Problem(
                f"{self.path}: the ledger cannot be read ({e.strerror}): check the path, or give --ledger"
            ) from None
        start = self._read
        *lines, rest = data.split(b"\n")
        number = len(self.events) + len(self.damage)
        for raw in lines:
            number += 1
            start += len(raw) + 1
            self._line(raw, number, "")
        if rest:
            self._line(rest, number + 1, " (the last one: power was cut while it was written)")
            start += len(rest)
        self._read = start
        if self.damage and not self.events and number > 1:
            raise Problem(
                f"{self.path}: not a ledger (no sound line): give another --ledger, or move the file away"
            )

    def _line(self, raw: bytes, number: int, where: str) -> None:
        if not raw.strip():
            return
        event = unseal(raw.decode("utf-8", "replace"))
        if event is None:
            self.damage.append(f"line {number} is damaged{where} and is left out")
        else:
            self.events.append(event)

    def add(self, what: str, mac: str, verdict: str, **facts) -> dict:
        """Append an event and wait until it is on the disk. Several benches may write at once. Raises Problem."""
        event = {
            "t": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "mac": normal(mac),
            "what": what,
            "verdict": verdict,
            **{k: v for k, v in facts.items() if v not in (None, "")},
        }
        try:
            fresh = not self.path.exists()
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            with os.fdopen(fd, "r+b", buffering=0) as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                end = f.seek(0, 2)
                torn = False
                if end:
                    f.seek(end - 1)
                    torn = f.read(1) != b"\n"
                rest = (b"\n" if torn else b"") + seal(event).encode() + b"\n"
                while rest:  # a disk that is nearly full takes a part of it
                    rest = rest[f.write(rest) :]
                os.fsync(f.fileno())
            if fresh:  # the name of a new file must survive as well
                place = os.open(self.path.resolve().parent, os.O_RDONLY)
                os.fsync(place)
                os.close(place)
        except OSError as e:
            raise Problem(
                f"{self.path}: the ledger cannot be written ({e.strerror}): nothing more is done to any board; "
                "free some space or give --ledger"
            ) from None
        self.refresh()
        return event

    # --- what the events say

    def last(self, mac: str, what: str) -> dict | None:
        """The newest event of this kind that went well for this board."""
        mac = normal(mac)
        for e in reversed(self.events):
            if e["mac"] == mac and e["what"] == what and e["verdict"] in DONE:
                return e
        return None

    def boards(self) -> dict[str, dict]:
        """Each MAC's state: its newest board, node, network, hashes, port, verdict, and when it was last touched."""
        out: dict[str, dict] = {}
        for e in self.events:
            state = out.setdefault(e["mac"], {"mac": e["mac"], "first": e["t"], "done": {}})
            state["last"], state["verdict"] = e["t"], e["verdict"]
            state["why"] = e.get("why", "")
            if e["verdict"] == "begun":  # it may have the id already
                state |= {k: e[k] for k in ("node", "network") if k in e}
            if e["verdict"] in DONE:
                state["done"][e["what"]] = e["t"]
                for key in ("board", "node", "network", "name", "port", "release", "image", "firmware"):
                    if key in e:
                        state[key] = e[key]
            if e["what"] == "retire":
                state.pop("node", None)
        return out

    def owner(self, network: str, node: int) -> str | None:
        """The MAC that has this node id in this network, None where it is free."""
        for mac, state in self.boards().items():
            if state.get("node") == node and state.get("network") == network:
                return mac
        return None

    def node_ids(self, network: str) -> set[int]:
        """All ids given in this network."""
        return {s["node"] for s in self.boards().values() if s.get("network") == network and "node" in s}

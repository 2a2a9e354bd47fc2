"""The network file: keys made on the host, given to nodes over USB, rotated by id; and the host's side of the seal.

In:  a name; a JSON file that only its owner may read. Out: the 72-byte blob for a node's NVS, command bodies under
the command
key, sealed and opened frames for gateways and tests. Formats: device/weave/mesh/README.md. Ciphers: the
`cryptography` package.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from pulseweave.problem import Problem

FORMAT = 1
VERSION = 0x51
STATE, EVENT = 1, 2
KINDS = {"scene": 1, "policy": 2, "config": 3, "identify": 4, "alarm": 5, "ping": 6, "visitor": 7}
COMMANDED = ("policy", "config")
EVERYBODY = 0xFFFF
DATA_MAX = 200
EVENT_BLOCKS = (2, 4, 8, 14)


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC of RFC 4493, 16 bytes."""
    c = CMAC(algorithms.AES(key))
    c.update(message)
    return c.finalize()


def _ecb(key: bytes, block: bytes) -> bytes:
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return e.update(block) + e.finalize()


class Seal:
    """Seals and opens frames under one 16-byte network key, as weave.mesh.seal does."""

    def __init__(self, key: bytes):
        self.mac_key = cmac(key, b"pulseweave mac")
        self.enc_key = cmac(key, b"pulseweave enc")

    def close(self, header: bytes, payload: bytes) -> bytes:
        """header: 16 bytes; payload: 1 to 14 blocks of 16 bytes. Returns the frame."""
        if len(header) != 16 or len(payload) % 16 or not 16 <= len(payload) <= 224:
            raise ValueError("header of 16 bytes and payload of 1 to 14 blocks expected")
        untimed = header[:3] + b"\0" + header[4:]
        e = Cipher(algorithms.AES(self.enc_key), modes.CBC(_ecb(self.mac_key, untimed))).encryptor()
        hidden = e.update(payload) + e.finalize()
        return header + hidden + cmac(self.mac_key, untimed + hidden)[:8]

    def open(self, frame: bytes) -> bytes | None:
        """The payload, or None where length or tag are wrong."""
        if len(frame) < 40 or (len(frame) - 24) % 16 or len(frame) > 248:
            return None
        untimed, hidden, tag = frame[:3] + b"\0" + frame[4:16], frame[16:-8], frame[-8:]
        if not secrets.compare_digest(cmac(self.mac_key, untimed + hidden)[:8], tag):
            return None
        d = Cipher(algorithms.AES(self.enc_key), modes.CBC(_ecb(self.mac_key, untimed))).decryptor()
        return d.update(hidden) + d.finalize()


def header(
    type: int, net: int, origin: int, epoch: int, seq: int, key: int, blocks: int, ttl: int = 15
) -> bytes:
    """The 16 bytes before the payload."""
    return (
        bytes([VERSION, net, type, ttl])
        + origin.to_bytes(2, "big")
        + epoch.to_bytes(4, "big")
        + seq.to_bytes(4, "big")
        + bytes([key, blocks])
    )


def event(
    kind: int,
    data: bytes,
    *,
    born: int | None = None,
    at: int | None = None,
    target: int = EVERYBODY,
    counter=0,
) -> bytes:
    """Payload of an EVENT without a command tag, padded to a size events may have. Times: mesh ms, None = unknown / at
    once.
    """
    body = b"\0" + _covered(kind, data, at, target, counter)
    return _pad((born or 0).to_bytes(4, "big") + bytes([born is not None]) + body)


def _covered(kind: int, data: bytes, at: int | None, target: int, counter: int) -> bytes:
    if len(data) > DATA_MAX:
        raise Problem(f"an event carries at most {DATA_MAX} bytes, not {len(data)}")
    return (
        bytes([kind, len(data)])
        + counter.to_bytes(2, "big")
        + target.to_bytes(2, "big")
        + (0xFFFFFFFF if at is None else at).to_bytes(4, "big")
        + data
    )


def _pad(payload: bytes) -> bytes:
    blocks = next(p for p in EVENT_BLOCKS if len(payload) <= 16 * p)
    return payload.ljust(16 * blocks, b"\0")


@dataclass
class Network:
    """One network: its number, its keys by id, which to send with, the counter of commands, how often each node was
    provisioned.
    """

    name: str
    net: int
    keys: dict[int, bytes]
    commands: dict[int, bytes]
    use: int = 1
    counters: dict[str, int] = field(default_factory=dict)
    nodes: dict[int, int] = field(default_factory=dict)

    @classmethod
    def create(cls, name: str) -> "Network":
        """A new network with fresh random keys."""
        return cls(
            name, 1 + secrets.randbelow(254), {1: secrets.token_bytes(16)}, {1: secrets.token_bytes(16)}
        )

    @classmethod
    def load(cls, path: str | Path) -> "Network":
        """Read a network file. Raises Problem with file, field and remedy."""
        try:
            d = json.loads(Path(path).read_text())
        except OSError as e:
            raise Problem(
                f"{path}: cannot read the network file ({e.strerror}): create one with `pulseweave network`"
            ) from None
        except (ValueError, RecursionError) as e:
            raise Problem(f"{path}: not a network file ({e}): restore it from a backup") from None
        where = "format"
        try:
            if d["format"] != FORMAT:
                raise ValueError(f"format {d['format']}")
            loaded = {}
            for where in ("keys", "commands"):
                loaded[where] = {int(k): bytes.fromhex(v) for k, v in d[where].items()}
                if not 1 <= len(loaded[where]) <= 2 or any(len(v) != 16 for v in loaded[where].values()):
                    raise ValueError("one or two keys of 16 bytes expected")
                if any(not 1 <= k <= 255 for k in loaded[where]):
                    raise ValueError("key ids are 1..255")
            where = "net"
            if not 1 <= d["net"] <= 254:
                raise ValueError("1..254 expected")
            where = "use"
            if d["use"] not in loaded["keys"]:
                raise ValueError("no such key id")
            where = "nodes"
            nodes = {int(k): int(v) for k, v in d["nodes"].items()}
            where = "counters"
            counters = {k: int(v) for k, v in d["counters"].items()}
            return cls(d["name"], d["net"], loaded["keys"], loaded["commands"], d["use"], counters, nodes)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise Problem(f"{path}: {where}: {e}: restore the network file from a backup") from None

    @classmethod
    @contextmanager
    def held(cls, path: str | Path) -> Iterator["Network"]:
        """The network of `path`, for one bench at a time: what is saved within the block undoes nobody's change. Raises
        Problem."""
        cls.load(path)  # where there is no network, no lock is left behind
        path = Path(os.path.realpath(path))
        try:
            fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as e:
            raise Problem(
                f"{path}: cannot be written ({e.strerror}): check the folder's permissions"
            ) from None
        with os.fdopen(fd, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield cls.load(path)

    def save(self, path: str | Path):
        """Write the file, readable by its owner only; a crash leaves the old or the new one. Raises Problem."""
        d = {
            "format": FORMAT,
            "name": self.name,
            "net": self.net,
            "use": self.use,
            "keys": {str(k): v.hex() for k, v in self.keys.items()},
            "commands": {str(k): v.hex() for k, v in self.commands.items()},
            "counters": self.counters,
            "nodes": {str(k): v for k, v in sorted(self.nodes.items())},
        }
        path = Path(os.path.realpath(path))  # a link stays one
        fresh = path.with_name(path.name + ".new")
        try:
            fresh.unlink(missing_ok=True)  # whose it was, and who may read it, is not known
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as f:
                f.write(json.dumps(d, indent=1) + "\n")
                f.flush()
                os.fsync(f.fileno())
            os.replace(fresh, path)
        except OSError as e:
            raise Problem(
                f"{path}: cannot be written ({e.strerror}): free some space, or check the folder's permissions"
            ) from None

    # --- keys -----------------------------------------------------------------------------------------------

    def rotate(self):
        """Make the next network and command key beside the ones in use. Provision every node before `promote`."""
        for keys in (self.keys, self.commands):
            if len(keys) > 1:
                raise Problem(f"network {self.name} is already rotating: promote or retire first")
            keys[max(keys) % 255 + 1] = secrets.token_bytes(16)

    def promote(self):
        """Send with the next key from now on: one node provisioned after this takes all that hold both keys along."""
        others = [k for k in self.keys if k != self.use]
        if not others:
            raise Problem(f"network {self.name} has no next key: rotate first")
        if self.use == list(self.keys)[-1]:
            raise Problem(f"network {self.name} sends with its next key already: retire the old one")
        self.use = others[0]

    def retire(self):
        """Forget every key but the one in use (and the newest command key)."""
        self.keys = {self.use: self.keys[self.use]}
        newest = list(self.commands)[-1]
        self.commands = {newest: self.commands[newest]}

    def blob(self, may_command: bool = False) -> bytes:
        """The 72 bytes for NVS key "net" (weave.mesh.seal); the key that is to be next stands second."""
        ids, commands = list(self.keys), list(self.commands)
        first = [FORMAT, self.net, self.use, int(may_command)]
        slots = [[*ids, 0][:2], [*commands, 0][:2]]
        keys = [self.keys.get(k, bytes(16)) for k in slots[0]] + [
            self.commands.get(k, bytes(16)) for k in slots[1]
        ]
        return bytes(first + slots[0] + slots[1]) + b"".join(keys)

    def admit(self, node: int) -> int:
        """Count a provisioning of `node` (1..65534); returns the value for NVS key "epoch", above all it used before."""
        if not 1 <= node <= 65534:
            raise Problem(f"node id {node}: 1..65534 expected")
        generation = self.nodes.get(node, 0) + 1
        if generation >= 1 << 13:
            raise Problem(f"node {node} was provisioned {generation} times: give it a new id")
        self.nodes[node] = generation
        low = generation << 5 & 0xFF  # which gateways tell: another than before
        return generation << 16 | low

    # --- commands -------------------------------------------------------------------------------------------

    def command(self, kind: str, data: bytes, *, at: int | None = None, target: int = EVERYBODY) -> bytes:
        """A command body for Mesh.send_command: key id | kind | n | counter | target | at | data | tag. Save the file
        afterwards:
        a counter is never used twice."""
        if kind not in COMMANDED:
            raise Problem(f"{kind} is no command: one of {', '.join(COMMANDED)}")
        counter = self.counters.get(kind, 0) % 0xFFFF + 1
        self.counters[kind] = counter
        id = list(self.commands)[-1]
        covered = _covered(KINDS[kind], data, at, target, counter)
        return bytes([id]) + covered + cmac(cmac(self.commands[id], b"pulseweave cmd"), covered)[:8]

    def seal(self) -> Seal:
        """The Seal of the key in use."""
        return Seal(self.keys[self.use])

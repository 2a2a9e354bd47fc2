"""What nodes say of the firmware they run: kind of board, release, the notes of its last crashes.

In: answers to NOTES (device/weave/mesh/README.md). Out: `Firmware`, and which nodes run another release than most.
"""

import re
from collections import Counter
from typing import NamedTuple

HEAD = re.compile(r"(\d{1,5}) ([0-9a-f]{1,8}|None) ([\w-]{1,24})\n")


class Firmware(NamedTuple):
    """What a node said of itself; `release` "" where it does not know, `notes` as `pulseweave crash` gives them."""

    board: str
    release: str
    notes: tuple[dict, ...] = ()

    def row(self) -> tuple[str, str, int]:
        """What of it is kept: what a note says is shown, and not stored."""
        return self.board, self.release, len(self.notes)


def understood(text: str) -> tuple[int, Firmware] | None:
    """(node, what it said) from an answer to NOTES; None where it is something else."""
    head = HEAD.match(text)
    if not head:
        return None
    release = "" if head[2] == "None" else head[2]
    return int(head[1]), Firmware(head[3], release, tuple(brief(text[head.end() :])))


def brief(said: str) -> list[dict]:
    """The notes in an answer that came over the mesh: lines of `BOOT PART MARKS: the end of the text`, or `none`."""
    parts = re.split(r"(?m)^(\d+) (\S+) ([^:\n]*): ", said)[1:]
    return [
        {"boot": int(boot), "part": part, "marks": marks, "text": text.strip()}
        for boot, part, marks, text in zip(*[iter(parts)] * 4, strict=True)
    ]


def odd(known: dict[int, tuple[str, str]]) -> dict[int, str]:
    """Of nodes with (board, release): those whose release is not the usual one of their kind of board, and that one."""
    usual: dict[str, str] = {}
    for board in {b for b, _ in known.values()}:
        counted = Counter(r for b, r in known.values() if b == board)
        usual[board] = min(counted, key=lambda r: (-counted[r], r))
    return {n: usual[b] for n, (b, r) in known.items() if r != usual[b]}

"""Board descriptions (boards/*.toml): load, check, list.

`load(name_or_path) -> Board`; `Board.device_json() -> bytes` is what a board keeps; the command is in `command`.
"""

from pulseweave.boards.description import find, load, names
from pulseweave.boards.model import Board

__all__ = ["Board", "find", "load", "names"]

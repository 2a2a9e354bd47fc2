"""Where a command's results go: a FILE, or `-` for stdout.

In: the FILE of an option, numbers and text. Out: JSON there, text for a person.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from pulseweave.problem import Problem


def writable(file: str | Path | None, option: str = "--json") -> None:
    """Raises Problem before work whose result would find no place in the FILE of `option`; none, and `-`, need none."""
    if file is None or str(file) == "-":
        return
    path = Path(file)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Problem(f"{file}: cannot be written: choose another {option} FILE")


def write_json(file: str | Path | None, value: Any, indent: int | None = 1) -> None:
    """One JSON object; not a number stands nowhere in it. Raises Problem."""
    if file is None:
        return
    text = json.dumps(value, indent=indent, allow_nan=False) + "\n"
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text)
    except OSError as e:
        raise Problem(f"{file}: cannot be written ({e.strerror}): choose another file") from None


def tell(file: str | Path | None, value: Any, text: str) -> None:
    """`value` to where --json says, and `text` for a person, unless stdout is the JSON's."""
    write_json(file, value)
    if str(file) != "-":
        click.echo(text)

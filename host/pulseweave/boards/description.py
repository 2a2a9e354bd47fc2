"""Board descriptions: boards/*.toml in, a checked `Board` out, and the JSON that a board keeps of itself.

A description is the one place where a pin number, a sensor type or a strand's colour order stands. Anything wrong with
it is one `Problem` line: file, key, what is wrong, what to do. Units: mA, counts of the sensor, baud, dBm, bytes.
"""

import difflib
import os
import re
import tomllib
from pathlib import Path

import msgspec

from pulseweave.boards import pins
from pulseweave.boards.chips import CHIPS
from pulseweave.boards.model import (
    AnalogPulse,
    Board,
    Button,
    Console,
    Firmware,
    GroveGsr,
    Max30102,
    Radio,
    Strand,
    Wiring,
)
from pulseweave.paths import BOARDS, ROOT
from pulseweave.problem import Problem


def names() -> list[str]:
    """Names of the boards in boards/, sorted."""
    return sorted(p.stem for p in BOARDS.glob("*.toml"))


def find(name_or_path: str | Path) -> Path:
    """The file of a board given by name or by path. Raises Problem where there is none."""
    text = str(name_or_path)
    if text.endswith(".toml") or "/" in text:
        path = Path(text)
        if not os.path.isfile(path):
            raise Problem(f"{text}: no such board file: give a .toml file or one of {', '.join(names())}")
        return path
    path = BOARDS / f"{text}.toml"
    if not os.path.isfile(path):
        close = difflib.get_close_matches(text, names(), 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names())}"
        raise Problem(f"board {text}: not known: {hint}")
    return path


def load(name_or_path: str | Path) -> Board:
    """The checked description of a board given by name or path. Raises Problem: one line, file, key and remedy."""
    path = find(name_or_path)
    try:
        shown = str(path.resolve().relative_to(ROOT))
    except ValueError:
        shown = str(path)
    board = parse(path, shown)
    theirs = BOARDS / f"{board.name}.toml"
    if theirs.is_file() and theirs.resolve() != path.resolve():  # boards and ledger know a board by its name
        raise Problem(f'{shown}: name = "{board.name}": {another(board.name)}')
    return board


def another(name: str) -> str:
    """What is wrong with a name that another board has."""
    free = next(f"{name[:28]}-{i}" for i in range(2, 99) if f"{name[:28]}-{i}" not in names())
    return f'boards/{name}.toml has this name: use one of its own, such as "{free}"'


def parse(path: Path, shown: str) -> Board:
    """Read and check one file, called `shown` in messages."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise Problem(f"{shown}: not valid TOML: {e}") from None
    except RecursionError:
        raise Problem(f"{shown}: not valid TOML: its brackets are nested too deep") from None
    except (OSError, UnicodeDecodeError) as e:
        raise Problem(f"{shown}: cannot be read ({e}): check the file") from None
    try:
        board = msgspec.convert(data, Board)
    except msgspec.ValidationError as e:
        raise Problem(f"{shown}: {explain(str(e), data)}") from None
    pins.check(board, CHIPS[board.chip], shown)
    return board


TABLES = {
    "firmware": (Firmware,),
    "pulse": (AnalogPulse, Max30102),
    "skin": (GroveGsr,),
    "strand": (Strand,),
    "radio": (Radio,),
    "console": (Console,),
    "button": (Button,),
    "wiring": (Wiring,),
}


def fields(where: str, data: dict) -> list[str]:
    """The keys that may stand in table `where` ("" is the top level); for [pulse] those of its kind."""
    if not where:
        return [f.encode_name for f in msgspec.structs.fields(Board)]
    kind = data.get(where, {}).get("kind")
    out: list[str] = []
    for t in TABLES.get(where, ()):
        tag = t.__struct_config__.tag
        if tag and kind and tag != kind and len(TABLES[where]) > 1:
            continue
        out += [f.encode_name for f in msgspec.structs.fields(t)] + (["kind"] if tag else [])
    return out


def value(key: str, data: dict) -> str:
    """` = ...` where the key has a plain value, for messages."""
    v = data
    for part in key.split("."):
        if not isinstance(v, dict) or part not in v:
            return ""
        v = v[part]
    if isinstance(v, dict):
        return ""
    said = str(v).lower() if isinstance(v, bool) else repr(v)
    return f" = {said}" if len(said) <= LONGEST else f" = {said[:LONGEST]}..."


LONGEST = 80  # characters of a wrong value that are shown
KINDS = {"pulse": "analog or max30102", "skin": "grove_gsr"}
LITERAL = {
    "chip": ", ".join(CHIPS),
    "arch": "xtensawin, rv32imc, host",
    "console.kind": "uart, usb",
    "firmware.flash_mode": "keep, qio, qout, dio, dout",
    "firmware.flash_freq": "keep, 80m, 60m, 40m, 30m, 26m, 20m, 15m",
    "firmware.flash_size": "keep, detect, 2MB, 4MB, 8MB, 16MB, 32MB",
    "strand.timing": "0, 1 or four times in ns",
}


def explain(message: str, data: dict) -> str:
    """msgspec's message as key, fault and remedy."""
    text, _, at = message.partition(" - at `")
    where = at.rstrip("`").removeprefix("$").lstrip(".")
    where = re.sub(r"\[\.*\d*\]", "", where)
    if m := re.match(r"Object contains unknown field `(.+)`", text):
        wrong, allowed = m[1], fields(where, data)
        close = difflib.get_close_matches(wrong, allowed, 1, 0.5)
        key = f"{where}.{wrong}" if where else wrong
        remedy = f"did you mean `{close[0]}`?" if close else f"remove it, or use one of {', '.join(allowed)}"
        return f"{key}: unknown key: {remedy}"
    if m := re.match(r"Object missing required field `(.+)`", text):
        missing = m[1]
        key = f"{where}.{missing}" if where else missing
        # A misspelt key is missing as well: name the likely one.
        present = data.get(where, {}) if where else data
        close = [
            k
            for k in difflib.get_close_matches(missing, list(present), 1, 0.5)
            if k not in fields(where, data)
        ]
        if close:
            return f"{where + '.' if where else ''}{close[0]}: unknown key: did you mean `{missing}`?"
        kind = "table" if not where and missing in TABLES else "key"
        form = f"add a [{missing}] table" if kind == "table" else f"add `{missing} = ...`"
        if missing == "kind":
            form = f"add `kind = ...` ({KINDS.get(where, '')})"
        return f"{key}: missing {kind}: {form}{f' to [{where}]' if where else ''} (see boards/README.md)"
    shown = f"{where}{value(where, data)}"
    if where == "name":
        return f"{shown}: not a name: use up to 31 small letters, digits and dashes"
    if text.startswith("Invalid value") and where.endswith(".kind"):
        return f"{shown}: unknown kind: use {KINDS.get(where.split('.')[0], 'a known one')}"
    if where in LITERAL:
        return f"{shown}: not possible: use one of {LITERAL[where]}"
    plain = text[0].lower() + text[1:].replace("`", "")
    return f"{shown}: {plain}: correct the value"

"""Board descriptions: boards/*.toml in, a checked `Board` out, and the JSON that a board keeps of itself.

A description is the one place where a pin number, a sensor type or a strand's colour order stands. Anything wrong with
it is one `Problem` line: file, key, what is wrong, what to do. Units: mA, counts of the sensor, baud, dBm, bytes.
"""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pulseweave.boards import pins
from pulseweave.boards.chips import CHIPS
from pulseweave.paths import BOARDS, ROOT
from pulseweave.problem import Problem

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
Pin = Annotated[int, Meta(ge=0)]
Milliamps = Annotated[int, Meta(ge=1, le=60000)]


class Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A table of a board file: unknown keys are errors."""


class Firmware(Table):
    """The MicroPython image: file name pattern, where it goes, how the flash is read."""

    image: str
    offset: Annotated[int, Meta(ge=0, le=0x100000)]
    flash_mode: Literal["keep", "qio", "qout", "dio", "dout"] = "keep"
    flash_freq: Literal["keep", "80m", "60m", "40m", "30m", "26m", "20m", "15m"] = "keep"
    flash_size: Literal["keep", "detect", "2MB", "4MB", "8MB", "16MB", "32MB"] = "detect"


class AnalogPulse(Table, tag="analog", tag_field="kind"):
    """Pulse Sensor on an ADC1 pin; a covered sensor's mean lies in contact_min..contact_max (12-bit counts)."""

    pin: Pin
    contact_min: Annotated[int, Meta(ge=0, le=4095)]
    contact_max: Annotated[int, Meta(ge=0, le=4095)]


class Max30102(Table, tag="max30102", tag_field="kind"):
    """MAX30102 on an I2C bus; covered above contact_min (18-bit counts) at this infrared LED current."""

    i2c: Annotated[int, Meta(ge=0, le=1)]
    sda: Pin
    scl: Pin
    contact_min: Annotated[int, Meta(ge=0, le=262143)]
    led_ma: Annotated[int, Meta(ge=1, le=51)] = 7


class GroveGsr(Table, tag="grove_gsr", tag_field="kind"):
    """Grove GSR on an ADC1 pin; `cal` is the 12-bit count with nobody touching it, mid-scale as it leaves the factory."""

    pin: Pin
    cal: Annotated[int, Meta(ge=512, le=4095)]


class Strand(Table):
    """NeoPixel strand: colour order on the wire, power budget, bit timing (1 = 800 kHz, or four times in ns)."""

    pin: Pin
    pixels: Annotated[int, Meta(ge=1, le=300)]
    order: str
    budget_ma: Milliamps
    timing: Literal[0, 1] | Annotated[list[int], Meta(min_length=4, max_length=4)] = 1


class Radio(Table):
    """ESP-NOW: Wi-Fi channel, transmit power, receive ring."""

    channel: Annotated[int, Meta(ge=1, le=13)]
    tx_dbm: Annotated[int, Meta(ge=2, le=20)] = 11
    rxbuf: Annotated[int, Meta(ge=526, le=16384)] = 2048


class Console(Table):
    """Where the console and the REPL are: UART0 through a bridge, or the chip's own USB."""

    kind: Literal["uart", "usb"]
    baud: Annotated[int, Meta(ge=9600, le=3000000)] = 115200


class Button(Table):
    """The opt-out button: a switch from this pin to ground."""

    pin: Pin


class Wiring(Table):
    """For people: what goes where, in words, and one line for each terminal."""

    words: str
    pins: dict[str, str]


class Board(Table):
    """One board file, checked."""

    name: Name
    title: str
    chip: Literal["esp32", "esp32s3", "esp32c3", "virtual"]
    arch: Literal["xtensawin", "rv32imc", "host"]
    pulse: AnalogPulse | Max30102
    skin: GroveGsr
    strand: Strand
    radio: Radio
    console: Console
    wiring: Wiring
    button: Button | None = None
    firmware: Firmware | None = None  # needed by every chip but the virtual one
    allow_strapping: bool = False
    psram: bool = True  # False says: this module has no PSRAM, its pins are free

    def device_dict(self) -> dict:
        """What the drivers read: no text for people, no image, None tables left out."""
        d = msgspec.to_builtins(self)
        for key in ("title", "firmware", "wiring", "allow_strapping", "psram", "arch"):
            del d[key]
        return {k: v for k, v in d.items() if v is not None}

    def device_json(self) -> bytes:
        """`device_dict` as compact JSON, keys in file order: the board's board.json."""
        return msgspec.json.encode(self.device_dict())


def names() -> list[str]:
    """Names of the boards in boards/, sorted."""
    return sorted(p.stem for p in BOARDS.glob("*.toml"))


def find(name_or_path: str | Path) -> Path:
    """The file of a board given by name or by path. Raises Problem where there is none."""
    text = str(name_or_path)
    if text.endswith(".toml") or "/" in text:
        path = Path(text)
        if not path.is_file():
            raise Problem(f"{text}: no such board file: give a .toml file or one of {', '.join(names())}")
        return path
    path = BOARDS / f"{text}.toml"
    if not path.is_file():
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
    return parse(path, shown)


def parse(path: Path, shown: str) -> Board:
    """Read and check one file, called `shown` in messages."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise Problem(f"{shown}: not valid TOML: {e}") from None
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
    return "" if isinstance(v, dict) else f" = {str(v).lower() if isinstance(v, bool) else repr(v)}"


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

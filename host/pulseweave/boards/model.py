"""What a board file may say: tables, keys, spans; and what of it the board keeps of itself (`device_json`).

A description is the one place where a pin number, a sensor type or a strand's colour order stands. Units: mA, counts of the
sensor, baud, dBm, bytes. Read by `description.py`, checked against the chip by `pins.py`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
Pin = Annotated[int, Meta(ge=0)]
Nanoseconds = Annotated[int, Meta(ge=1, le=100000)]
Milliamps = Annotated[int, Meta(ge=1, le=60000)]


class Table(msgspec.Struct, forbid_unknown_fields=True):
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
    timing: Literal[0, 1] | Annotated[list[Nanoseconds], Meta(min_length=4, max_length=4)] = 1


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

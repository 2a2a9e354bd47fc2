"""What each chip's pins can do: the facts that board descriptions are checked against.

GPIO numbers throughout. Sources, all Espressif:
- ESP32 Series Datasheet v4.9: 2.2 Pin Overview, 2.4 (strapping in chapter 3 Boot Configurations), 4.1 (ADC), and
  ESP32-WROVER-E Datasheet (GPIO16, GPIO17 drive the PSRAM)
- ESP32-S3 Series Datasheet v2.0: 2.2 Pin Overview, 2.3.4 Restrictions for GPIOs, 3 Boot Configurations, 4.2.2.1 (ADC)
- ESP32-C3 Series Datasheet v2.1: 2.2 Pin Overview, 2.3.4 Restrictions for GPIOs, 3 Boot Configurations, 4.2.2.1 (ADC)
ADC2 shares its arbiter with Wi-Fi and cannot be read while the radio is on (ESP-IDF programming guide, ADC oneshot driver).
"""

from dataclasses import dataclass


def _pins(*spans: int | tuple[int, int]) -> frozenset[int]:
    """Numbers and inclusive (first, last) spans as one set."""
    out: set[int] = set()
    for s in spans:
        out.update((s,) if isinstance(s, int) else range(s[0], s[1] + 1))
    return frozenset(out)


NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chip:
    """One chip family: which GPIOs exist and what each may be used for."""

    name: str
    arch: tuple[str, ...]  # mpy-cross -march values whose output runs on it
    gpio: frozenset[int]
    input_only: frozenset[int]
    adc1: frozenset[int]
    adc2: frozenset[int]
    strapping: frozenset[int]  # sampled at reset: a wrong level there and the chip does not boot as it should
    flash: frozenset[int]  # wired to the flash inside the module
    psram: frozenset[int]  # wired to the PSRAM in modules that have one
    uart0: frozenset[int]
    usb: frozenset[int]
    i2c: int  # number of I2C controllers
    flash_offset: int  # where the ROM looks for the second-stage bootloader


ESP32 = Chip(
    name="esp32",
    arch=("xtensawin",),
    gpio=_pins((0, 19), (21, 23), (25, 27), (32, 39)),
    input_only=_pins((34, 39)),
    adc1=_pins((32, 39)),
    adc2=_pins(0, 2, 4, (12, 15), (25, 27)),
    strapping=_pins(0, 2, 5, 12, 15),
    flash=_pins((6, 11)),
    psram=_pins(16, 17),
    uart0=_pins(1, 3),
    usb=NONE,
    i2c=2,
    flash_offset=0x1000,
)

ESP32_S3 = Chip(
    name="esp32s3",
    arch=("xtensawin",),
    gpio=_pins((0, 21), (26, 48)),
    input_only=NONE,
    adc1=_pins((1, 10)),
    adc2=_pins((11, 20)),
    strapping=_pins(0, 3, 45, 46),
    flash=_pins((26, 32)),
    psram=_pins((33, 37)),
    uart0=_pins(43, 44),
    usb=_pins(19, 20),
    i2c=2,
    flash_offset=0,
)

ESP32_C3 = Chip(
    name="esp32c3",
    arch=("rv32imc",),
    gpio=_pins((0, 21)),
    input_only=NONE,
    adc1=_pins((0, 4)),
    adc2=_pins(5),
    strapping=_pins(2, 8, 9),
    flash=_pins((11, 17)),
    psram=NONE,
    uart0=_pins(20, 21),
    usb=_pins(18, 19),
    i2c=1,
    flash_offset=0,
)

# The simulated chip has the ESP32's pins, so that a description moves from one to the other unchanged.
VIRTUAL = Chip(**{**ESP32.__dict__, "name": "virtual", "arch": ("host",)})

CHIPS = {c.name: c for c in (ESP32, ESP32_S3, ESP32_C3, VIRTUAL)}

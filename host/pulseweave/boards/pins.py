"""The electrical checks of a board description: can these pins do this on that chip, and is there enough current?

In: a `Board` and its `Chip`. Out: nothing, or a Problem naming file, key and remedy. The first fault found is said.
"""

from pulseweave.boards.chips import Chip
from pulseweave.boards.model import AnalogPulse, Board, Max30102
from pulseweave.problem import Problem

IDLE_MA = 1  # a dark pixel's own current (WS2812B data sheet: 0.6-1 mA)
CHANNEL_MA = 20  # one channel at full duty
DIMMEST = 20  # a strand that cannot reach 1/20 of its full light is not worth hanging


def used(board: Board) -> list[tuple[str, int, str]]:
    """(key, pin, use) of every pin of the description; use is "adc", "out", "io" or "in"."""
    out = []
    p = board.pulse
    if isinstance(p, Max30102):
        out += [("pulse.sda", p.sda, "io"), ("pulse.scl", p.scl, "io")]
    else:
        out.append(("pulse.pin", p.pin, "adc"))
    out += [("skin.pin", board.skin.pin, "adc"), ("strand.pin", board.strand.pin, "out")]
    if board.button:
        out.append(("button.pin", board.button.pin, "in"))
    return out


def ranges(numbers) -> str:
    """1, 2, 3, 7 as `1-3, 7`."""
    numbers, out = sorted(numbers), []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def minimum_ma(board: Board) -> int:
    """Current that the strand needs to shine at 1/20 of its full light."""
    s = board.strand
    return s.pixels * IDLE_MA + -(-s.pixels * CHANNEL_MA * len(s.order) // DIMMEST)


def check(board: Board, chip: Chip, file: str) -> None:
    """Raise a Problem for the first thing that cannot work."""

    def stop(key: str, what: str, remedy: str):
        raise Problem(f"{file}: {key}: {what}: {remedy}")

    if board.arch not in chip.arch:
        stop(
            f'arch = "{board.arch}"', f"code for it does not run on the {chip.name}", f'use "{chip.arch[0]}"'
        )
    if board.chip != "virtual" and board.firmware is None:
        stop("firmware", "missing table", "add [firmware] with image and offset (see boards/README.md)")
    if board.firmware and board.firmware.offset != chip.flash_offset:
        stop(
            f"firmware.offset = {board.firmware.offset:#x}",
            f"the {chip.name} boots from {chip.flash_offset:#x}",
            f"use {chip.flash_offset:#x}",
        )
    if board.console.kind == "usb" and not chip.usb:
        stop('console.kind = "usb"', f"the {chip.name} has no USB of its own", 'use "uart"')
    line = chip.uart0 if board.console.kind == "uart" else chip.usb

    free = chip.gpio - chip.flash - chip.strapping - line - (chip.psram if board.psram else frozenset())
    fit = {"adc": free & chip.adc1, "out": free - chip.input_only, "io": free - chip.input_only, "in": free}
    owners: dict[int, str] = {}
    for key, pin, use in used(board):
        here = f"{key} = {pin}"
        taken = {p for k, p, _ in used(board) if k != key}
        choose = f"use one of {ranges(fit[use] - taken)}"
        if pin not in chip.gpio:
            stop(here, f"the {chip.name} has no GPIO{pin}", choose)
        if pin in owners:
            stop(here, f"GPIO{pin} is used twice, {owners[pin]} has it already", choose)
        if pin in chip.flash:
            stop(here, f"GPIO{pin} is wired to the flash of the {chip.name}", choose)
        if use == "adc" and pin in chip.adc2:
            stop(here, f"GPIO{pin} is on ADC2, which is dead while the radio is on", f"{choose} (ADC1)")
        if use == "adc" and pin not in chip.adc1:
            stop(here, f"GPIO{pin} has no ADC", f"{choose} (ADC1)")
        if use in ("out", "io") and pin in chip.input_only:
            stop(here, f"GPIO{pin} can only be an input", choose)
        if use == "in" and pin in chip.input_only:
            stop(
                here,
                f"GPIO{pin} has no pull-up",
                f"use one of {ranges(free - chip.input_only - taken)}",
            )
        if pin in line:
            word = "UART0" if board.console.kind == "uart" else "USB"
            stop(here, f"GPIO{pin} is a line of the console ({word})", choose)
        if pin in chip.psram and board.psram:
            stop(
                here,
                f"GPIO{pin} drives the PSRAM of modules that have one",
                f"{choose}, or say `psram = false` if this module has none",
            )
        if pin in chip.strapping and not board.allow_strapping:
            stop(
                here,
                f"GPIO{pin} is a strapping pin, sampled at reset",
                f"{choose}, or say `allow_strapping = true` if what hangs on it keeps it at its level",
            )
        owners[pin] = key

    p = board.pulse
    if isinstance(p, Max30102) and p.i2c >= chip.i2c:
        stop(
            f"pulse.i2c = {p.i2c}", f"the {chip.name} has {chip.i2c} I2C controller", f"use 0..{chip.i2c - 1}"
        )
    if isinstance(p, AnalogPulse) and p.contact_max <= p.contact_min:
        stop(
            f"pulse.contact_max = {p.contact_max}",
            f"not above contact_min = {p.contact_min}",
            "give the span of a covered sensor's mean in counts",
        )
    s = board.strand
    if sorted(s.order) not in (sorted("RGB"), sorted("RGBW")):
        stop(
            f'strand.order = "{s.order}"',
            "not a colour order",
            "use the letters R, G, B (and W) once each, such as GRB or GRBW",
        )
    need = minimum_ma(board)
    if s.budget_ma < need:
        per = need / s.pixels
        most = int(s.budget_ma / per)
        fewer = f" or at most {most} pixels" if most else ""
        stop(
            f"strand.budget_ma = {s.budget_ma}",
            f"{s.pixels} pixels {s.order} need {need} mA for 1/{DIMMEST} of their light",
            f"give budget_ma = {need} or more{fewer}",
        )
    check_wiring(board, stop)


def check_wiring(board: Board, stop) -> None:
    """The table for people names exactly the pins that the description uses."""
    told = {k for k in board.wiring.pins if k.startswith("GPIO")}
    for key, pin, _ in used(board):
        if f"GPIO{pin}" not in told:
            stop(f"wiring.pins.GPIO{pin}", f"missing, though {key} uses it", "say what is connected there")
    wrong = told - {f"GPIO{pin}" for _, pin, _ in used(board)}
    if wrong:
        name = sorted(wrong)[0]
        stop(f"wiring.pins.{name}", "no key uses this pin", "remove the line or correct the pin")

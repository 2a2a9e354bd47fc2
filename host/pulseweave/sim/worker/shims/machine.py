"""`machine` for virtual boards: pins, ADC, I2C, watchdog, reset cause; bound to the board being built."""

from array import array

import micropython
from dither import spread
from virtual import bus

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = number
        self._board = bus.board
        self._level = 1 if value is None else value
        button = self._board.description.get("button") if self._board else None
        self._is_button = bool(button) and button["pin"] == number and mode == self.IN

    def value(self, v=None):
        if v is None:
            return 0 if self._is_button and self._board.button else self._level
        self._level = v

    def __call__(self, v=None):
        return self.value(v)

    def on(self):
        self._level = 1

    def off(self):
        self._level = 0


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, atten=3):
        board = bus.board
        number = pin.number if isinstance(pin, Pin) else pin
        d = board.description
        # `fail(on)`: conversions raise, as they do where the driver is not in its state
        if d["pulse"].get("pin") == number:
            self.read_uv, self.fail = _pulse_reader(board.slot)
        elif d["skin"].get("pin") == number:
            self.read_uv, self.fail = _skin_reader(board.slot, board.node_number)
        else:
            raise ValueError("no analog signal on pin %d" % number)

    def read_u16(self):
        return min(65535, self.read_uv() * 4095 // 3300000 * 16)


def _refuse():
    """What a conversion does while the driver is not in its state."""
    raise OSError(-258, "ESP_ERR_INVALID_STATE")


# The readers are machine code: a node converts thirteen times a tick. What a reader needs, it takes from around it: to
# look for a name in the module costs more than a conversion.


def _pulse_reader(slot):
    """Conversions of the pulse sensor: the tick's two 100 Hz samples in turn."""
    room, pulse, refuse = bus, bus.pulse, _refuse
    # failing; this board's part of the block; which of the two comes now
    state = array("i", (0, slot * 10, 1))

    @micropython.viper
    def read_uv() -> int:
        own = ptr32(state)
        if own[0]:
            refuse()
        second = own[2] ^ 1
        own[2] = second
        return ptr32(pulse)[own[1] + int(room.phase) + second] * 806

    def fail(on):
        state[0] = on

    return read_uv, fail


def _skin_reader(slot, node):
    """Conversions of the skin sensor: a voltage that holds for 100 ms, plus the ADC's own noise."""
    skin, noisy, fill, refuse = bus.skin, array("i", bytes(4 * 64)), spread, _refuse
    # failing; this board; its sample, none yet; where in `noisy` it stands, by node: a worker's share must not show
    state = array("i", (0, slot, 0x10000, node - 1 & 63))

    @micropython.viper
    def read_uv() -> int:
        own = ptr32(state)
        if own[0]:
            refuse()
        v = ptr16(skin)[own[1]]
        if v != own[2]:
            own[2] = v
            fill(v, noisy)
        k = (own[3] + 1) & 63
        own[3] = k
        return ptr32(noisy)[k]

    def fail(on):
        state[0] = on

    return read_uv, fail


class I2C:
    def __init__(self, number, scl=None, sda=None, freq=400000, timeout=50000):
        self._devices = bus.board.i2c

    def scan(self):
        return sorted(self._devices)

    def readfrom_mem_into(self, address, register, buf):
        device = self._devices.get(address)
        if device is None or device.absent:
            raise OSError(19)  # ENODEV, as the ESP32 port raises
        device.read(register, buf)

    def writeto_mem(self, address, register, buf):
        device = self._devices.get(address)
        if device is None or device.absent:
            raise OSError(19)
        device.write(register, buf)


SoftI2C = I2C


class WDT:
    def __init__(self, id=0, timeout=5000):
        self._board = bus.board
        self._board.fed = 0

    def feed(self):
        self._board.fed += 1


def reset_cause():
    return bus.board.reset_cause


def unique_id():
    return bus.board.mac


def reset():
    bus.board.reset_wanted = True


def soft_reset():
    bus.board.reset_wanted = True


def freq(hz=None):
    return 240000000

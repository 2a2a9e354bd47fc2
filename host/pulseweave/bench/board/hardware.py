"""A virtual board's hardware in real time: the simulator's shims, with a clock that runs and a supervisor behind them.

`plug_in(plan, ...)` makes the one board of this interpreter; afterwards `import machine` and the rest find it. Sensors play
signals of one visitor in a loop (100 Hz pulse counts, skin counts x 16), radio frames, pixels, watchdog and resets go
through pipes to the supervisor.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportOperatorIssue=false
# ruff: noqa: I001, SIM115 (MicroPython: the shims come first, and files stay open with the board)
import json
import select
from array import array
from struct import pack

import time  # the shim
from virtual import VirtualBoard, bus

real = time._real
MASK = 0x3FFFFFFF
NVS_SIZE = 16384  # the NVS partition of the usual 4 MB layout is 24 KiB


class FlashImage:
    """A littlefs block device over a file: `blocks` of 4096 bytes."""

    SIZE = 4096

    def __init__(self, path):
        self._f = open(path, "r+b")
        self._blocks = self._f.seek(0, 2) // self.SIZE

    def readblocks(self, block, buf, offset=0):
        self._f.seek(block * self.SIZE + offset)
        self._f.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        self._f.seek(block * self.SIZE + (offset or 0))
        self._f.write(buf)
        self._f.flush()

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return self.SIZE
        if op == 6:
            return 0


class Supervisor:
    """The two pipes to the process that owns this board."""

    def __init__(self, fd_in, fd_out):
        self._in = open("/dev/fd/" + fd_in, "rb", 0)
        self._out = open("/dev/fd/" + fd_out, "wb", 0)
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)

    def tell(self, kind, data=b""):
        self._out.write(kind + pack("<H", len(data)) + bytes(data))

    def frames(self):
        """Frames that have arrived: (rssi, mac, frame)."""
        while self._poll.poll(0):
            head = self._in.read(9)
            if not head or len(head) < 9:
                self._poll.unregister(self._in)
                return
            yield head[1] - 256, head[3:9], self._in.read(head[0] | head[2] << 8)


class Life:
    """Makes time pass: sensor blocks, received frames, sent frames, pixels."""

    def __init__(self, board, supervisor, signals):
        self.board = board
        self.supervisor = supervisor
        self.last = real.ticks_ms()
        self.tick = 0
        with open(signals, "rb") as f:
            data = f.read()
        n = len(data) // 6
        self.pulse = array("I", data[: 4 * n])
        self.skin = array("H", data[4 * n :])
        self.n = n

    def step(self):
        """As many ticks of 20 ms as have passed (at most ten)."""
        due = (real.ticks_ms() - self.last) // 20
        if due > 10:
            self.last += (due - 10) * 20
            due = 10
        for _ in range(due):
            self.last += 20
            self.tick += 1
            self.sense()
        if due:
            self.talk()

    def sense(self):
        t = self.tick
        bus.tick = t
        bus.phase = t % 5 * 2
        if bus.phase == 0:
            at = t * 2 % self.n
            for k in range(10):
                bus.pulse[k] = self.pulse[(at + k) % self.n]
            bus.skin[0] = self.skin[at]
        for chip in self.board.chips:
            chip.advance()

    def talk(self):
        board = self.board
        for rssi, mac, frame in self.supervisor.frames():
            board.offer(frame, mac, rssi, time.ticks_ms())
        for k in range(board.tx_count):
            self.supervisor.tell(b"R", board.tx[k].buf[: board.tx[k].n])
        board.tx_count = 0
        if bus.dirty[0]:
            bus.dirty[0] = 0
            self.supervisor.tell(b"P", bus.pixels)


life = None


def ticks_ms():
    life.step()
    return real.ticks_ms() & MASK


def ticks_us():
    return real.ticks_us() & MASK


def sleep_ms(ms):
    end = real.ticks_ms() + ms
    while True:
        life.step()
        left = end - real.ticks_ms()
        if left <= 0:
            return
        real.sleep_ms(min(left, 20))


def plug_in(plan, fd_in, fd_out):
    """Build the board of `plan` and put its hardware where `import` finds it."""
    global life
    description = plan["board"]
    supervisor = Supervisor(fd_in, fd_out)
    bus.pulse = array("I", bytes(40))
    bus.skin = array("H", bytes(2))
    bus.dirty = bytearray(1)
    strand = description["strand"]
    bus.pixels = bytearray(strand["pixels"] * len(strand["order"]))
    board = VirtualBoard(0, 0, description, 0, bytes.fromhex(plan["mac"]), plan["cause"])
    bus.board = board
    if description["pulse"]["kind"] == "max30102":
        from max30102 import ADDRESS, Max30102Chip

        chip = Max30102Chip(0)
        board.i2c = {ADDRESS: chip}
        board.chips = [chip]
    else:
        board.chips = []
    life = Life(board, supervisor, plan["signals"])
    time.ticks_ms = ticks_ms
    time.ticks_us = ticks_us
    time.sleep_ms = sleep_ms
    time.sleep_us = lambda us: sleep_ms(us // 1000)
    time.sleep = lambda s: sleep_ms(int(s * 1000))
    time.time = real.time
    for name in ("ticks_cpu", "time_ns", "localtime", "gmtime", "mktime"):
        if hasattr(real, name):
            setattr(time, name, getattr(real, name))

    import espnow  # noqa: F401
    import machine
    import neopixel  # noqa: F401
    import network  # noqa: F401

    keep_nvs(board, plan["nvs"])

    def stop(cause):
        life.step()
        supervisor.tell(b"X", bytes((cause,)))
        while True:
            real.sleep_ms(1000)  # the supervisor cuts the power

    class WDT:
        def __init__(self, id=0, timeout=5000):
            self._message = pack("<I", timeout)
            self.feed()

        def feed(self):
            supervisor.tell(b"W", self._message)

    machine.reset = lambda: stop(machine.HARD_RESET)
    machine.soft_reset = lambda: stop(machine.SOFT_RESET)
    machine.WDT = WDT


def keep_nvs(board, path):
    """NVS in a file that is written on commit."""
    import esp32

    f = open(path, "r+b")
    text = f.read()
    if text.strip():
        for space, values in json.loads(text).items():
            board.nvs[space] = {k: bytes.fromhex(v) if isinstance(v, str) else v for k, v in values.items()}
    commit = esp32.NVS.commit

    def commit_to_file(self):
        commit(self)
        plain = {
            s: {k: v.hex() if isinstance(v, bytes) else v for k, v in board.nvs[s].items()} for s in board.nvs
        }
        data = json.dumps(plain)
        f.seek(0)
        f.write((data + " " * (NVS_SIZE - len(data))).encode())  # there is no truncate()
        f.flush()

    esp32.NVS.commit = commit_to_file

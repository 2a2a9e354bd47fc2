"""The virtual boards of this interpreter: what the shimmed hardware modules bind to.

`bus.board` is the board being built; every shim object keeps the board it was made under. `bus.phase` says
where in the current 100 ms block of sensor samples this tick lies, `bus.tick` counts ticks of 20 ms.
All numbers that device code can see are integers inside 31 bits. Nothing here allocates while a node ticks.
"""

from struct import pack_into

from micropython import const

FRAME = const(250)
TX_SLOTS = 8


class Bus:
    """What all boards share: sensor samples of this 100 ms, pixels, dirty flags."""

    def __init__(self):
        self.board = None
        self.tick = 0
        self.phase = 0  # index of this tick's first sample in the block: 0, 2, 4, 6, 8
        self.pulse = None  # array('I') boards x 10: counts at 100 Hz (12 or 18 bits)
        self.skin = None  # array('H') boards: 12-bit ADC counts x 16
        self.pixels = None  # bytearray: every board's strand, one after the other, in wire order
        self.dirty = None  # bytearray: strands written in this tick
        self.shown = 0  # 1 where any was


bus = Bus()


class RxSlot:
    """One received frame in the radio's ring; all who heard it share its bytes."""

    def __init__(self):
        self.frame = b""
        self.mac = None
        self.rssi = 0
        self.time = 0


class TxSlot:
    """One frame handed to the radio in this tick."""

    def __init__(self):
        self.buf = bytearray(FRAME)
        self.n = 0


class VirtualBoard:
    """One board: its place in the shared arrays, its clock, its radio queues, its flash."""

    def __init__(self, slot, node, description, pixel_start, mac, reset_cause=1):
        self.slot = slot
        self.node_number = node
        self.node = None
        self.description = description
        self.pixel_start = pixel_start
        self.mac = mac
        self.reset_cause = reset_cause
        self.now = 0  # local ticks_ms
        self.us = 0  # local ticks_us
        self.rx = []  # RxSlot ring, grown outside the tick
        self.rx_head = 0
        self.rx_count = 0
        self.rx_bytes = 0
        self.rx_limit = 526
        self.rx_total = 0
        self.rx_dropped = 0
        self.radio_up = False
        self.radio_dead = False  # fault: the radio answers with errors
        self.radio_desync = False  # fault: the ring lost its step after an oversize frame
        self.no_mem = 0  # fault: so many sends fail
        self.tx = [TxSlot() for _ in range(TX_SLOTS)]
        self.tx_count = 0
        self.nvs = {}
        self.nvs_fail = False
        self.i2c = {}
        self.button = False
        self.stdin = None
        self.stdout = None
        self.fs = None
        self.booted = True
        self.reset_wanted = False
        self.fed = 0

    def offer(self, frame, mac, rssi: int, time: int) -> None:
        """A frame (bytes) arrives from the air (outside the tick): into the ring, or counted as dropped."""
        self.rx_total += 1
        if not self.radio_up:
            return
        n: int = len(frame)
        if n > FRAME:
            self.radio_desync = True  # MicroPython 1.28 loses its step on an ESP-NOW v2 frame
            return
        if self.rx_bytes + n + 12 > self.rx_limit:
            self.rx_dropped += 1
            return
        if self.rx_count == len(self.rx):
            self._grow()
        i: int = self.rx_head + self.rx_count
        size: int = len(self.rx)
        slot = self.rx[i if i < size else i - size]
        slot.frame = frame
        slot.mac = mac
        slot.rssi = rssi
        slot.time = time
        self.rx_count += 1
        self.rx_bytes += n + 12

    def _grow(self):
        """Two more places in the ring."""
        self.rx = self.rx[self.rx_head :] + self.rx[: self.rx_head] + [RxSlot(), RxSlot()]
        self.rx_head = 0

    def take(self, data) -> int:
        """The oldest frame into ESPNow's list [mac, bytearray, rssi, time]; its length, 0 where none."""
        if not self.rx_count:
            return 0
        slot = self.rx[self.rx_head]
        frame = slot.frame
        n: int = len(frame)
        data[0] = slot.mac
        pack_into("250s", data[1], 0, frame)
        data[2] = slot.rssi
        data[3] = slot.time
        self.rx_head += 1
        if self.rx_head == len(self.rx):
            self.rx_head = 0
        self.rx_count -= 1
        self.rx_bytes -= n + 12
        return n

    def give(self, view):
        """A frame for the air; False where this tick's transmit queue is full."""
        if self.tx_count == TX_SLOTS:
            return False
        slot = self.tx[self.tx_count]
        pack_into("250s", slot.buf, 0, view)
        slot.n = len(view)
        self.tx_count += 1
        return True

    def clear_radio(self):
        """What active(False) does to the ring."""
        self.rx_head = self.rx_count = self.rx_bytes = 0
        self.radio_desync = False

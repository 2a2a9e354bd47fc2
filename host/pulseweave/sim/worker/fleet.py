"""The virtual boards of one worker: built from what the host describes, ticked together, their output collected."""

import gc
import json
from array import array
from struct import calcsize, pack_into
from time import real_ticks_us

import probe
import uctypes
from micropython import const
from ramdisk import RamDisk
from streams import Printed, Typed

HISTOGRAM = const(4000)  # microseconds


def piece(view, at, n):
    """n bytes of a memoryview, kept."""
    return bytes(view[at : at + n])


class Fleet:
    """Boards from `plan`: {"boards": {name: description}, "nodes": [{node, board, ppm, phase_us, boot_us, mac, ...}]}."""

    def __init__(self, plan):
        from virtual import VirtualBoard, bus

        self.bus = bus
        self.plan = plan
        nodes = plan["nodes"]
        n = len(nodes)
        bus.pulse = array("I", bytes(4 * n * 10))
        bus.skin = array("H", bytes(2 * n))
        # the same memory as bytes: a block from the pipe is copied in one go
        bus.pulse_bytes = uctypes.bytearray_at(uctypes.addressof(bus.pulse), 4 * n * 10)
        bus.skin_bytes = uctypes.bytearray_at(uctypes.addressof(bus.skin), 2 * n)
        bus.dirty = bytearray(n)
        self.none = bytes(n)
        size = 0
        self.starts = []
        for d in nodes:
            s = plan["boards"][d["board"]]["strand"]
            self.starts.append(size)
            size += s["pixels"] * len(s["order"])
        bus.pixels = bytearray(size)
        self.histogram = array("I", bytes(4 * HISTOGRAM))
        self.left = 0  # bytes that measured ticks left on the heap
        self.left_ticks = 0
        self.boards = []
        self.macs = {}
        for slot, d in enumerate(nodes):
            board = VirtualBoard(
                slot, d["node"], plan["boards"][d["board"]], self.starts[slot], bytes.fromhex(d["mac"])
            )
            board.ppm = d.get("ppm", 0)
            board.phase_us = d.get("phase_us", 0)
            board.boot_us = d.get("boot_us", 0)
            board.settings = d.get("settings", {})
            board.chips = []
            self.boards.append(board)
            self.flash(board, plan)
            self.boot(board, board.reset_cause, 0)
        self.stride = calcsize(probe.FORMAT)
        self.records = bytearray(self.stride * n)
        self.pings = array("I", bytes(4 * n))
        self.ping_bytes = uctypes.bytearray_at(uctypes.addressof(self.pings), 4 * n)

    def flash(self, board, plan):
        """An empty filesystem and NVS with what provisioning leaves there."""
        board.disk = RamDisk()
        board.fs = board.disk.filesystem()
        from provision import provision

        self.bus.board = board
        self.clock(board, 0)
        provision(board, plan["network"])

    def boot(self, board, cause, t_us):
        """Power up: open the drivers on this board and build the node, exactly as main.py does."""
        from max30102 import ADDRESS, Max30102Chip

        self.bus.board = board
        board.reset_cause = cause
        board.reset_wanted = False
        board.stdin = Typed()
        board.stdout = Printed()
        before, board.chips = board.chips, []
        if board.description["pulse"]["kind"] == "max30102":
            chip = Max30102Chip(board.slot)
            for old in before:  # a fault of the sensor outlives the board's power
                chip.absent, chip.stalled, chip.rate_q8 = old.absent, old.stalled, old.rate_q8
            board.i2c = {ADDRESS: chip}
            board.chips = [chip]
        self.clock(board, t_us)
        from weave.start import start

        board.node = start(board.description, board.fs, board.stdin, board.stdout, cause)
        board.step = board.node.tick if board.node else nothing

    def power(self, board, on, tick):
        """Cut a board's power, or bring it back."""
        board.clear_radio()
        board.radio_up = False
        if on:
            self.boot(board, 1, tick * 20000 + board.phase_us)
            return
        board.node = None
        board.step = nothing
        start = board.pixel_start
        d = board.description["strand"]
        for i in range(start, start + d["pixels"] * len(d["order"])):
            self.bus.pixels[i] = 0
        self.bus.dirty[board.slot] = 1
        self.bus.shown = 1

    def clock(self, board, t_us):
        """Set the board's own clock for true time t_us."""
        us = board.boot_us + t_us + t_us * board.ppm // 1000000
        board.us = us & 0x3FFFFFFF
        board.now = us // 1000 & 0x3FFFFFFF
        return board.now

    def mac(self, node):
        """A node's address as ESP-NOW gives it: one for all who hear it."""
        mac = self.macs[node] = b"\x02\x50\x57\x00" + bytes((node >> 8, node & 255))
        return mac

    def deliver(self, buf, at: int, count: int, tick_us: int) -> int:
        """`count` frames of the last tick from `buf`, each to all who heard it (see main.py)."""
        macs = self.macs
        boards = self.boards
        view = memoryview(buf)
        b: ptr8 = buf
        for _ in range(count):
            n = b[at] | b[at + 1] << 8
            source = b[at + 2] | b[at + 3] << 8
            t = tick_us + (b[at + 4] | b[at + 5] << 8 | b[at + 6] << 16 | b[at + 7] << 24)
            listeners = b[at + 8] | b[at + 9] << 8
            at += 10
            data = at + 4 * listeners
            mac = macs.get(source) or self.mac(source)
            frame = piece(view, data, n)
            while at < data:
                board = boards[b[at] | b[at + 1] << 8]
                local = board.boot_us + t + t * board.ppm // 1000000
                board.offer(frame, mac, b[at + 2] - 256, local // 1000 & 0x3FFFFFFF)
                at += 4
            at = data + n
        return at

    def tick(self, tick):
        """One tick of every board. After ten seconds and then twice a minute one is weighed: what does it leave on the heap?
        To count a heap takes as long as some hundred ticks."""
        if tick % 1500 != 499:
            self._tick(tick)
            return
        gc.collect()
        before = gc.mem_alloc()
        self._tick(tick)
        after = gc.mem_alloc()
        if after >= before:
            self.left += after - before
            self.left_ticks += len(self.boards)

    def _tick(self, tick: int) -> None:
        """Every board at true time tick * 20 ms + its phase."""
        bus = self.bus
        bus.tick = tick
        start = tick * 20000
        sample = tick % len(self.boards)
        for board in self.boards:
            t: int = start + board.phase_us
            us: int = board.boot_us + t + t * board.ppm // 1000000
            board.us = us & 0x3FFFFFFF
            now: int = us // 1000 & 0x3FFFFFFF
            board.now = now
            for chip in board.chips:
                chip.advance()
            bus.board = board
            if board.slot == sample:
                t0: int = real_ticks_us()
                board.step(now)
                took: int = real_ticks_us() - t0
                self.histogram[took if took < HISTOGRAM else HISTOGRAM - 1] += 1
            else:
                board.step(now)
            if board.reset_wanted:
                self.boot(board, 5, t)

    def widest(self):
        """Bytes that one tick can bring beside frames."""
        n = len(self.boards)
        return n + len(self.bus.pixels) + len(self.records) + 4 * n

    def collect(self, out, at, flags):
        """What this tick brought, into `out` from `at` on: frames, strands that were written, and on demand (flags, as in
        main.py) records and pings; returns (frames, end)."""
        bus = self.bus
        frames = 0
        for board in self.boards:
            for k in range(board.tx_count):
                slot = board.tx[k]
                n = slot.n
                pack_into("<HHI", out, at, board.slot, n, board.phase_us)
                at += 8
                out[at : at + n] = memoryview(slot.buf)[:n]
                at += n
                frames += 1
            board.tx_count = 0
        if bus.shown:
            at = put(out, at, bus.dirty)
            at = put(out, at, bus.pixels)
        if flags & 2:
            stride = self.stride
            for i, board in enumerate(self.boards):
                if board.node:
                    probe.record(board.node, board.now, self.records, i * stride)
                else:
                    self.records[i * stride : (i + 1) * stride] = bytes(stride)
            at = put(out, at, self.records)
        if flags & 4:
            at = put(out, at, self.pinged())
        return frames, at

    def clean(self):
        """Forget which strands were written."""
        self.bus.shown = 0
        self.bus.dirty[:] = self.none

    def pinged(self):
        """The last ping id every node has seen, u32 each."""
        for i, board in enumerate(self.boards):
            self.pings[i] = board.node.ping if board.node else 0
        return self.ping_bytes

    def printed(self):
        """Console output since the last call: {slot: text}."""
        said = {}
        for board in self.boards:
            data = board.stdout.take()
            if data:
                said[board.slot] = data.decode()
        return said

    def hello(self):
        """What the host must know before the first tick."""
        from weave.light.scenes import SCENES

        scenes = [scene[0] for scene in SCENES]
        return json.dumps(
            {"names": probe.NAMES, "format": probe.FORMAT, "pixels": len(self.bus.pixels), "scenes": scenes}
        )


def put(out, at, data):
    """Copy `data` to out[at:]; where it ends."""
    end = at + len(data)
    out[at:end] = data
    return end


def nothing(now):
    """The tick of a board without power, or in safe mode."""

"""A few nodes that hear each other, ticked by hand: the same loop under MicroPython (timed, or on a locked heap in
tests/device/node) and CPython (counted).

In: a plan (see sim/worker/fleet.py) and a file of samples, per 100 ms u32[n][10] pulse counts, then u16[n] skin. Out: the
digest over every pixel and frame, by which two interpreters prove that they did the same. Node 0 is the one looked at.
"""

from binascii import hexlify
from hashlib import sha256


class Walk:
    """`look(board, now)` ticks the nodes in `watched` (slots) in the way of whoever measures."""

    def __init__(self, plan, samples, watched=(0,)):
        from fleet import Fleet

        self.fleet = Fleet(plan)
        self.n = len(self.fleet.boards)
        self.watched = watched
        self.file = open(samples, "rb")  # noqa: SIM115 (for as long as the walk)
        self.block = bytearray(42 * self.n)
        self.number = 0
        self.frames = []
        self.digest = sha256()

    def tick(self, look):
        """Every node once; frames of this tick are heard in the next."""
        fleet, k = self.fleet, self.number
        bus = fleet.bus
        bus.tick = k
        bus.phase = k % 5 * 2
        if k % 5 == 0:
            self.file.readinto(self.block)
            bus.pulse_bytes[:] = self.block[: 40 * self.n]
            bus.skin_bytes[:] = self.block[40 * self.n :]
        for source, data in self.frames:
            mac = b"\2\0\0\0\0" + bytes((source,))
            for board in fleet.boards:
                if board.slot != source:
                    board.offer(data, mac, -55, fleet.clock(board, k * 20000 - 9000))
        self.frames = []
        for board in fleet.boards:
            now = fleet.clock(board, k * 20000 + board.phase_us)
            for chip in board.chips:
                chip.advance()
            bus.board = board
            if look and board.slot in self.watched:
                look(board, now)
            else:
                board.step(now)
            for i in range(board.tx_count):
                slot = board.tx[i]
                data = bytes(slot.buf[: slot.n])
                self.digest.update(data)
                self.frames.append((board.slot, data))
            board.tx_count = 0
        if bus.shown:
            self.digest.update(bus.pixels)
        fleet.clean()
        self.number = k + 1

    def faults(self):
        """What the supervisors caught: {(slot, part): count}."""
        caught = {}
        for board in self.fleet.boards:
            sup = board.node.supervisor
            for i in range(len(sup.names)):
                if sup.faults[i]:
                    caught[(board.slot, sup.names[i])] = sup.faults[i]
        return caught

    def result(self):
        """What both interpreters must agree on. Raises where a part failed."""
        faults = self.faults()
        node = self.fleet.boards[0].node
        if faults:
            raise RuntimeError("parts failed: " + str(faults))
        return {
            "digest": hexlify(self.digest.digest()).decode(),
            "contact": node.sense.contact,
            "beats": node.sense.beats,
            "neighbours": node.mesh.neighbours,
            "received": node.mesh.received,
            "frames": node.light.frames,
        }

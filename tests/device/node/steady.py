"""A small room in one interpreter, for tests of the whole node: real firmware, shims, frames passed from hand to hand.

`Room(plan, samples)` builds the nodes of a plan (see worker/fleet.py). samples(block) fills the shared sensor arrays for
100 ms. `tick(check)` runs one tick of every node; with check, each node's tick runs with the heap locked.
"""

import sys

from heap import locked


def use_shims(worker, device):
    """Make the simulator's modules and the firmware importable, shims first."""
    sys.path[:] = [worker + "/shims", worker, device] + sys.path


class Room:
    def __init__(self, plan, samples):
        from fleet import Fleet

        self.fleet = Fleet(plan)
        self.samples = samples
        self.number = 0
        self.frames = []

    def tick(self, check):
        fleet, k = self.fleet, self.number
        bus = fleet.bus
        bus.tick = k
        bus.phase = k % 5 * 2
        if k % 5 == 0:
            self.samples(k // 5, bus)
        for source, data in self.frames:  # everybody hears everybody
            for board in fleet.boards:
                if board.slot != source:
                    mac = b"\2\0\0\0\0" + bytes((source,))
                    board.offer(data, 0, len(data), mac, -55, fleet.clock(board, k * 20000 - 9000))
        self.frames = []
        for board in fleet.boards:
            now = fleet.clock(board, k * 20000 + board.phase_us)
            for chip in board.chips:
                chip.advance()
            bus.board = board
            if check:
                locked(board.step, now)
            else:
                board.step(now)
            for i in range(board.tx_count):
                slot = board.tx[i]
                self.frames.append((board.slot, bytes(slot.buf[: slot.n])))
            board.tx_count = 0
        fleet.clean()
        self.number = k + 1

    def faults(self):
        """What the supervisors caught: {(node, part): count}."""
        caught = {}
        for board in self.fleet.boards:
            sup = board.node.supervisor
            for i in range(len(sup.names)):
                if sup.faults[i]:
                    caught[(board.slot, sup.names[i])] = sup.faults[i]
        return caught


def player(path, boards):
    """samples(block, bus) from a file: for every 100 ms, 10 x u32 pulse counts and one u16 skin value, replayed
    with an offset of ten seconds from board to board."""
    f = open(path, "rb")
    f.seek(0, 2)
    blocks = f.tell() // 42
    buf = bytearray(42)

    def samples(block, bus):
        for slot in range(boards):
            f.seek((block + 100 * slot) % blocks * 42)
            f.readinto(buf)
            bus.pulse_bytes[slot * 40 : slot * 40 + 40] = buf[:40]
            bus.skin_bytes[slot * 2 : slot * 2 + 2] = buf[40:]

    return samples


def run(plan_path, data_path, warm, steady, plant):
    """`warm` ticks free, then `steady` ticks under the heap lock; prints what was seen, for the test to judge."""
    import json

    with open(plan_path) as f:
        plan = json.loads(f.read())
    room = Room(plan, player(data_path, len(plan["nodes"])))
    for _ in range(warm):
        room.tick(False)
    print("warm faults", room.faults())
    node = room.fleet.boards[0].node
    if plant:
        big = [1 << 28]
        steps = list(node._steps)

        def overflow(now):
            big[0] = big[0] * 8 >> 3  # beyond 31 bits for a moment
            steps_0(now)

        steps_0 = steps[0]
        node._steps = tuple([overflow] + steps[1:])
    frames = node.light.frames
    beats = node.sense.beats
    received = node.mesh.received
    try:
        for _ in range(steady):
            room.tick(True)
    except MemoryError as e:
        print("MemoryError outside the parts", e)
    faults = room.faults()
    print("faults", faults)
    print("ticks", room.number)
    print("frames", node.light.frames - frames)
    print("beats", (node.sense.beats - beats) & 0xFFFF)
    print("received", node.mesh.received - received)
    print("contact", node.sense.contact, "visitor", node.affect.visitor, "neighbours", node.mesh.neighbours)

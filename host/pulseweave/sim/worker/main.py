"""A worker of the simulator: many nodes of the real firmware in one MicroPython, driven over two pipes.

    micropython main.py IN_FD OUT_FD SHIMS DEVICE

Every message starts with `<BBHII`: op, argument, count, tick, length of what follows. In (argument, count):
  C  plan, as JSON -> C with names and layout, as JSON
  T  (flags: 1 a new 100 ms block of samples leads, 2 records wanted, 4 trace pings; number of frames): the block
     (pulse u32[n][10], skin u16[n]), then the frames: bytes u16, node u16, microseconds into the last tick u32,
     listeners u16, for each of them slot u16, RSSI i8 (below 0), 0; then the frame itself
     -> T (flags: 1 pixels follow; frames), frames, [dirty, pixels], [records], [pings seen u32[n]]
  X  a request, as JSON -> X with the answer, as JSON
  Q  quit
An exception answers with op E and the traceback with node and virtual time.
"""

import gc
import io
import json
import sys
from struct import pack, unpack_from

HEADER = "<BBHII"
SIZE = 12


class Pipe:
    """Whole messages over two file descriptors."""

    def __init__(self, fd_in, fd_out):
        self._in = open("/dev/fd/" + fd_in, "rb", 0)
        self._out = open("/dev/fd/" + fd_out, "wb", 0)
        self._header = bytearray(SIZE)
        self.buf = bytearray(1 << 16)

    def receive(self):
        """(op, argument, count, tick, length) with the body in `buf`; op 0 where the host is gone."""
        if self._in.readinto(self._header) != SIZE:
            return 0, 0, 0, 0, 0
        head = unpack_from(HEADER, self._header, 0)
        n = head[4]
        if n > len(self.buf):
            self.buf = bytearray(n + (n >> 1))
        if n and self._in.readinto(memoryview(self.buf)[:n]) != n:
            return 0, 0, 0, 0, 0
        return head

    def send(self, op, argument, count, tick, parts):
        self._out.write(pack(HEADER, ord(op), argument, count, tick, sum(len(p) for p in parts)))
        for p in parts:
            self._out.write(p)


class Worker:
    """Answers messages until told to quit."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.fleet = None
        self.out = bytearray(1 << 16)

    def run(self):
        while True:
            op, argument, count, tick, length = self.pipe.receive()
            if not op or op == 81:  # Q
                return
            try:
                if op == 84:
                    self.tick(argument, count, tick, length)
                elif op == 67:
                    self.configure(length)
                elif op == 88:
                    self.request(length, tick)
            except Exception as e:
                self.report(e, tick)
                return

    def configure(self, length):
        plan = json.loads(bytes(memoryview(self.pipe.buf)[:length]))
        if "rough" in plan:
            from rough import RoughFleet as Fleet
        else:
            from fleet import Fleet

        self.fleet = Fleet(plan)
        n = len(self.fleet.boards)
        self.out = bytearray(n * 8 * 260)
        gc.collect()
        gc.threshold(-1)
        self.pipe.send("C", 0, n, 0, [self.fleet.hello().encode()])

    def tick(self, flags, count, tick, length):
        fleet = self.fleet
        bus = fleet.bus
        buf = self.pipe.buf
        at = 0
        n = len(fleet.boards)
        bus.phase = tick % 5 * 2
        if flags & 1:
            view = memoryview(buf)
            a = 40 * n
            bus.pulse_bytes[:] = view[:a]
            bus.skin_bytes[:] = view[a : a + 2 * n]
            at = a + 2 * n
        fleet.deliver(buf, at, count, (tick - 1) * 20000)
        fleet.tick(tick)
        frames, used = fleet.collect(self.out, flags & 2)
        parts = [memoryview(self.out)[:used]]
        shown = bus.shown
        if shown:
            parts.append(bus.dirty)
            parts.append(bus.pixels)
        if flags & 2:
            parts.append(fleet.records)
        if flags & 4:
            parts.append(fleet.pinged())
        self.pipe.send("T", 1 if shown else 0, frames, tick, parts)
        if shown:
            fleet.clean()

    def request(self, length, tick):
        from requests_table import answer

        request = json.loads(bytes(memoryview(self.pipe.buf)[:length]))
        self.pipe.send("X", 0, 0, tick, [json.dumps(answer(self.fleet, request, tick)).encode()])

    def report(self, error, tick):
        text = io.StringIO()
        sys.print_exception(error, text)
        from virtual import bus

        node = bus.board.node_number if bus.board else -1
        answer = {"node": node, "t_s": tick * 0.02, "traceback": text.getvalue()}
        self.pipe.send("E", 0, 0, tick, [json.dumps(answer).encode()])


def main():
    fd_in, fd_out, shims, device = sys.argv[1:5]
    here = __file__[: __file__.rfind("/")]
    # Files win over MicroPython's extensible built-in modules, so the shims take the names of the real ones.
    sys.path[:] = [shims, here, device] + sys.path
    Worker(Pipe(fd_in, fd_out)).run()


main()

"""A worker of the simulator: many nodes of the real firmware in one MicroPython, driven over two pipes.

    micropython main.py IN_FD OUT_FD SHIMS DEVICE [awake]

`awake`: it waits for messages for a while without going to sleep.

Every message starts with `<BBHII`: op, argument, count, tick, length of what follows. In (argument, count):
  C  plan, as JSON -> C with names and layout, as JSON
  T  (flags: 1 a new 100 ms block of samples leads, 2 records wanted, 4 trace pings, in the upper four bits how many ticks
     may follow one another while no node sends anything; number of frames): the block (pulse u32[n][10], skin u16[n]),
     then the frames: bytes u16, node u16, microseconds into the last tick u32, listeners u16, for each of them slot u16,
     RSSI i8 (below 0), 0; then the frame itself
     -> for each tick T (flags: 1 pixels follow, 2 so does the next tick; frames), frames, [dirty, pixels], [records],
     [pings seen u32[n]]
  X  a request, as JSON -> X with the answer, as JSON
  Q  quit
An exception answers with op E and the traceback with node and virtual time.
"""

import gc
import io
import json
import select
import sys
from struct import pack, pack_into, unpack_from

HEADER = "<BBHII"
SIZE = 12
POLLS = 20000  # until who waits awake sleeps all the same
MOST = 5  # ticks in one answer


class Pipe:
    """Whole messages over two file descriptors."""

    def __init__(self, fd_in, fd_out, awake):
        self._in = open("/dev/fd/" + fd_in, "rb", 0)
        self._out = open("/dev/fd/" + fd_out, "wb", 0)
        self._header = bytearray(SIZE)
        self._ready = None
        if awake:
            self._ready = select.poll()
            self._ready.register(self._in, select.POLLIN)
        self.buf = bytearray(1 << 16)

    def receive(self):
        """(op, argument, count, tick, length) with the body in `buf`; op 0 where the host is gone."""
        if self._ready:
            self.wait()
        if self._in.readinto(self._header) != SIZE:
            return 0, 0, 0, 0, 0
        head = unpack_from(HEADER, self._header, 0)
        n = head[4]
        if n > len(self.buf):
            self.buf = bytearray(n + (n >> 1))
        if n and self._in.readinto(memoryview(self.buf)[:n]) != n:
            return 0, 0, 0, 0, 0
        return head

    def wait(self):
        """Until there is something to read or the host is gone, some 10 ms at most."""
        ready = self._ready.ipoll  # unlike `poll` it leaves nothing on the heap
        for _ in range(POLLS):
            for _ in ready(0):
                return

    def send(self, op, argument, count, tick, body):
        self.write(pack(HEADER, ord(op), argument, count, tick, len(body)))
        self.write(body)

    def write(self, data):
        """Whole messages, as they are."""
        self._out.write(data)


class Worker:
    """Answers messages until told to quit."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.fleet = None
        self.out = bytearray(0)
        self.ready = 0  # bytes in `out` that are to be sent

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
                self.pipe.write(memoryview(self.out)[: self.ready])
                self.report(e, tick if op != 84 else self.fleet.bus.tick)
                return

    def configure(self, length):
        plan = json.loads(bytes(memoryview(self.pipe.buf)[:length]))
        if "rough" in plan:
            from rough import RoughFleet as Fleet
        else:
            from fleet import Fleet

        self.fleet = Fleet(plan)
        n = len(self.fleet.boards)
        self.out = bytearray(n * 8 * 260 + MOST * (SIZE + self.fleet.widest()))
        gc.collect()
        gc.threshold(-1)
        self.pipe.send("C", 0, n, 0, self.fleet.hello().encode())

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
        last = tick + (flags >> 4) - 1
        out = self.out
        self.ready = at = 0
        while True:
            fleet.tick(tick)
            frames, end = fleet.collect(out, at + SIZE, flags)
            shown = bus.shown
            if shown:
                fleet.clean()
            more = tick < last and not frames
            pack_into(HEADER, out, at, 84, shown | more << 1, frames, tick, end - at - SIZE)
            self.ready = at = end
            if not more:
                break
            tick += 1
            bus.phase = tick % 5 * 2
        self.ready = 0
        self.pipe.write(memoryview(out)[:at])

    def request(self, length, tick):
        from requests_table import answer

        request = json.loads(bytes(memoryview(self.pipe.buf)[:length]))
        self.pipe.send("X", 0, 0, tick, json.dumps(answer(self.fleet, request, tick)).encode())

    def report(self, error, tick):
        text = io.StringIO()
        sys.print_exception(error, text)
        from virtual import bus

        node = bus.board.node_number if bus.board else -1
        answer = {"node": node, "t_s": tick * 0.02, "traceback": text.getvalue()}
        self.pipe.send("E", 0, 0, tick, json.dumps(answer).encode())


def main():
    fd_in, fd_out, shims, device = sys.argv[1:5]
    here = __file__[: __file__.rfind("/")]
    # Files win over MicroPython's extensible built-in modules, so the shims take the names of the real ones.
    sys.path[:] = [shims, here, device] + sys.path
    Worker(Pipe(fd_in, fd_out, "awake" in sys.argv[5:])).run()


main()

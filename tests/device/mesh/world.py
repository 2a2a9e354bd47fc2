"""A small world for mesh tests: N real Mesh objects in one interpreter, a plain radio of given topology and loss,
virtual time.

Every node has its own clock (offset and drift in ppm) and its own phase in the 20 ms tick. A frame sent in tick k is in the
receivers' rings in tick k+1, stamped with its true arrival on their clocks: a random wait for the channel plus its
time on the air.
"""

from weave.mesh import Mesh
from weave.mesh.seal import Keys

TICK = 20
M = 0x3FFFFFFF
SCENE, POLICY, CONFIG, IDENTIFY, ALARM, PING, VISITOR, LINKS = range(1, 9)  # kinds of events


class Random:
    """xorshift, so that a test's world is the same on every port."""

    def __init__(self, seed):
        self.x = (seed * 2654435 + 12345) & 0xFFFFFF or 1

    def below(self, n):
        """0..n-1, n < 2**20."""
        x = self.x
        x ^= (x << 5) & 0xFFFFFF
        x ^= x >> 9
        x ^= (x << 2) & 0xFFFFFF
        self.x = x
        return (x >> 4) % n


def blob(net=7, use=1, flags=0, ids=(1, 2, 1, 2), fill=1):
    """A keys blob with keys that are easy to recognise."""
    b = bytearray(72)
    b[0], b[1], b[2], b[3] = 1, net, use, flags
    for k in range(4):
        b[4 + k] = ids[k]
        for i in range(16):
            b[8 + 16 * k + i] = (fill * 37 + k * 64 + i * 5) & 255
    return b


class Nvs:
    """Integers and blobs that outlive a Mesh; `works` False: the flash refuses."""

    def __init__(self):
        self.ints = {}
        self.blobs = {}
        self.works = True

    def get(self, key):
        return self.ints.get(key, 0)

    def set(self, key, value):
        if self.works:
            self.ints[key] = value

    def get_blob(self, key, buf):
        b = self.blobs.get(key, b"")
        buf[: len(b)] = b
        return len(b)

    def set_blob(self, key, buf):
        self.blobs[key] = bytes(buf)

    def commit(self):
        return self.works


class Radio:
    """One node's radio: a ring of `room` frames made beforehand, so that receiving allocates nothing."""

    def __init__(self, node, room=24):
        self.buf = bytearray(250)
        self.own = self.mac = bytes((2, 0, 0, 0, node >> 8, node & 255))
        self.rssi = -60
        self.time = 0
        self.fault = 0
        self.ring = [None] * room
        self.first = self.waiting = 0
        self.out = [bytearray(250) for _ in range(4)]
        self.out_n = [0] * 4
        self.outs = 0
        self.dead = False
        self.restarts = 0
        self.raises = 0
        self.dropped = 0

    def recv(self):
        if self.raises:
            self.raises -= 1
            raise ValueError("ring")
        if not self.waiting:
            return 0
        frame, self.mac, self.rssi, self.time = self.ring[self.first]
        self.first = (self.first + 1) % len(self.ring)
        self.waiting -= 1
        n = len(frame)
        b = self.buf
        for k in range(n):
            b[k] = frame[k]
        return n

    def send(self, view):
        if self.dead or self.outs == 4:
            return False
        out = self.out[self.outs]
        n = len(view)
        for k in range(n):
            out[k] = view[k]
        self.out_n[self.outs] = n
        self.outs += 1
        return True

    def take(self):
        """The frames sent since the last call."""
        frames = [bytes(self.out[k][: self.out_n[k]]) for k in range(self.outs)]
        self.outs = 0
        return frames

    def restart(self):
        self.restarts += 1
        self.first = self.waiting = 0
        return True

    def put(self, frame, mac, rssi, time):
        """A frame arrives."""
        if self.waiting == len(self.ring):
            self.dropped += 1
            return
        self.ring[(self.first + self.waiting) % len(self.ring)] = (frame, mac, rssi, time)
        self.waiting += 1


class Board:
    """A node of the world: a Mesh that outlives reboots with its NVS and radio."""

    def __init__(self, world, node, offset, ppm, phase):
        self.world = world
        self.node = node
        self.offset = offset
        self.ppm = ppm
        self.phase = phase
        self.radio = Radio(node)
        self.nvs = Nvs()
        self.links = []  # indices of those who hear us
        self.group = 0
        self.on = True
        self.boot()

    def boot(self, **kw):
        """Start the firmware afresh; what the network told is lost, NVS stays."""
        w = self.world
        self.mesh = Mesh(self.radio, self.nvs, Keys(w.blob), self.node, w.rows, **kw)
        self.events = []
        for kind in range(1, 16):
            if kind != LINKS:  # the mesh answers these itself
                self.mesh.on(kind, self.take)

    def take(self, buf, start, n, origin, at):
        self.events.append((self.world.t, buf[start - 10], bytes(buf[start : start + n]), origin, at))

    def local(self, us):
        """Local ms at a true time in microseconds."""
        return (self.offset + (us + us // 1000 * self.ppm // 1000) // 1000) & M


class World:
    """`n` nodes with ids 1..n; links given by `place`: a function (i, j) -> in earshot."""

    def __init__(self, n, place=None, loss=0, seed=1, ppm=40, rows=None, blob_=None):
        self.random = Random(seed)
        self.loss = loss
        self.rows = rows or n + 2
        self.blob = blob_ or blob()
        self.t = 0
        r = self.random
        self.boards = [
            Board(
                self, k + 1, r.below(1 << 20) * 1000, r.below(2 * ppm + 1) - ppm if ppm else 0, r.below(20000)
            )
            for k in range(n)
        ]
        for i in range(n):
            for j in range(n):
                if i != j and (place is None or place(i, j)):
                    self.boards[i].links.append(j)
        self.air = []
        self.frames = 0
        self.bytes = 0
        self.heard = []  # every frame that was on the air, when recording
        self.recording = False
        self.step = lambda f, now: f(now)  # how a node's tick is called

    def tick(self):
        """20 ms for everybody."""
        r = self.random
        boards = self.boards
        arrivals = self.air
        self.air = []
        for i, frame, at in arrivals:
            b = boards[i]
            for j in b.links:
                c = boards[j]
                if c.on and c.group == b.group and r.below(1000) >= self.loss:
                    c.radio.put(frame, b.radio.own, -60, c.local(at))
        for i in range(len(boards)):
            b = boards[i]
            if not b.on:
                continue
            us = self.t * 1000 + b.phase
            self.step(b.mesh.step, b.local(us))
            if b.radio.outs:
                for frame in b.radio.take():
                    us += 300 + r.below(2000)
                    us += 700 + len(frame) * 8
                    self.air.append((i, frame, us))
                    self.frames += 1
                    self.bytes += len(frame)
                    if self.recording:
                        self.heard.append((i, frame))
        self.t += TICK

    def run(self, seconds):
        for _ in range(seconds * 1000 // TICK):
            self.tick()

    def error(self, i, j):
        """Mesh time of i minus that of j, now, in ms."""
        us = self.t * 1000
        a, b = self.boards[i], self.boards[j]
        d = (a.mesh.time(a.local(us)) - b.mesh.time(b.local(us))) & M
        return (d ^ 0x20000000) - 0x20000000


def grid(width, reach):
    """Nodes row by row in a grid of `width`; earshot up to `reach` steps away (Euclid)."""

    def place(i, j):
        dx = i % width - j % width
        dy = i // width - j // width
        return dx * dx + dy * dy <= reach * reach

    return place


def line(reach=1):
    """Nodes in a row."""

    def place(i, j):
        return -reach <= i - j <= reach

    return place

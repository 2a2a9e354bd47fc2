"""A port in memory and a node of plain objects, for the console's tests."""


class Port:
    """`feed(data)` is what the host sends; `out` what it got; takes `speed` bytes a call."""

    def __init__(self, speed=96):
        self.buf = bytearray(32)
        self.out = bytearray()
        self.speed = speed
        self.waiting = b""

    def feed(self, data):
        self.waiting += data

    def read(self):
        if not self.waiting:
            return 0
        n = min(32, len(self.waiting))
        self.buf[:n] = self.waiting[:n]
        self.waiting = self.waiting[n:]
        return n

    def write(self, view, n):
        if not self.speed or not n:
            return 0
        n = min(n, self.speed)
        self.out.extend(bytes(view[:n]))
        return n


class Quiet:
    """A port with nothing in it that swallows everything, without allocation."""

    def __init__(self):
        self.buf = bytearray(32)
        self.bytes = 0

    def read(self):
        return 0

    def write(self, view, n):
        self.bytes += n
        return n


class Part:
    """Attributes, nothing else."""

    def __init__(self, **values):
        for k in values:
            setattr(self, k, values[k])


class Damp(Part):
    def opt_out(self, flag):
        self.opted_out = 1 if flag else 0

    def wish(self, rho):
        self.rho = max(rho, self.policy_rho, 1024)


class Light(Part):
    names = ("hearth", "tide", "identify")

    def set_scene(self, i, at):
        self.scene = i

    def show_only(self, i, now, ms):
        self.shown = i
        self.shown_ms = ms


class Mesh(Part):
    """`keys` False: nothing can be sent."""

    keys = True
    event = None

    def time(self, now):
        return now + 1000

    def send_command(self, buf, n):
        return n == 5

    def send_event(self, kind, buf, n, at, target=0xFFFF):
        if self.keys:
            self.event = (kind, bytes(buf[:n]), at, target)
        return self.keys


class Notes:
    def __init__(self):
        self.taken = 0
        self.last = None
        self.kept = []

    def read(self):
        return self.kept

    def clear(self):
        self.kept = []

    def take(self, part, text):
        self.taken += 1
        self.last = {"part": part, "text": text}
        self.kept.append(self.last)


class Config:
    def __init__(self):
        self.node, self.name, self.cluster, self.role = 7, "ada", 1, "node"
        self.dirty = False

    def values(self):
        return {"node": self.node, "name": self.name, "scene": "hearth", "pixels": 0}

    def set(self, name, value):
        if name == "node" and not value.isdigit():
            raise ValueError("node is a number from 0 to 65535")
        setattr(self, name, int(value) if name == "node" else value)
        self.dirty = True

    def save(self):
        self.dirty = False
        return True


class Keep(Part):
    def __init__(self):
        self.config = Config()
        self.notes = Notes()
        self.boots, self.bad, self.cause, self.safe, self.left = 3, 0, 1, False, 0

    def uptime(self):
        return 61

    def leaving(self):
        self.left = 1

    def note(self, part, exception, now):
        self.notes.take(part, repr(exception))
        return True


class Node:
    def __init__(self):
        pulse = Part(samples=[2048], polled=1)
        skin = Part(sensor=Part(samples=[23456]))
        self.sense = Part(
            contact=1,
            quality=204,
            hr_q4=1152,
            rmssd_q4=640,
            scl_ns=4300,
            ibi_q4=13333,
            beats=5,
            beat_ms=123456,
        )
        self.sense.gap = self.sense.faults = self.sense.scrs = 0
        self.sense.skin_ok = 1
        self.sense.pulse, self.sense.skin = pulse, skin
        self.affect = Part(arousal=2048, fast=2100, valence=-1024, confidence=128)
        self.damp = Damp(level=1700, g=0, rho=1024, policy_rho=1024, ratio_q8=250, contagion=0, opted_out=0)
        self.light = Light(scene=0, ma=410, limited=0, frames=70000)
        room = Part(
            count=2,
            node=[7, 8],
            arousal=[2048, 1024],
            confidence=[255, 128],
            g=[0, 4096],
            age=[0, 3],
            version=[64, 128],
            rssi=[0, -61],
        )
        self.mesh = Mesh(
            room=room,
            synced=1,
            neighbours=3,
            sent=1,
            received=2,
            rejected=0,
            restarts=0,
            fault=0,
            node=7,
            told=b"\0\x08",
        )
        self.keep = Keep()
        self.hardware = Part(board={"name": "virtual", "strand": {"pixels": 60}})
        self.supervisor = Part(names=("sense", "light"), faults=[0, 2])

"""Many real meshes in one interpreter, their radio on the other side of a pipe. bridge.py NODES SEED FLOOD

stdin, one request after the other: `T` u32 tick, u16 count, then per delivery u16 dst, u16 src, i8 rssi, u32 true arrival in
units of 10 us, u8 length, frame; answered by u16 count and per frame u16 node, u16 offset in 10 us, u8 length, frame.
`E` u16 node, u16 id: that node tells a PING. `O` u16 node: reboot. `X` u16 node: its power is cut. `Q` answers one line of
JSON: state ages, clock errors, pings.
FLOOD 1 replaces Trickle by a plain flood: everybody repeats each event once, at once.
"""

import json
import struct
import sys

import world
from weave.mesh.frame import diff

N, SEED, FLOOD = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
w = world.World(N, lambda i, j: False, seed=SEED, rows=N + 2)
pings = {}  # id -> [true ms told, {node: ms}]


def on_ping(b):
    def ping(buf, start, n, origin, at):
        p = pings[buf[start] << 8 | buf[start + 1]]
        p[1].setdefault(b.node, []).append(w.t + b.phase // 1000 - p[0])

    return ping


def flood(events):
    """Say everything exactly once."""
    plan = events._plan

    def once(s, k, wait):
        plan(s, 5, wait if not k else 0)
        if k:
            events._said[s] = 1

    events._plan = once
    events.hear = lambda s: None
    events.alive = lambda s, now: False


def boot(b):
    b.boot()
    b.mesh.on(6, on_ping(b))
    if FLOOD:
        flood(b.mesh.events)


for b in w.boards:
    boot(b)


def tick():
    k, count = struct.unpack("<IH", stdin.read(6))
    w.t = k * 20
    for _ in range(count):
        dst, src, rssi, at, n = struct.unpack("<HHbIB", stdin.read(10))
        frame = stdin.read(n)
        c = w.boards[dst]
        if not c.on:
            continue
        own = w.boards[src].radio.own if src < N else bytes((2, 9, 9, 9, src >> 8, src & 255))
        c.radio.put(frame, own, rssi, c.local(at * 10))
    out = []
    for i, b in enumerate(w.boards):
        if not b.on:
            continue
        a = w.random.below(4096)
        if k % 50 == 0:
            b.mesh.room.share(0, a, a, 200, a, 1)
        b.mesh.step(b.local(w.t * 1000 + b.phase))
        if b.radio.outs:
            at = b.phase // 10 + 30
            for f in b.radio.take():
                out.append(struct.pack("<HHB", i, at, len(f)) + f)
                at += 40
    stdout.write(struct.pack("<H", len(out)) + b"".join(out))


def percentiles(v):
    v.sort()
    n = len(v)
    return {"p50": v[n // 2], "p99": v[n * 99 // 100], "max": v[-1], "n": n} if n else None


def query():
    ages, errors = [], []
    alive = [b for b in w.boards if b.on]
    root = min(alive, key=lambda b: b.mesh.clock.hops)
    for b in alive:
        r, now = b.mesh.room, b.local(w.t * 1000)
        ages += [max(0, diff(now, r.made[i])) for i in range(1, r.count) if r.age[i] < 60000]
        ages += [99999] * (N - r.count)
        errors.append(abs(w.error(root.node - 1, b.node - 1)))
    late = []
    missed = twice = 0
    for _, got in pings.values():
        missed += N - len(got)
        for v in got.values():
            late.append(v[0])
            twice += len(v) > 1
    m = [b.mesh for b in alive]
    names = ("sent", "received", "duplicates", "throttled", "forged", "rejected", "stale", "full", "restarts")
    out = {
        "age": percentiles(ages),
        "clock": percentiles(errors),
        "ping": percentiles(late),
        "missed": missed,
        "twice": twice,
        "due": N * len(pings),
        "roots": len({x.clock.root for x in m}),
        "root": root.node - 1,
        "followed": sorted({x.clock.root - 1 for x in m}),
        "dropped": sum(b.radio.dropped for b in w.boards),
    }
    for k in names:
        out[k] = sum(getattr(x, k) for x in m)
    stdout.write(json.dumps(out).encode() + b"\n")


while True:
    op = stdin.read(1)
    if op == b"T":
        tick()
    elif op == b"E":
        node, id = struct.unpack("<HH", stdin.read(4))
        pings[id] = [w.t + w.boards[node].phase // 1000, {}]
        w.boards[node].mesh.send_event(6, struct.pack(">H", id), 2, -1)
    elif op == b"O":
        boot(w.boards[struct.unpack("<H", stdin.read(2))[0]])
    elif op == b"X":
        w.boards[struct.unpack("<H", stdin.read(2))[0]].on = False
    elif op == b"Q":
        query()
    else:
        break

"""Seals what it is told to, on the device's code: per line of stdin `HEADER_HEX PAYLOAD_HEX` -> frame in hex;
`open FRAME_HEX` -> payload or `no`; `command BODY_HEX` -> the command tag; `mix ID` -> its hash; `round Q12,.. Q8,..` ->
what travels of the former and what is read of the latter; `mesh FRAME_HEX,...` -> what node 1, with 77 frames sealed in
its epoch 65540, makes of them: its first version and stamp, its table, the events obeyed, the first event it seals, the
first it passes on.
"""

import sys
from binascii import hexlify, unhexlify

from weave.mesh.roster import mix
from weave.mesh.seal import Keys

KEY = bytes(range(16))
COMMAND = bytes(range(240, 256))
keys = Keys(bytes((1, 7, 1, 1, 1, 0, 1, 0)) + KEY + bytes(16) + COMMAND + bytes(16))


def mesh(frames):
    """Frames on the air of a node that is about to seal its 78th frame and has no mesh time yet; at its ms 123900."""
    import world
    from weave.mesh import Mesh

    nvs, radio = world.Nvs(), world.Radio(1)
    nvs.ints["epoch"] = 65539
    m = Mesh(radio, nvs, keys, 1, 8)
    m.seq = 77
    said = []
    for kind in range(1, 8):
        m.on(
            kind,
            lambda buf, start, n, origin, at: said.append(
                "event:%d:%s:%d:%d" % (buf[6], hexlify(buf[start : start + n]).decode(), origin, at)
            ),
        )
    for f in frames:
        radio.put(unhexlify(f), b"\2\0\0\0\1\2", -60, 123900)
    first = m.clock._own
    m.step(123900)
    passed = []
    own = []  # one event leaves in a tick: those of others first
    for now in range(123920, 124020, 20):
        sent = radio.take()
        own += [f for f in sent if f[2] == 2 and f[5] == 1]
        passed += [f for f in sent if f[2] == 2 and f[5] == 2]
        m.step(now)
    r = m.room
    while r.version[0] == 65540 * 64 & 0xFFFF:
        now += 20
        m.step(now)
    print("own:%d,%d" % (r.version[0], first))
    for i in range(1, r.count):
        row = (r.node, r.version, r.arousal, r.fast, r.confidence, r.g, r.flags)
        print("row:" + ",".join(str(c[i]) for c in row))
    for s in said:
        print(s)
    print("sent:" + hexlify(own[0]).decode())
    print("passed:" + hexlify(passed[0]).decode())


def rounded(q12, q8):
    """What travels of Q12 values, and what is read of Q8 ones, through an entry of a beacon."""
    import world
    from weave.mesh import Mesh

    m = Mesh(world.Radio(1), world.Nvs(), keys, 1, 8)
    m.clock.begin(0)
    i = m.room.add(2, 0)
    m.room.made[i] = 0
    b = m.pool.plain
    for v in q12:
        m.room.share(i, v, v, 0, v, 0)
        m.gossip._entry(b, 64, i, 0)
        print(b[68])
    for k in range(len(q8)):
        b[64:74] = bytes((0, 2, 0, k + 1, q8[k], 0, 0, 0, 0, 0))
        m.gossip._merge(b, 64, 0, i, 2)
        print(m.room.arousal[i])


for line in sys.stdin:
    a, b, *more = line.split()
    if a == "round":
        rounded(*[[int(v) for v in part.split(",")] for part in (b, more[0])])
    elif a == "open":
        f = bytearray(unhexlify(b))
        p = (len(f) - 24) // 16
        m = memoryview(f)
        ok = keys.seals[1].open(f, [m[16 : 16 + 16 * k] for k in range(p + 1)], p)
        print(hexlify(keys.pool.plain_at[p]).decode() if ok else "no")
    elif a == "command":
        body = unhexlify(b)
        keys.commands[1].sign(body, 0, len(body))
        print(hexlify(keys.commands[1].tag[:8]).decode())
    elif a == "mesh":
        mesh(b.split(","))
    elif a == "mix":
        print(mix(int(b)))
    else:
        header, payload = unhexlify(a), unhexlify(b)
        for k in range(16):
            keys.pool.work[k] = header[k]
        for k in range(len(payload)):
            keys.pool.plain[k] = payload[k]
        p = len(payload) // 16
        keys.seals[1].close(p)
        print(hexlify(keys.pool.frame[p]).decode())

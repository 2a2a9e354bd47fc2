"""Seals what it is told to, on the device's code: per line of stdin `HEADER_HEX PAYLOAD_HEX` -> frame in hex;
`open FRAME_HEX` -> payload or `no`; `command BODY_HEX` -> the command tag; `mix ID` -> its hash; `mesh FRAME_HEX,...` ->
what node 1 in its epoch 65540 makes of them: its table, the events obeyed, the first event it seals."""

import sys
from binascii import hexlify, unhexlify

from weave.mesh.keys import Keys
from weave.mesh.roster import mix

KEY = bytes(range(16))
COMMAND = bytes(range(240, 256))
keys = Keys(bytes((1, 7, 1, 1, 1, 0, 1, 0)) + KEY + bytes(16) + COMMAND + bytes(16))


def mesh(frames):
    """Frames on the air of a node that has just started."""
    import world
    from weave.mesh import Mesh

    nvs, radio = world.Nvs(), world.Radio(1)
    nvs.ints["epoch"] = 65539
    m = Mesh(radio, nvs, keys, 1, 8)
    said = []
    for kind in range(1, 8):
        m.on(
            kind,
            lambda buf, start, n, origin, at: said.append(
                "event:%d:%s:%d:%d" % (buf[6], hexlify(buf[start : start + n]).decode(), origin, at)
            ),
        )
    for f in frames:
        radio.put(unhexlify(f), b"\2\0\0\0\1\2", -60, 1000)
    m.step(1000)
    own = []  # one event leaves in a tick: those of others first
    for now in range(1020, 1120, 20):
        own += [f for f in radio.take() if f[2] == 2 and f[5] == 1]
        m.step(now)
    r = m.room
    for i in range(1, r.count):
        row = (r.node, r.version, r.arousal, r.fast, r.confidence, r.g, r.flags)
        print("row:" + ",".join(str(c[i]) for c in row))
    for s in said:
        print(s)
    print("sent:" + hexlify(own[0]).decode())


for line in sys.stdin:
    a, b = line.split()
    if a == "open":
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

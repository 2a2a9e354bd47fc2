"""Seals what it is told to, on the device's code: per line of stdin `HEADER_HEX PAYLOAD_HEX` -> frame in hex;
`open FRAME_HEX` -> payload or `no`; `command BODY_HEX` -> the command tag; `mix ID` -> its hash."""

import sys
from binascii import hexlify, unhexlify

from weave.mesh.keys import Keys
from weave.mesh.roster import mix

KEY = bytes(range(16))
COMMAND = bytes(range(240, 256))
keys = Keys(bytes((1, 7, 1, 1, 1, 0, 1, 0)) + KEY + bytes(16) + COMMAND + bytes(16))

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

"""The gateway stream: what this node hears of its cluster, numbered and kept in a ring until a host has it.

In: the mesh (its table, its events). Out: records of 16 bytes in frames; layouts and use: README.md. A generator, because
its state is nobody else's: send(now) every tick. `ask`: [number of the record to send next, of the one to stop before, of
the one to come]. The ring keeps 512 records. Nothing in the loop allocates.
"""

from array import array
from struct import pack_into

from weave.mesh.events import copy

_GATEWAY = const(7)  # kind of frame, as in README.md
_SLOTS = const(254)  # in `told` rows 0..253 of the table come first, slots of events after


def gateway(mesh, out, ask):
    room = mesh.room
    events = mesh.events
    pool = mesh.pool
    work = pool.work
    told = array("i", bytes(1088))  # versions of rows, sequence numbers of slots
    ring = bytearray(8192)
    body = out.body
    row = 0
    while True:
        now = yield
        for k in range(-2, len(events.frames)):  # two rows a tick: a version lasts longer than a round
            i = _SLOTS + k
            if k < 0:
                i = row = row + 1 if row < room.count - 1 else 0
            serial = room.version[i] if k < 0 else events.seq[k]
            if told[i] == serial:
                continue
            told[i] = serial
            o = ask[2] % 512 * 16 + 4
            pack_into(">I", ring, o - 4, mesh.clock.time(now))
            if k < 0:
                if mesh.gossip._entry(ring, o, i, now) == o:
                    continue
                ring[o + 10] = -room.rssi[i]
                ring[o + 11] = room.epoch[i]
            else:
                mesh.gossip._event(ring, o, k, now)
                copy(work, events.frames[k])
                mesh.keys.seals[work[14]].open(work, pool.work_at, work[15])
                for i in (6, 7, 16, 17):  # kind, length, two bytes of data: heart beats stay in the room
                    ring[o + 4] = pool.plain[i]
                    o += 1
                ring[o + 6] = 255  # no state has this RSSI
                ring[o + 7] = work[9]
            ask[2] += 1
        n = ask[0] = max(ask[0], ask[2] - 512)
        while n < ask[2] and n < ask[1] and out.used < 256:
            body[2] = n >> 8
            body[3] = n
            for i in range(16):
                body[4 + i] = ring[n % 512 * 16 + i]
            out.frame(_GATEWAY, 18)
            ask[0] = n = n + 1

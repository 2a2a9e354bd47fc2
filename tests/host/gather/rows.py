"""Packets of a room that never was."""

from pulseweave.gather.record import State

T = 1_790_000_000_000


def state(node, n, touched=True, epoch=7, **kw):
    values = {
        "arousal": 50 * touched,
        "fast": 60 * touched,
        "confidence": 200 * touched,
        "g": 3,
        "flags": int(touched),
        "rssi": -60,
        **kw,
    }
    return T + n * 450, State(node, n & 0xFFFF, epoch, n * 450 & 0x3FFFFFFF, **values)

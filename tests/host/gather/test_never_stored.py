"""What can never be stored: nothing that a sensor delivers, nothing of nobody."""

import random

from pulseweave.gather import record
from pulseweave.gather.record import State
from pulseweave.gather.store import open_store
from rows import T

ALLOWED = {
    "states": {
        "node",
        "life",
        "n",
        "at_ms",
        "arousal",
        "fast",
        "confidence",
        "g",
        "flags",
        "rssi",
        "visitor",
    },
    "events": {"node", "life", "n", "at_ms", "kind", "data"},
    "lives": {"node", "event", "life", "epoch", "first_n", "last_n", "last_ms", "pruned"},
    "visits": {"visitor", "node", "life", "from_n", "to_n", "last_n"},
    "gateways": {"node", "epoch", "next", "lost", "last_ms"},
    "seconds": {"at_s", "packets", "touched", "arousal", "confidence", "g"},
    "strands": {"node", "name", "x", "y", "z", "pixels"},
    "notes": {"at_ms", "kind", "words"},
    "settings": {"name", "value"},
    "outbox": {"host", "number", "payload"},
    "firmware": {"node", "at_ms", "board", "release", "crashes"},
    "pulseweave": {"version"},
}


def test_no_raw_sample_can_be_stored(tmp_path):
    """No column could hold one; and of every kind of frame a console sends, only gateway records become packets."""
    s = open_store(str(tmp_path / "room.db"))
    tables = {name for (name,) in s.db.all("select name from sqlite_master where type = 'table'")}
    assert tables == set(ALLOWED)
    for table in tables:
        assert {row[1] for row in s.db.all(f"pragma table_info({table})")} == ALLOWED[table], table
    from pulseweave import serial_link as link
    from pulseweave.gather.gateway import Gateway

    gateway = Gateway("test")
    answer = b'{"node": 3, "epoch": 65537, "next": 1, "mesh_ms": 5}'
    list(gateway.feed(link.encode_frame(link.ANSWER, 0, b"\x4d\x01" + answer), 0))
    assert gateway.known
    rng = random.Random(1)
    for kind in (*range(link.GATEWAY), *range(link.GATEWAY + 1, 256)):
        for _ in range(20):
            payload = rng.randbytes(rng.choice((4, 10, 18, 70, 92)))
            assert not list(gateway.feed(link.encode_frame(kind, 0, payload), 0)), kind
    s.close()


def test_nobody_there_means_nothing_known(store):
    wire = record.encode(State(4, 1, 7, 1000, 99, 98, 97, 5, 0, -60))
    p = record.decode(wire)
    assert (p.arousal, p.fast, p.confidence) == (0, 0, 0)
    store.write([(T, p)])
    assert store.db.all("select arousal, fast, confidence, visitor from states") == [(0, 0, 0, None)]

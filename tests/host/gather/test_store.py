"""The store: every packet once, gaps counted exactly, visits, a curve that heals."""

import itertools
import random

import pytest
from pulseweave.gather import export, record
from pulseweave.gather.record import Event
from pulseweave.gather.report import report
from pulseweave.gather.store import open_store
from rows import T, state


def test_every_packet_once_and_gaps_exactly(store):
    rng = random.Random(3)
    every = [state(node, n) for node in (1, 2, 3) for n in range(100, 400)]
    kept = [p for p in every if rng.random() < 0.8]
    again = kept + rng.sample(kept, 200)
    rng.shuffle(again)
    for i in range(0, len(again), 97):
        store.write(again[i : i + 97])
    counts = store.counts()
    assert counts["packets"] == len(kept)
    expected = 0
    for node in (1, 2, 3):
        serials = [p.serial for _, p in kept if p.node == node]
        gap = max(serials) - min(serials) + 1 - len(serials)
        assert store.missed()[node] == gap
        expected += gap
    assert counts["missed"] == expected
    store.write(every)  # what was missing comes late, the rest once more
    assert store.counts()["missed"] == 0 and store.counts()["packets"] == 900


def test_numbers_wrap_and_another_host_agrees(url):
    a = open_store(url)
    a.write([state(5, n) for n in range(65_500, 65_600)])
    b = open_store(url)  # begins after the numbers have wrapped
    assert b.write([state(5, n) for n in range(65_590, 65_700)]) == 100
    assert a.write([state(5, n) for n in range(65_650, 65_720)]) == 20
    assert a.counts()["packets"] == 220 and b.counts()["missed"] == 0
    assert a.db.one("select count(*) from lives") == 1
    a.close()
    b.close()


def test_a_restarted_node_leaves_no_gap(store):
    store.write([state(5, n, epoch=7) for n in range(700, 720)])
    later = [(t + 60_000, p) for t, p in (state(5, n, epoch=8) for n in range(512, 530))]
    store.write(later)
    store.write([state(5, 720, epoch=7)])  # the last of the old life comes late
    assert store.counts()["missed"] == 0 and store.counts()["packets"] == 39
    # the same without a known epoch: no time explains that the numbers went back
    store.write([state(6, n, epoch=0) for n in range(40_000, 40_010)])
    store.write([(t + 60_000 + 40_000 * 450, p) for t, p in (state(6, n, epoch=0) for n in range(100, 110))])
    assert store.counts()["missed"] == 0


def test_an_epoch_that_becomes_known_is_the_same_life(store):
    store.write([state(5, n, epoch=0) for n in range(10)])
    store.write([state(5, n, epoch=9) for n in range(5, 15)])
    store.write([state(5, n, epoch=0) for n in range(12, 20)])
    assert store.counts()["packets"] == 20 and store.db.one("select count(*) from lives") == 1


def test_visitors_get_a_new_number_with_every_touch(store):
    for touched, span in itertools.zip_longest(
        (True, False, True, True), ((0, 50), (50, 60), (60, 80), (100, 120))
    ):
        store.write([state(5, n, touched) for n in range(*span)])
    rows = store.db.all("select n, visitor from states order by n")
    ids = [v for _, v in rows]
    assert None not in ids[:50] and len(set(ids[:50])) == 1
    assert set(ids[50:60]) == {None}
    assert len(set(ids[60:80])) == 1 and len(set(ids[80:])) == 1, "a silence ends a visit"
    assert len({ids[0], ids[60], ids[80]}) == 3
    assert store.counts()["visitors"] == 3
    assert store.db.all("select from_n, last_n from visits order by from_n") == [
        (0, 49),
        (60, 79),
        (100, 119),
    ]


def test_two_hosts_agree_on_visitors(url):
    a, b = open_store(url), open_store(url)
    a.write([state(5, n) for n in (10, 11, 12)])
    b.write([state(5, n) for n in (11, 12, 13, 14)])
    a.write([state(5, n) for n in (13, 15)])
    a.write([state(5, 16, False)])
    b.write([state(5, 15), state(5, 16, False), state(5, 17)])
    rows = a.db.all("select n, visitor from states order by n")
    assert [n for n, _ in rows] == list(range(10, 18))
    assert len({v for n, v in rows if n < 16}) == 1 and rows[-1][1] != rows[0][1] and rows[-2][1] is None
    a.close()
    b.close()


def test_who_comes_late_joins_what_was_one_touch(url):
    a, b = open_store(url), open_store(url)
    b.write([state(5, n) for n in range(30, 60)])
    a.write([state(5, n) for n in range(0, 20)])  # far before what is known: its own visit, for now
    assert a.counts()["visitors"] == 2
    a.write([state(5, n) for n in range(20, 40)])
    assert a.counts()["visitors"] == 1 and len(a.db.all("select distinct visitor from states")) == 1
    b.write([state(5, n) for n in range(60, 70)])
    a.write([state(5, n) for n in range(60, 72)] + [state(5, 72, False), state(5, 73)])
    assert len(b.db.all("select distinct visitor from states where n < 72")) == 1
    assert b.db.all("select from_n, last_n from visits order by from_n") == [(0, 71), (73, 73)]
    a.close()
    b.close()


def test_how_far_a_gateway_has_come_is_kept_with_its_packets(store):
    store.write([state(1, 1)], [(1, 70_000, 40, 3, T)])
    store.write([state(1, 2)], [(1, 70_000, 30, 2, T)])
    assert store.resume(1, 70_000) == 40 and store.resume(1, 70_001) == 0
    assert store.counts()["lost"] == 5

    class Stop(Exception):
        pass

    def notes():
        yield (T, "a", "b")
        raise Stop

    with pytest.raises(Stop):
        store.write([state(1, 3)], [(1, 70_000, 99, 0, T)], notes())
    assert store.resume(1, 70_000) == 40 and store.counts()["packets"] == 2
    store.write([state(1, 3)])
    assert store.counts()["packets"] == 3


def test_the_curve_sums_what_is_there_and_heals_what_comes_late(store):
    def mine(n):
        return state(1, n, arousal=51, confidence=102, g=204)

    store.write([mine(n) for n in range(0, 2000)])
    store.write([state(2, n, False) for n in range(0, 2000)])
    end = T + 2000 * 450
    curve = store.curve(T, end, 100)
    assert 80 <= len(curve) <= 101 and sum(r[1] for r in curve) == 4000
    for _, _, touched, arousal, confidence, g in curve[1:-1]:
        assert abs(touched - 0.5) < 0.2 and arousal == 0.2 and confidence == 0.4 and 0.2 < g < 0.6
    store.write([state(3, n) for n in range(5, 10)])
    assert sum(r[1] for r in store.curve(T, end, 100)) == 4005
    assert sum(r[1] for r in store.curve(T, end, 100)) == 4005


def test_events_keep_their_head_and_only_that(store):
    def event(kind, data):
        record_ = record.encode(Event(9, 5, 7, 1000, kind, data))
        return T, record.decode(record_)

    store.write([event(1, b"\x03\x14")])
    store.write([event(1, b"\x03\x14")])
    assert store.db.all("select node, n, kind, data from events") == [(9, 5, 1, 0x314)]
    assert event(7, b"\x80\x07")[1].data == b"", "what a visitor's echo says stays in the room"


def test_events_of_any_two_bytes_are_kept_and_given_back(store):
    said = [0, 1, 0x314, 0x7FFF, 0x8000, 0xFF14, 0xFFFF]
    events = [
        (T + n, record.decode(record.encode(Event(9, n, 7, n, 2, data.to_bytes(2)))))
        for n, data in enumerate(said)
    ]
    store.write([*events, state(3, 1)])
    rows = [row for some in export.rows(store, "events", T, T + 1000) for row in some]
    assert [row[-1] for row in rows] == said and store.counts()["packets"] == 1
    text = report(store, T, T + 1000, "evening")
    assert "65300 (node 9)" in text and "-" not in text.partition("What happened")[2]


def test_what_a_node_told_last_is_kept_whatever_the_clock_says(store):
    """Twice within a millisecond, and by a host whose clock is behind."""
    for at_ms, release in ((1000, "bbbb"), (1000, "aaaa"), (1000, "cccc"), (400, "dddd"), (400, "dddd")):
        store.write([], firmware=[(5, at_ms, "esp32", release, 0), (6, at_ms, "esp32", "aaaa", 0)])
        assert store.firmware()[5] == ("esp32", release, 0)
    assert store.firmware(1000) == {n: ("esp32", r, 0) for n, r in ((5, "bbbb"), (6, "aaaa"))}


def test_sites_share_a_database_in_schemas_of_their_own(postgres_url):
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as c:
        c.execute("create schema north")
        c.execute("create schema south")
    north, south = (open_store(f"{postgres_url}?options=-csearch_path%3D{s}") for s in ("north", "south"))
    north.write([state(1, n) for n in range(10)])
    south.write([state(1, n) for n in range(5)])
    assert north.counts()["packets"] == 10 and south.counts()["packets"] == 5
    north.close()
    south.close()

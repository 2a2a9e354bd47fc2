"""One touch is one visitor, whoever heard which part of it and in whatever order."""

import random

from pulseweave.gather.store import open_store
from rows import state


def visits(store):
    return store.db.all("select from_n, last_n from visits order by from_n")


def visitors(store):
    return len(store.db.all("select distinct visitor from states where visitor is not null"))


def test_the_last_version_of_a_touch_comes_late(store):
    store.write([state(5, n) for n in range(10)] + [state(5, 11, False), state(5, 12, False)])
    store.write([state(5, 10)])
    assert visits(store) == [(0, 10)] and visitors(store) == 1
    store.write([state(5, 13)])
    assert visits(store) == [(0, 10), (13, 13)] and visitors(store) == 2


def test_parts_of_one_touch_are_joined_whatever_lies_between(store):
    store.write([state(5, n) for n in (1, 11, 21)])
    assert visitors(store) == 3
    store.write([state(5, n) for n in range(1, 22)])
    assert visits(store) == [(1, 21)] and visitors(store) == 1


def test_who_joins_two_that_were_joined_already(store):
    store.write([state(5, n) for n in (1, 11, 21, 31)])
    store.write([state(5, n) for n in (*range(22, 31), *range(12, 21), *range(2, 11))])
    assert visits(store) == [(1, 31)] and visitors(store) == 1


def test_a_host_that_was_away_for_a_while_goes_on_with_the_same_touch(url):
    a, b = open_store(url), open_store(url)
    a.write([state(5, n) for n in (10, 11, 12)])
    b.write([state(5, n) for n in (11, 12)])
    a.write([state(5, n) for n in range(13, 31)])  # b's cable is out meanwhile
    b.write([state(5, 31)])
    a.write([state(5, n) for n in range(31, 40)])
    b.write([state(5, 40)])
    b.write([state(5, 14)])
    assert visits(a) == [(10, 40)] and visitors(a) == 1
    a.close()
    b.close()


def test_any_order_gives_the_same_touches(tmp_path):
    rng = random.Random(8)
    touched = [n for n in range(300) if n % 60 < 40]
    expected = [(k, k + 39) for k in range(0, 300, 60)]
    for k in range(20):
        hosts = [open_store(str(tmp_path / f"{k}.db")) for _ in range(2)]
        parts = [[n for n in range(300) if rng.random() < 0.7] for _ in hosts]
        parts[1] += [n for n in range(300) if n not in parts[0]]
        for part, host in zip(parts, hosts, strict=True):
            part.sort()
            for i in range(0, len(part), 25):
                host.write([state(5, n, n in touched) for n in part[i : i + 25]])
        assert visits(hosts[0]) == expected, k
        of = dict(hosts[0].db.all("select n, visitor from states"))
        assert all(len({of[n] for n in range(a, b + 1)}) == 1 for a, b in expected)
        for host in hosts:
            host.close()

"""Killed in the middle of traffic: gather, broker, database. What was acknowledged is there once, the rest is counted."""

import random
import signal
import time

from pulseweave.gather.store import open_store
from running import eventually
from test_mqtt import Ear
from towers import accounted, gather


def test_gather_is_killed_again_and_again(towers, url):
    """40 s of traffic from two gateways that overlap, killed every few seconds, once for longer than the rings reach."""
    a, b = towers(1, range(1, 25), missing_share=0.05), towers(2, range(13, 37), missing_share=0.05)
    store = open_store(url)
    begin, rng = time.monotonic(), random.Random(1)
    process = gather((a, b), url)
    kept = 0
    while time.monotonic() - begin < 22:
        kept = flowing(url, kept)  # on a busy machine it takes its time to begin
        time.sleep(rng.uniform(1, 5))
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        process = gather((a, b), url)
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    time.sleep(14)  # 48 records a second: longer than a ring of 512
    process = gather((a, b), url)
    flowing(url, kept)
    time.sleep(4)
    have, union = accounted(store, a, b)
    assert 0 < len(union - have) < 0.5 * len(union), (len(have), len(union))
    assert store.counts()["lost"] > 0
    assert process.stop() == 0, process.said
    store.close()


def test_the_database_is_killed_in_the_middle(towers, postgres_server, postgres_url):
    t = towers(1, range(1, 25))
    process = gather([t], postgres_url)
    store = open_store(postgres_url)
    eventually(lambda: store.counts()["packets"] > 100, 30)
    store.close()
    for _ in range(2):
        time.sleep(3)
        postgres_server.kill()
        time.sleep(4)
        postgres_server.start()
    time.sleep(5)
    store = open_store(postgres_url)
    have, union = accounted(store, t)
    assert have == union, "while the database was away packets waited in gather"
    assert store.counts()["missed"] == 0 and store.counts()["lost"] == 0
    assert process.said.count("packets wait") <= 4, "said once, not every second"
    assert process.stop() == 0, process.said
    store.close()


def flowing(url, packets: int) -> int:
    """Wait for so many packets in the store; how many there are."""
    store = eventually(lambda: open_store(url), 10)
    count = eventually(lambda: (n := store.counts()["packets"]) > packets and n, 40)
    store.close()
    return count


def test_everything_is_killed_once(towers, postgres_server, postgres_url, broker):
    """Gather, broker and database in turn; the broker's letters and the store agree in the end."""
    t = towers(1, range(1, 17))
    ear = Ear(broker.port)
    process = gather([t], postgres_url, "--mqtt", broker.url)
    before = flowing(postgres_url, 100)
    broker.kill()
    time.sleep(2)
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    process = gather([t], postgres_url, "--mqtt", broker.url)
    flowing(postgres_url, before + 100)  # a gather that finds no database when it starts says so and ends
    broker.start()
    postgres_server.kill()
    time.sleep(3)
    postgres_server.start()
    time.sleep(6)
    store = open_store(postgres_url)
    have, union = accounted(store, t)
    assert have == union
    eventually(lambda: {(n, s) for n, _, s in ear.packets()} == have, 40)
    assert process.stop() == 0, process.said
    ear.close()
    store.close()


def test_two_gatherers_one_database_one_broker(towers, postgres_url, broker):
    """Two hosts' processes hear overlapping halves of a room: one of each packet, one number for each visitor."""
    a, b = towers(1, range(1, 25), missing_share=0.1), towers(2, range(9, 33), missing_share=0.1)
    ear = Ear(broker.port)
    first = gather([a], postgres_url, "--mqtt", broker.url, "--site", "hall")
    second = gather([b], postgres_url, "--mqtt", broker.url, "--site", "hall")
    store = eventually(lambda: open_store(postgres_url), 10)
    eventually(lambda: store.counts()["packets"] > 500, 40)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    time.sleep(3)
    first = gather([a], postgres_url, "--mqtt", broker.url, "--site", "hall")
    time.sleep(4)
    have, union = accounted(store, a, b)
    assert have == union
    assert store.db.one("select count(*) from lives where event = 0") == 32
    visitors = dict(store.db.all("select node, count(distinct visitor) from states group by node"))
    # a silence of a few versions, where neither heard one, is another visit; beyond that they agree
    assert sum(visitors.values()) <= 32 + 3, visitors
    eventually(lambda: {(n, s) for n, _, s in ear.packets()} == have, 40)
    assert len({letter["host"] for letter in ear.letters}) == 2
    assert first.stop() == 0 and second.stop() == 0, first.said + second.said
    ear.close()
    store.close()

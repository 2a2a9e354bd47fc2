"""Letters for the broker: whose writer has gone, whose database was moved away; a goodbye, and what Home Assistant keeps."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest
from pulseweave.gather import mqtt
from pulseweave.gather.discovery import device, room_device
from pulseweave.gather.mqtt import Teller
from pulseweave.gather.record import State
from pulseweave.gather.store import open_store
from pulseweave.gather.table import Table
from pulseweave.problem import Problem
from rows import state
from running import eventually


class Broker:
    """What a client publishes."""

    def __init__(self):
        self.letters, self.retained = [], {}
        self.messages = self._nothing()

    async def publish(self, topic, payload, qos=0, retain=False):
        if retain:
            self.retained[topic] = payload
        else:
            self.letters.append(json.loads(payload))

    async def subscribe(self, topics):
        pass

    async def _nothing(self):
        await asyncio.Event().wait()
        yield


def teller(path="off", port="a", table=None) -> Teller:
    return Teller("mqtt://127.0.0.1", "room", str(path), table or Table(), (), [port])


def posted(t: Teller, enough) -> list:
    """Letters until there are enough of them, for 3 s at most."""
    broker = Broker()

    async def run():
        posting = asyncio.create_task(t._post(broker))
        end = time.monotonic() + 3
        while time.monotonic() < end and not enough(broker.letters) and not posting.done():
            await asyncio.sleep(0.05)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)

    asyncio.run(run())
    return broker.letters


def test_letters_of_who_has_gone_are_taken_along_after_ten_minutes(tmp_path):
    path = tmp_path / "room.db"
    store = open_store(str(path))
    (letter,) = teller(path, "/dev/ttyUSB0").letters([state(5, 1)])
    host, number, payload = letter
    store.write((), outbox=[(host, number - 601_000_000, payload), (host, number, payload)])
    second = teller(path, "/dev/ttyUSB1")
    store.write((), outbox=second.letters([state(5, 2)]))
    letters = posted(second, lambda some: len(some) > 1)
    assert [x["packets"][0][2] for x in letters] == [2, 1], (
        "its own, and the old one; a fresh one is another's"
    )
    store.close()


def test_a_store_that_was_moved_away_is_opened_anew(tmp_path, monkeypatch):
    path = tmp_path / "room.db"
    store = open_store(str(path))
    t = teller(path)
    store.write((), outbox=t.letters([state(5, 1)]))
    opened, real = [], mqtt.database

    class Damaged:
        def all(self, *_):
            raise Problem("damaged")

        close = staticmethod(lambda: opened.append("closed"))

    def database(url):
        opened.append(url)
        return Damaged() if len(opened) == 1 else real(url)

    monkeypatch.setattr(mqtt, "database", database)
    assert len(posted(t, bool)) == 1 and opened == [str(path), "closed", str(path)]
    store.close()


def test_two_machines_of_one_site_have_names_of_their_own(monkeypatch):
    names = []
    for machine in ("north", "south"):
        monkeypatch.setattr("socket.gethostname", lambda machine=machine: machine)
        names.append(teller(port="/dev/ttyUSB0").host)
    assert names[0] != names[1]


def test_who_says_goodbye_says_it_of_its_nodes():
    table = Table()
    table.hear(round(time.time() * 1000), State(7, 1, 1, 0, 200, 200, 200, 0, 1, -60))
    t, broker = teller(table=table), Broker()

    async def run():
        telling = asyncio.create_task(t._tell(broker))
        while "pulseweave/room/node/7" not in broker.retained:
            await asyncio.sleep(0.02)
        assert broker.retained["pulseweave/room/node/7/available"] == b"online"
        t._stop.set()
        await telling

    asyncio.run(asyncio.wait_for(run(), 10))
    assert broker.retained["pulseweave/room/node/7/available"] == "offline"
    assert broker.retained["pulseweave/room/available"] == "offline"


def test_a_goodbye_of_another_of_this_site_is_taken_back_for_every_node():
    t, broker = teller(), Broker()
    t._sent["pulseweave/room/node/7/available"] = b"online"  # which the other's goodbye has overwritten

    async def goodbye():
        yield SimpleNamespace(topic="pulseweave/room/available", payload=b"offline")

    broker.messages = goodbye()
    asyncio.run(t._listen(broker))
    assert broker.retained == {"pulseweave/room/available": "online"} and not t._sent


def test_a_broker_that_cannot_be_a_name_is_said_and_tried_again():
    t = Teller("mqtt://a..b", "room", "off", Table(), (), ["a"])
    t.start()
    eventually(lambda: t.trouble, 5, 0.02)
    assert t._thread.is_alive()
    t.stop()


def test_no_node_of_one_site_is_the_room_of_another():
    topic, payload = room_device("hall_2")
    assert topic != device("hall", 2, "2")[0]
    known = json.loads(payload)["device"]["identifiers"]
    assert json.loads(device("hall_2", 1, "1")[1])["device"]["via_device"] == known[0]


@pytest.mark.parametrize("site", ["hälle", "٣", "ﬁ"])
def test_sites_are_plain_letters(site):
    with pytest.raises(Problem, match="letters, digits"):
        Teller("mqtt://h", site, "off", Table())

"""A real Mosquitto: discovery, availability, retained state, letters at QoS 1, a broker that dies, hostile payloads."""

import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from pulseweave.firmware import Firmware
from pulseweave.gather.mqtt import Teller, address
from pulseweave.gather.record import State
from pulseweave.gather.store import open_store
from pulseweave.gather.table import Table
from pulseweave.problem import Problem
from running import eventually

pytestmark = pytest.mark.server


class Ear:
    """Subscribes to everything with a session the broker keeps; comes back by itself."""

    def __init__(self, port, name="ear"):
        import paho.mqtt.client as paho

        self.topics, self.letters, self.retained = {}, [], set()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self.client.reconnect_delay_set(0.2, 0.5)
        self.client.on_connect = lambda c, *_: c.subscribe("#", 1)
        self.client.on_message = self._hear
        self.client.connect_async("127.0.0.1", port, keepalive=10)
        self.client.loop_start()

    def _hear(self, client, _, m):
        if m.topic.endswith("/packets"):
            self.letters.append(json.loads(m.payload))
        else:
            self.topics[m.topic] = m.payload
            if m.retain:
                self.retained.add(m.topic)

    def packets(self):
        return {tuple(p[:3]) for letter in self.letters for p in letter["packets"]}

    def say(self, topic, payload, **kw):
        self.client.publish(topic, payload, qos=1, **kw).wait_for_publish(10)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


@pytest.fixture
def ear(broker):
    e = Ear(broker.port)
    yield e
    e.close()


def state(node, n, **kw):
    values = {"arousal": 102, "fast": 60, "confidence": 204, "g": 51, "flags": 1, "rssi": -60, **kw}
    return round(time.time() * 1000), State(node, n & 0xFFFF, 7, 0, **values)


@pytest.fixture
def teller(broker, tmp_path):
    table = Table()
    t = Teller(
        broker.url, "hall", str(tmp_path / "room.db"), table, [{"node": 2, "name": "by the door"}], ["a"]
    )
    store = open_store(str(tmp_path / "room.db"))
    t.store = store

    def write(packets):
        for at_ms, p in packets:
            table.hear(at_ms, p)
        return store.write(packets, outbox=t.letters(packets))

    t.write = write
    yield t
    t.stop()
    store.close()


def test_home_assistant_is_told_which_firmware_a_node_runs(teller, ear):
    topic = "homeassistant/device/pulseweave_hall_1/config"
    teller.runs = runs = {}
    teller.start()
    teller.write([state(1, 5)])
    eventually(lambda: topic in ear.topics, 15)
    assert "sw_version" not in json.loads(ear.topics[topic])["device"]  # it has not said so yet
    runs[1] = Firmware("esp32-devkit", "0123abcd")
    eventually(lambda: "sw_version" in json.loads(ear.topics[topic])["device"], 15)
    about = json.loads(ear.topics[topic])["device"]
    assert (about["model"], about["sw_version"]) == ("esp32-devkit", "0123abcd")


def test_home_assistant_finds_every_node(teller, ear, broker):
    teller.start()
    teller.write([state(1, 5), state(2, 9, flags=0, arousal=0)])
    eventually(lambda: "pulseweave/hall/node/2" in ear.topics, 15)
    found = json.loads(ear.topics["homeassistant/device/pulseweave_hall_2/config"])
    assert found["device"]["name"] == "Strand by the door" and found["device"]["identifiers"] == [
        "pulseweave_hall_2"
    ]
    assert {c["platform"] for c in found["components"].values()} == {"sensor", "binary_sensor"}
    assert (
        all(c["unique_id"] for c in found["components"].values()) and found["origin"]["name"] == "pulseweave"
    )
    assert [a["topic"] for a in found["availability"]] == [
        "pulseweave/hall/available",
        "pulseweave/hall/node/2/available",
    ]
    assert found["state_topic"] == "pulseweave/hall/node/2"
    assert json.loads(ear.topics["pulseweave/hall/node/1"]) == {
        "touched": "ON", "arousal": 40, "confidence": 80, "damping": 20, "health": "well"
    }  # fmt: skip
    assert json.loads(ear.topics["pulseweave/hall/node/2"])["arousal"] is None
    assert ear.topics["pulseweave/hall/available"] == b"online"
    assert eventually(
        lambda: json.loads(ear.topics.get("pulseweave/hall/room", b"{}")).get("visitors") == 1, 10
    )
    late = Ear(broker.port, "late")  # comes later: all of it is retained
    eventually(lambda: "pulseweave/hall/node/1" in late.retained, 10)
    assert "homeassistant/device/pulseweave_hall_1/config" in late.retained
    late.close()
    ear.topics.clear()
    ear.say("homeassistant/status", "online")  # Home Assistant has started anew
    eventually(lambda: "homeassistant/device/pulseweave_hall_1/config" in ear.topics, 10)
    teller.stop()
    eventually(lambda: ear.topics["pulseweave/hall/available"] == b"offline", 10)


def test_who_dies_is_said_to_be_gone_and_who_lives_says_so(broker, ear, tmp_path):
    """The last will; and a second gatherer of the same site takes it back."""
    code = (
        "import sys, time\nfrom pulseweave.gather.mqtt import Teller\nfrom pulseweave.gather.table import Table\n"
        "t = Teller(sys.argv[1], 'hall', 'off', Table(), (), [sys.argv[2]])\nt.start()\ntime.sleep(60)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, broker.url, name]) for name in "ab"]
    try:
        eventually(lambda: ear.topics.get("pulseweave/hall/available") == b"online", 15)
        time.sleep(1.5)
        heard = []
        before = ear._hear
        ear.client.on_message = lambda c, u, m: (heard.append((m.topic, m.payload)), before(c, u, m))
        processes[0].kill()
        eventually(lambda: ("pulseweave/hall/available", b"offline") in heard, 15)
        eventually(lambda: ear.topics["pulseweave/hall/available"] == b"online", 10)
        processes[1].kill()
        eventually(lambda: ear.topics["pulseweave/hall/available"] == b"offline", 15)
        time.sleep(1)
        assert ear.topics["pulseweave/hall/available"] == b"offline"
    finally:
        for p in processes:
            p.kill()
            p.wait()


def test_a_broker_that_is_killed_loses_nothing(teller, ear, broker):
    teller.start()
    eventually(lambda: teller.connected, 15)
    sent, stop = set(), threading.Event()

    def traffic():
        n = 0
        while not stop.wait(0.05):
            batch = [state(node, n) for node in range(1, 9)]
            teller.write(batch)
            sent.update((p.node, p.epoch, p.serial) for _, p in batch)
            n += 1

    thread = threading.Thread(target=traffic)
    thread.start()
    for _ in range(3):
        time.sleep(3)
        broker.kill()
        time.sleep(1.5)
        broker.start()
    time.sleep(3)
    stop.set()
    thread.join()
    eventually(lambda: sent <= ear.packets(), 40)
    assert ear.packets() == sent and len(sent) > 500
    eventually(lambda: teller.store.db.one("select count(*) from outbox") == 0, 20)


def test_no_broker_yet_is_no_reason_to_stop(tmp_path, broker):
    broker.stop()
    t = Teller(broker.url, "hall", str(tmp_path / "room.db"), Table(), (), ["a"])
    store = open_store(str(tmp_path / "room.db"))
    t.start()
    packets = [state(1, n) for n in range(1200)]
    store.write(packets, outbox=t.letters(packets))
    eventually(lambda: t.trouble, 10)
    assert store.db.one("select count(*) from outbox") == 3
    broker.start()
    ear = Ear(broker.port)
    eventually(lambda: len(ear.packets()) == 1200, 40)
    ear.close()
    t.stop()
    store.close()


def test_hostile_payloads_are_ignored_and_said_once(teller, ear, broker, caplog):
    teller.start()
    teller.write([state(1, 1)])
    eventually(lambda: "pulseweave/hall/node/1" in ear.topics, 15)
    for payload in (b"\xff" * 200_000, b"", b"[" * 5000, b'{"a":' * 100, b"\x00", "ö".encode()):
        for topic in ("homeassistant/status", "pulseweave/hall/available", "pulseweave/hall/nonsense/#"[:-2]):
            ear.say(topic, payload)
    with socket.create_connection(("127.0.0.1", broker.port)) as raw:
        raw.sendall(b"\x10\xff\xff\xff\x7f" + b"garbage" * 1000)
    teller.write([state(1, 2, arousal=255)])
    eventually(lambda: json.loads(ear.topics["pulseweave/hall/node/1"])["arousal"] == 100, 15)
    assert teller.connected and teller.garbage >= 10
    assert len([r for r in caplog.records if "garbage" in r.message]) == 1


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "mqtt://h:port", "mqtt://h/topic", "h:1883", "mqtt://h:99999999"]
)
def test_bad_urls_are_one_line(url):
    with pytest.raises(Problem, match="write mqtt://") as e:
        address(url)
    assert "\n" not in str(e.value)


def test_sites_become_topics():
    for site in ("", "a/b", "a+b", "#", "x" * 41, "a b"):
        with pytest.raises(Problem, match="letters, digits"):
            Teller("mqtt://h", site, "off", Table())
    assert address("mqtts://me:s%40cret@h")["password"] == "s@cret" and address("mqtts://h")["port"] == 8883

"""Telling a broker: packets as letters at QoS 1, what every node is in as retained state, Home Assistant's discovery.

In: the table, and letters that are kept in the store in the same transaction as their packets. Out: topics, under
`pulseweave/SITE/` (README.md of this folder). A letter leaves the store when the broker has acknowledged it and has stayed
for a while: so it arrives at least once, whoever is killed. Runs in a thread of its own, reconnects for ever.
"""

import asyncio
import contextlib
import logging
import re
import socket
import sqlite3
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

import msgspec

from pulseweave.firmware import Firmware
from pulseweave.gather.discovery import device, room_device
from pulseweave.gather.record import State
from pulseweave.gather.store import Packet, database
from pulseweave.gather.store.db import Unavailable
from pulseweave.gather.table import Table, health, touched
from pulseweave.problem import Problem

log = logging.getLogger(__name__)
HOLD_S = 3.0  # a letter stays so long after its acknowledgement: a broker may die before it has passed it on
LETTER = 500  # packets
AT_ONCE = 20  # letters under way
FORSAKEN_US = (
    600_000_000  # a letter of another process that is older is taken along: its writer may be gone for good
)
MINE = "select host, number, payload from outbox where host = ? and number > ? order by number limit ?"
FORSAKEN = "select host, number, payload from outbox where host <> ? and number < ? order by number limit ?"
STATE_S = 1.0
AGAIN_S = (1, 2, 5, 10)
PATIENCE_S = 10.0
LONGEST = 256  # bytes of anything we listen to
encode = msgspec.json.Encoder().encode


def address(url: str) -> dict:
    """What aiomqtt.Client takes, from mqtt[s]://[USER:PASSWORD@]HOST[:PORT]. Raises Problem."""
    try:
        u = urlsplit(url)
        port = u.port
    except ValueError:
        u, port = urlsplit(""), None
    if u.scheme not in ("mqtt", "mqtts") or not u.hostname or u.path.strip("/") or u.query:
        raise Problem("--mqtt: write mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// for TLS")
    secure = u.scheme == "mqtts"
    return {
        "hostname": u.hostname,
        "port": port or (8883 if secure else 1883),
        "username": unquote(u.username) if u.username else None,
        "password": unquote(u.password) if u.password else None,
        "tls_context": ssl.create_default_context() if secure else None,
    }


class Teller:
    """`names`: this process's gateways, by which its letters are told from others'. `runs` is what firmware each
    node runs, where somebody asks them. Raises Problem for a bad URL or site."""

    def __init__(
        self, url: str, site: str, db: str, table: Table, strands: Iterable = (), names: Iterable[str] = ()
    ):
        try:
            import aiomqtt
        except ImportError:
            raise Problem("--mqtt needs aiomqtt: pip install 'pulseweave[gather]'") from None
        if not site or len(site) > 40 or not re.fullmatch("[A-Za-z0-9_-]+", site):
            raise Problem(f"--site {site!r}: letters, digits, - and _, at most 40: it becomes part of topics")
        self.mqtt = aiomqtt
        self.to = address(url)
        self.site, self.table, self.db_url = site, table, db
        self.names = {s["node"]: s["name"] for s in strands}
        self.runs: Mapping[int, Firmware] = {}
        self.host = f"{site}-{zlib.crc32(repr((socket.gethostname(), sorted(names))).encode()):08x}"
        self.base = f"pulseweave/{site}"
        self.trouble = ""
        self.connected = False
        self.told = self.garbage = 0
        self._number = 0
        self._sent: dict[str, bytes] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def letters(self, packets: list[Packet]) -> list[tuple[str, int, str]]:
        """What to keep in the outbox with these packets."""
        out = []
        for i in range(0, len(packets), LETTER):
            self._number = max(self._number + 1, time.time_ns() // 1000)
            rows = [
                [p.node, p.epoch, p.serial, at_ms, *p[4:]]
                for at_ms, p in packets[i : i + LETTER]
                if isinstance(p, State)
            ]
            if rows:
                body = {"host": self.host, "number": self._number, "packets": rows}
                out.append((self.host, self._number, encode(body).decode()))
        return out

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye; letters that were not acknowledged wait in the store."""
        self._stop.set()
        self._thread.join(10)

    # --- the thread

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                async with self._client() as client:
                    tries = 0
                    if self.trouble:
                        log.warning("the broker is there again")
                    self.connected, self.trouble = True, ""
                    await self._tell(client)
                    return
            except (self.mqtt.MqttError, OSError, ValueError) as e:  # ValueError: no name at all
                if not self.trouble:
                    log.warning("the broker: %s; trying again", e)
                self.trouble = f"the broker: {e}"
            finally:
                self.connected = False
            pause = AGAIN_S[min(tries, len(AGAIN_S) - 1)]
            tries += 1
            await asyncio.to_thread(self._stop.wait, pause)

    def _client(self):
        will = self.mqtt.Will(f"{self.base}/available", "offline", qos=1, retain=True)
        return self.mqtt.Client(
            **self.to, will=will, keepalive=15, timeout=PATIENCE_S, identifier=f"pulseweave-{self.host}-{time.time_ns():x}",
            max_queued_incoming_messages=64, logger=logging.getLogger("pulseweave.mqtt"),
        )  # fmt: skip

    async def _tell(self, client) -> None:
        """Everything, until we stop (then goodbye) or the connection breaks (then it raises)."""
        self._sent.clear()
        await client.subscribe([("homeassistant/status", 1), (f"{self.base}/available", 1)])
        await client.publish(f"{self.base}/available", "online", qos=1, retain=True)
        tasks = [
            asyncio.create_task(t) for t in (self._listen(client), self._states(client), self._post(client))
        ]
        try:
            while not self._stop.is_set():
                done, _ = await asyncio.wait(tasks, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
                for t in done:
                    t.result()
            nodes = [topic for topic in self._sent if topic.endswith("/available")]
            for topic in nodes:  # who gathers next may never hear of them
                await client.publish(topic, "offline", qos=1, retain=True)
            await client.publish(f"{self.base}/available", "offline", qos=1, retain=True)
        finally:
            for t in tasks:
                t.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, client) -> None:
        """Home Assistant begins anew: tell it all again. Somebody else of this site says goodbye: we are still here."""
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if len(payload) > LONGEST or payload not in (b"online", b"offline"):
                self.garbage += 1
                if self.garbage == 1:
                    log.warning("garbage on %s (%d bytes); said once", str(message.topic)[:60], len(payload))
            elif str(message.topic) == "homeassistant/status" and payload == b"online":
                self._sent.clear()
            elif (
                str(message.topic) == f"{self.base}/available"
                and payload == b"offline"
                and not self._stop.is_set()
            ):
                await client.publish(f"{self.base}/available", "online", qos=1, retain=True)
                self._sent.clear()  # it has said the same of its nodes

    async def _states(self, client) -> None:
        """Once a second: discovery of who is new, and what has changed."""
        while True:
            now_ms = round(time.time() * 1000)
            rows = self.table.rows(now_ms)
            await self._retain(client, *room_device(self.site))
            for node in list(self.table.now):
                name = self.names.get(node, str(node))
                await self._retain(client, *device(self.site, node, name, self.runs.get(node)))
                row = rows.get(node)
                await self._retain(
                    client, f"{self.base}/node/{node}/available", b"online" if row else b"offline"
                )
                if row:
                    s = row.state
                    state = {
                        "touched": "ON" if touched(row) else "OFF",
                        "arousal": round(s.arousal / 2.55) if touched(row) else None,
                        "confidence": round(s.confidence / 2.55),
                        "damping": round(s.g / 2.55),
                        "health": health(row, now_ms) or "well",
                    }
                    await self._retain(client, f"{self.base}/node/{node}", encode(state))
            there = [r for r in rows.values() if touched(r)]
            room = {
                "nodes": len(rows),
                "visitors": len(there),
                "arousal": round(sum(r.state.arousal for r in there) / len(there) / 2.55) if there else None,
                "damping": round(sum(r.state.g for r in rows.values()) / len(rows) / 2.55) if rows else None,
            }
            await self._retain(client, f"{self.base}/room", encode(room))
            await asyncio.sleep(STATE_S)

    async def _retain(self, client, topic: str, payload: bytes) -> None:
        if self._sent.get(topic) != payload:
            await client.publish(topic, payload, qos=1, retain=True)
            self._sent[topic] = payload

    async def _post(self, client) -> None:
        """Letters, the oldest first, until there are none; then again."""
        if self.db_url == "off":
            await asyncio.Event().wait()
        db = None
        acknowledged: dict[tuple[str, int], float] = {}
        under_way: set[tuple[str, int]] = set()

        async def post(key: tuple[str, int], payload: str) -> None:
            await client.publish(f"{self.base}/packets", payload, qos=1)
            acknowledged[key] = time.monotonic()
            under_way.discard(key)
            self.told += 1

        try:
            while True:
                await asyncio.sleep(0.3)
                try:
                    if db is None:
                        db = await asyncio.to_thread(database, self.db_url)
                    over = [n for n, at in acknowledged.items() if time.monotonic() - at > HOLD_S]
                    if over:
                        await asyncio.to_thread(self._throw_away, db, over)
                        for n in over:
                            del acknowledged[n]
                    mine = [n for host, n in (*acknowledged, *under_way) if host == self.host]
                    last = max(mine, default=-1)
                    waiting = await asyncio.to_thread(db.all, MINE, (self.host, last, AT_ONCE))
                    old = time.time_ns() // 1000 - FORSAKEN_US
                    waiting += await asyncio.to_thread(db.all, FORSAKEN, (self.host, old, AT_ONCE))
                except (Unavailable, Problem, sqlite3.Error):  # the collector has said so
                    if db:  # it may be another file next time
                        db.close()
                        db = None
                    continue
                letters = {
                    (host, n): payload for host, n, payload in waiting if (host, n) not in acknowledged
                }
                under_way.update(letters)
                await asyncio.gather(*(post(key, payload) for key, payload in letters.items()))
        finally:
            if db:
                with contextlib.suppress(Exception):
                    db.close()

    @staticmethod
    def _throw_away(db, keys: list[tuple[str, int]]) -> None:
        with db.transaction():
            db.many("delete from outbox where host = ? and number = ?", keys)

"""Miniature gateways (board.py) on real TCP lines, and the books on every packet there has been."""

import random
import socket
import threading
import time

from board import Board
from pulseweave.gather.record import State, encode
from running import Running, eventually
from servers import free_port

STARTED: list[Running] = []


class Tower(threading.Thread):
    """A gateway node on a TCP port: hears `nodes` at 2 Hz each, whether somebody listens or not; knows all it has heard."""

    def __init__(self, number, nodes, missing_share=0.0):
        super().__init__(daemon=True)
        self.board = Board(number, 65_537)
        self.board.on = True
        self.nodes, self.rng = nodes, random.Random(number)
        self.missing_share = missing_share
        self.port = free_port()
        self.server = socket.create_server(("127.0.0.1", self.port))
        self.server.setblocking(False)
        self.stopping = self.silent = False
        self.heard = set()
        self.start()

    @property
    def url(self):
        return f"socket://127.0.0.1:{self.port}"

    def run(self):
        line, k = None, 0
        begin = time.monotonic()
        while not self.stopping:
            if line is None:
                try:
                    line, _ = self.server.accept()
                    line.setblocking(False)
                except BlockingIOError:
                    pass
            n = int((time.monotonic() - begin) * 2)
            while k <= n and not self.silent:
                for node in self.nodes:
                    if self.rng.random() >= self.missing_share:
                        ms = int((time.monotonic() - begin) * 1000)
                        self.board.records.append(encode(State(node, k, 7, ms, 50, 60, 200, 3, 1, -60)))
                        self.heard.add((node, k))
                k += 1
            if line:
                try:
                    data = line.recv(65_536)
                    if not data:
                        raise ConnectionError
                    self.board.typed(data)
                except BlockingIOError:
                    pass
                except OSError:
                    line.close()
                    line = None
            out = self.board.step() if line else b""
            if line and out:
                try:
                    line.setblocking(True)
                    line.sendall(out)
                    line.setblocking(False)
                except OSError:
                    line.close()
                    line = None
            time.sleep(0.05)
        if line:
            line.close()
        self.server.close()


def gather(towers, db, *more):
    ports = [w for t in towers for w in ("--port", t.url)]
    STARTED.append(Running("gather", *ports, "--db", db, "--web", "off", *more))
    return STARTED[-1]


def kept(store):
    rows = store.db.all("select node, n from states")
    assert len(rows) == len(set(rows)), "a packet is there twice"
    return set(rows)


def reached(store, tower):
    """The number after the newest packet that the store knows of this gateway's."""
    return store.db.one("select max(next) from gateways where node = ?", (tower.board.node,))


def drained(store, *towers):
    """Everybody falls silent; what is on its way arrives."""
    for t in towers:
        t.silent = True
    union = set().union(*(t.heard for t in towers))
    eventually(lambda: all(reached(store, t) == len(t.board.records) for t in towers), 30)
    eventually(lambda: store.counts()["packets"] == len(union & kept(store)) and time.sleep(2.5) is None, 20)
    return union


def accounted(store, *towers):
    """Every packet that was ever heard is kept, or counted: by its number, or by its gateway."""
    union = drained(store, *towers)
    have = kept(store)
    assert have <= union
    for t in towers:
        lost = store.db.one("select sum(lost) from gateways where node = ?", (t.board.node,)) or 0
        assert reached(store, t) == len(t.board.records)
        assert len(t.heard - have) <= lost, "a gateway's packet is neither kept nor counted"
    expected = sum(
        max(n for m, n in have if m == node)
        - min(n for m, n in have if m == node)
        + 1
        - sum(m == node for m, _ in have)
        for node in {m for m, _ in have}
    )
    assert store.counts()["missed"] == expected
    return have, union

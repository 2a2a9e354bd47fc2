"""From gateways to the store: packets get a time, wait together, and are kept once a second, a thread for each.

What was kept is what was acknowledged: how far each gateway has come is written in the same transaction, so after a crash
every gateway is asked from there. While the store cannot take anything packets wait here; where too many wait, gateways
are no longer read, and what their rings then lose is counted by them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from pulseweave.gather.gateway import Gateway
from pulseweave.gather.inquiry import Inquiry, Told
from pulseweave.gather.line import LineLost, open_line
from pulseweave.gather.record import Event, State
from pulseweave.gather.store import Packet, Store
from pulseweave.gather.store.db import Unavailable
from pulseweave.problem import Problem

log = logging.getLogger(__name__)
WAITING = 400_000  # packets kept in memory while the store is away
AT_ONCE = 20_000  # packets in one transaction
FLUSH_S = 1.0
AGAIN_S = 1.0
JUMP_S = 2.0


class Collector:
    """`listener(at_ms, packet)` hears every packet at once; `outbox(packets)` gives letters to keep with them."""

    def __init__(
        self,
        store: Store | None,
        listener: Callable[[int, State | Event], None] | None = None,
        outbox: Callable[[list[Packet]], Iterable] | None = None,
        wall: Callable[[], float] = lambda: time.time() - time.monotonic(),
    ):
        self.store, self.listener, self.outbox, self.wall = store, listener, outbox, wall
        self.gateways: list[Gateway] = []
        self.told = Told()  # which firmware each node runs, and its crashes
        self.kept = self.heard = 0
        self.trouble = ""  # of the store, in words
        self._broken = False  # it needs a person; whether somebody has mended it is seen at every attempt
        self.failed: list[Problem] = []  # gateways that can never work
        self.notes: list[tuple[int, str, str]] = []
        self._waiting: list[Packet] = []
        self._places: dict[tuple[int, int], int] = {}
        self._lost: dict[tuple[int, int], int] = {}
        self._told: dict[tuple[int, int], int] = {}
        self._lock, self._store_lock = threading.Lock(), threading.Lock()
        self._offset = wall()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    # --- packets in

    def gateway(self, name: str) -> Gateway:
        """A gateway that goes on where the store knows it to be."""
        g = Gateway(name, self._resume)
        g.inquiry = Inquiry(self.told)
        self.gateways.append(g)
        return g

    def _resume(self, node: int, epoch: int) -> int:
        place = self._places.get((node, epoch))
        try:
            with self._store_lock:
                kept = self.store.resume(node, epoch) if self.store else 0
        except (Unavailable, Problem) as e:
            if place is None:  # only the store knows: wait for it
                raise Unavailable(str(e)) from e
            return place
        return max(kept, place or 0)

    def take(self, g: Gateway, data: bytes, now_s: float) -> None:
        """Bytes from a gateway's line."""
        offset = self.wall()
        if abs(offset - self._offset) > JUMP_S:
            self.note("clock", f"this host's clock moved by {offset - self._offset:+.1f} s", now_s)
            self._offset = offset
        packets = [(round((g.when(p) + offset) * 1000), p) for p in g.feed(data, now_s)]
        if not g.known:
            return
        key = g.node, g.epoch
        with self._lock:
            self._waiting += packets
            self._places[key] = g.next
            self._lost[key] = self._lost.get(key, 0) + g.lost - self._told.get((id(g), 0), 0)
            self._told[id(g), 0] = g.lost
            self.heard += len(packets)
        if self.listener:
            for at_ms, p in packets:
                self.listener(at_ms, p)

    @property
    def full(self) -> bool:
        """Too much waits: do not read on."""
        return len(self._waiting) > WAITING

    def note(self, kind: str, words: str, now_s: float | None = None) -> None:
        """Something to find later in the store; said in the log as well."""
        log.warning("%s: %s", kind, words)
        now_s = time.monotonic() if now_s is None else now_s
        with self._lock:
            self.notes.append((round((now_s + self.wall()) * 1000), kind, words))

    # --- packets out

    def flush(self) -> int:
        """Keep what waits; returns how many packets were new. Raises Unavailable (everything waits on) or Problem."""
        new = 0
        while True:
            with self._lock:
                batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                more = bool(self._waiting)
                places = (
                    {} if more else dict(self._places)
                )  # only with the last of the packets they stand for
                lost = {} if more else {k: n for k, n in self._lost.items() if n}
                notes, self.notes = self.notes, []
            firmware = self.told.news()
            if not (batch or places or notes or firmware):
                return new
            now_ms = round((time.monotonic() + self.wall()) * 1000)
            rows = [(*key, place, lost.get(key, 0), now_ms) for key, place in places.items()]
            try:
                if self.store:
                    with self._store_lock:
                        if self._broken:
                            self.store.again()
                            self._broken = False
                        letters = self.outbox(batch) if self.outbox and batch else ()
                        newest = dict(firmware)  # of each node
                        kinds = [(node, now_ms, *said.row()) for node, said in newest.items()]
                        n = self.store.write(batch, rows, notes, letters, kinds)
                        new, self.kept = new + n, self.kept + n
            except BaseException:
                self.told.again(firmware)
                with self._lock:
                    self._waiting, self.notes = batch + self._waiting, notes + self.notes
                raise
            with self._lock:
                for key, n in lost.items():
                    self._lost[key] -= n
            if not more:
                return new

    # --- threads

    def start(self, names: Iterable[str]) -> None:
        """A thread for every line, and one that writes."""
        for name in names:
            self._thread(self._listen, self.gateway(name))
        self._thread(self._write)

    def _thread(self, what, *arguments) -> None:
        thread = threading.Thread(target=what, args=arguments, name=what.__name__, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self, g: Gateway) -> None:
        said = ""
        while not self._stop.is_set():
            line = None
            try:
                line = open_line(g.name)
                g.run = line.run
                said = ""
                while not self._stop.is_set():
                    if self.full:
                        self._stop.wait(0.5)
                        continue
                    if question := g.wants(time.monotonic()):
                        line.write(question)
                    self.take(g, line.read(), time.monotonic())
            except (LineLost, Unavailable) as e:
                g.trouble = str(e)
                if said != "lost":
                    log.warning("gateway %s: %s; trying again", g.name, e)
                    said = "lost"
            except Problem as e:
                g.trouble = str(e)
                self.failed.append(e)
                return
            finally:
                if line:
                    line.close()
                g.lost_line()
            self._stop.wait(AGAIN_S)

    def _write(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self.attempt()

    def attempt(self) -> bool:
        """flush(), and what goes wrong is said once; False where everything waits on."""
        try:
            self.flush()
        except (Unavailable, Problem) as e:
            self._broken |= isinstance(e, Problem)
            if not self.trouble:
                log.error("the store: %s; %d packets wait", e, len(self._waiting))
            self.trouble = str(e)
            return False
        except Exception as e:
            log.exception("the store failed")
            self.trouble = f"{type(e).__name__}: {e}"
            return False
        if self.trouble:
            log.warning("the store takes packets again")
            self.trouble = ""
        return True

    def stop(self) -> bool:
        """End the threads and keep what waits; False where the store would not take it."""
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        if any(t.is_alive() and t.name == "_write" for t in self._threads):
            self.trouble = self.trouble or "the database does not answer"
            return False
        return self.attempt()

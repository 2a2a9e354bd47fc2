"""The air between the nodes: which frame is heard, when, and what is lost on the way.

In:  positions in metres; per 20 ms step the frames that nodes gave to their radios.
Out: who heard each of them, ordered by arrival; statistics.

Model, one class of effect each: links that differ in strength (links.py), a fade per frame, Gilbert-Elliott bursts per link,
CSMA/CA of IEEE 802.11 DSSS at 1 Mbit/s (sense, defer, back off), hidden terminals (whoever is not sensed is not waited for),
collisions with capture, half duplex, partitions, jammers, attackers. Every random number comes from a Philox stream keyed by
seed and step, drawn in the order of (node, order): the result is a function of seed and frames, not of how many processes
the nodes run in.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from pulseweave.sim.links import Links, Streams

SLOT_MS = 20.0
DIFS_MS = 0.05
BACKOFF_MS = 0.02  # one contention slot
WINDOW = 31  # CWmin of DSSS
BLIND_MS = 0.02  # a transmission younger than this is not sensed yet
PATIENCE_MS = 60.0  # the radio gives up waiting for a quiet channel after this
CAPTURE_DB = 8.0  # a frame survives an interferer this much weaker
SENSITIVITY_DBM = -94.0  # half of the frames pass, 802.11b at 1 Mbit/s
FLOOR_DBM = -104.0  # nothing weaker is modelled


def airtime_ms(n: int, mbps: float = 1.0) -> float:
    """Time on the air of an ESP-NOW frame of n payload bytes: preamble, MAC header, vendor element, FCS (96 B: 1.30 ms)."""
    return 0.192 + (n + 42.5) * 8.0e-3 / mbps


@dataclass
class Stats:
    """Totals since the start. `lost`: receptions in range that failed, for any reason; `collisions`: those of them that
    another transmission (or the receiver's own) spoilt; airtime_fraction_max: share of time the busiest place hears
    somebody."""

    sent: int = 0
    received: int = 0
    lost: int = 0
    collisions: int = 0
    deferred: int = 0
    airtime_fraction_max: float = 0.0


@dataclass(slots=True)
class Flight:
    """A frame on the air: station, start and end in ms, the frame, the index it claims to come from."""

    station: int
    start: float
    end: float
    frame: bytes
    source: int


@dataclass(slots=True)
class Heard:
    """A frame and all who heard it: the node it claims to come from, when it ended (ms), int[m] listeners in
    ascending order, int[m] RSSI (dBm, below 0)."""

    source: int
    at_ms: float
    frame: bytes
    listeners: np.ndarray
    rssi: np.ndarray


class Jammer:
    """A transmitter of noise at `place` (m): dbm at 1 m distance, on from `begin` to `end` ms, a share `duty` of the
    slots.
    """

    def __init__(self, place, dbm: float = -20.0, begin: float = 0.0, end: float = np.inf, duty: float = 1.0):
        self.place, self.dbm, self.begin, self.end, self.duty = (
            np.asarray(place, float),
            dbm,
            begin,
            end,
            duty,
        )


class Radio(Links):
    """The air of one run.

    seed: any integer. positions: float[n, 2 or 3], metres. loss: None for the physical model, or the probability 0..1 with
    which anything in range is lost (no fades and bursts then; collisions stay). range_m: with it, links are in range by
    distance alone. tx_dbm, exponent, shadow_db, skew_db, fade_db: transmit power, path-loss exponent, standard deviations of
    shadowing (both directions alike), of the difference between directions, of the fade per frame. bursts: mean seconds
    between bad spells of a link, their mean length, the loss inside; None for none. attackers: places of stations that only
    `attack` uses (indices n, n+1, ...): a function (tick, t_ms, flights that ended in the last step) -> frames to inject as
    (station, start_offset_ms, frame, the index it claims to come from).
    """

    def __init__(
        self,
        seed: int,
        positions,
        *,
        loss: float | None = None,
        range_m: float | None = None,
        tx_dbm: float = 15.0,
        exponent: float = 3.0,
        shadow_db: float = 3.0,
        skew_db: float = 1.0,
        fade_db: float = 2.0,
        bursts: tuple[float, float, float] | None = (20.0, 0.3, 0.8),
        mbps: float = 1.0,
        attackers: Iterable = (),
        slot_ms: float = SLOT_MS,
    ):
        places = np.atleast_2d(np.asarray(positions, float))
        if places.ndim != 2 or places.shape[1] not in (2, 3) or not len(places):
            raise ValueError(f"positions must be n x 2 or n x 3 metres, not {np.shape(positions)}")
        if loss is not None and not 0.0 <= loss <= 1.0:
            raise ValueError(f"loss must be 0..1, not {loss}")
        super().__init__(int(seed), places, attackers, tx_dbm, exponent, shadow_db, skew_db, range_m)
        self.loss, self.mbps, self.slot_ms = loss, mbps, slot_ms
        self.fade_db, self.bursts = (0.0, None) if loss is not None else (fade_db, bursts)
        self.jammers: list[Jammer] = []
        self.attack: Callable[[int, float, list[Flight]], Iterable[tuple[int, float, bytes, int]]] | None = (
            None
        )
        self.link(SENSITIVITY_DBM if loss is not None else FLOOR_DBM)
        self._air: list[Flight] = []  # scheduled and not yet decided
        self._past: list[Flight] = []  # decided, may still overlap others
        self._heard: list[Flight] = []  # what ended in the last step
        self._busy = np.zeros(len(self.places))
        self._elapsed = self._now = 0.0
        self.stats = Stats()
        self._streams = Streams(self.seed, 2)

    def jam(self, place, seconds: float, dbm: float = -20.0):
        """Noise from `place` (m) for some seconds from now on."""
        self.jammers = [j for j in self.jammers if j.end > self._now]
        self.jammers.append(Jammer(place, dbm, self._now, self._now + 1000.0 * seconds))

    @property
    def still(self) -> bool:
        """Nothing is on its way, and no attacker is at work: without new frames nothing will be heard."""
        return not self._air and (self.attack is None or getattr(self.attack, "quiet", False))

    def statistics(self) -> dict:
        """Stats as a dict: sent, received, lost, collisions, deferred, airtime_fraction_max."""
        if self._elapsed:
            self.stats.airtime_fraction_max = float(self._busy.max() / self._elapsed)
        return asdict(self.stats)

    # --- one step -------------------------------------------------------------------------------------------

    def step(self, tick: int, t_ms: float, sent: list[tuple[int, float, bytes]]) -> list[tuple]:
        """As `receive`, listener by listener: (dst, src, rssi_dbm, t_arrival_ms, frame)."""
        return [
            (dst, h.source, rssi, h.at_ms, h.frame)
            for h in self.receive(tick, t_ms, sent)
            for dst, rssi in zip(h.listeners.tolist(), h.rssi.tolist())
        ]

    def receive(self, tick: int, t_ms: float, sent: list[tuple[int, float, bytes]]) -> list[Heard]:
        """The frames of one slot: `sent` = (node, start_offset_ms, frame) in the order of (node, order).

        Returns what arrived by the slot's end, whoever heard it; the rest follows in later steps.
        """
        queue = [(node, t_ms + offset, bytes(frame), node) for node, offset, frame in sent]
        if self.attack:
            for station, offset, frame, source in self.attack(tick, t_ms, self._heard):
                queue.append((station, t_ms + offset, bytes(frame), source))
        self._pass(t_ms)
        end = t_ms + self.slot_ms
        if not queue and not any(f.end <= end for f in self._air):
            self._heard = []
            return []  # a quiet slot draws nothing: its stream need not be made
        rng = self._streams.at(tick)
        if queue:
            self._schedule(rng, queue)
        done = [f for f in self._air if f.end <= end]
        self._heard = done
        if not done:
            return []
        done.sort(key=lambda f: (f.end, f.station))
        self._air = [f for f in self._air if f.end > end]
        around = self._past + done + self._air
        arrived = [h for f in done if (h := self._arrive(rng, f, around))]
        oldest = min((f.start for f in self._air), default=end)
        self._past = [f for f in self._past + done if f.end > oldest - 5.0]
        arrived.sort(key=lambda h: (h.at_ms, h.source))
        return arrived

    def rest(self, tick: int, t_ms: float) -> None:
        """`receive` of a slot in which the air is still and nothing is sent: time goes by."""
        if self.attack and self._heard:
            self.attack(tick, t_ms, self._heard)
        self._heard = []
        self._pass(t_ms)

    def _pass(self, t_ms: float) -> None:
        self._elapsed += self.slot_ms
        self._now = t_ms

    def _schedule(self, rng, queue):
        """CSMA/CA: each frame waits for what its sender can sense, and for the sender's own frames before it."""
        backoff = rng.integers(0, WINDOW + 1, (len(queue), 4))
        waiting = [(start, k) for k, (_, start, _, _) in enumerate(queue)]
        waiting.sort()
        tries = [0] * len(queue)
        while waiting:
            start, k = waiting.pop(0)
            station, asked, frame, source = queue[k]
            busy = 0.0
            for f in self._air:
                if f.end <= start:
                    continue
                if f.station == station or (f.start < start - BLIND_MS and self.senses[f.station, station]):
                    busy = max(busy, f.end)
            if busy > start and start - asked < PATIENCE_MS:
                self.stats.deferred += 1
                wait = backoff[k, tries[k] & 3] * BACKOFF_MS * (1 << min(tries[k] >> 2, 3))
                tries[k] += 1
                waiting.append((busy + DIFS_MS + wait, k))
                waiting.sort()
                continue
            length = airtime_ms(len(frame), self.mbps)
            self._air.append(Flight(station, start, start + length, frame, source))
            self.stats.sent += 1
            self._busy[self.audible[station]] += length
            self._busy[station] += length

    def _arrive(self, rng, f: Flight, around: list[Flight]) -> Heard | None:
        """Decide for each listener of one frame; Gilbert-Elliott state moves on as a two-state Markov chain in time."""
        k = self.hears[f.station]
        if not len(k):
            return None
        power = self.loud[f.station]
        if self.fade_db:
            power = power + self.fade_db * rng.standard_normal(len(k))
        u = rng.random((3 if self.bursts else 2, len(k)))
        if self.loss is not None:
            lost = u[0] < self.loss
        else:
            lost = u[0] > 1.0 / (1.0 + np.exp(SENSITIVITY_DBM - power))
            if self.bursts:
                lost |= self._burst(f, u[1], self.bursts) & (u[2] < self.bursts[2])
        for j in self.jammers:
            if j.begin <= f.end and f.start < j.end:
                noise = j.dbm - 10.0 * self.exponent * np.log10(
                    np.maximum(
                        np.linalg.norm(self.places[k] - np.resize(np.append(j.place, 0.0), 3), axis=1), 0.3
                    )
                )
                lost |= (power - noise < CAPTURE_DB) & (rng.random(len(k)) < j.duty)
        others = [g for g in around if g.start < f.end and g.end > f.start and g is not f]
        if others:
            spoilt = np.zeros(len(k), bool)
            for g in others:
                spoilt |= (power - self.rssi[g.station, k] < CAPTURE_DB) & (
                    self.group[g.station] == self.group[k]
                )
                spoilt |= k == g.station  # half duplex
            self.stats.collisions += int(np.count_nonzero(spoilt & ~lost))
            lost |= spoilt
        good = (~lost).nonzero()[0]
        self.stats.received += len(good)
        self.stats.lost += len(k) - len(good)
        if not len(good):
            return None
        rssi = np.minimum(np.rint(power[good]).astype(np.int64), -1)
        return Heard(f.source, f.end, f.frame, k[good], rssi)

    def _burst(self, f: Flight, u: np.ndarray, bursts: tuple) -> np.ndarray:
        """bool[m]: which links of f's station are in a bad spell at its end, by chance `u`; they are kept."""
        apart, length, _ = bursts
        share = length / (apart + length)
        keep = float(np.exp(-(f.end - self.when[f.station]) * 1e-3 * (1 / apart + 1 / length)))
        bad = u < share + (self.bad[f.station] - share) * keep
        self.bad[f.station], self.when[f.station] = bad, f.end
        return bad

"""The damping of one node, on both ports: what must hold for every input, over seeds, and without a byte of heap."""

from array import array

from heap import locked
from weave.damp import JUMP, NEUTRAL, RHO_MIN, Damp
from weave.damp.crowd import Crowd, beyond
from weave.damp.law import Law

ONE = 4096


class Dice:
    """Random numbers below 2**16 that fit 31 bits (a 20-bit congruence)."""

    def __init__(self, seed):
        self.x = (seed * 7919 + 12345) & 0xFFFFF

    def below(self, n):
        self.x = (self.x * 1021 + 7) & 0xFFFFF
        return (self.x >> 4) * n >> 16


REST = 971  # what a visitor at rest reads


class Estimate:
    def __init__(self, rest=REST):
        self.rest = self.arousal = self.fast = rest
        self.confidence = self.fast_confidence = 200


class Table:
    def __init__(self, n, node=1, fast=REST):
        self.count = n
        self.node = array("H", [node] + [node + k for k in range(1, n)])
        self.arousal = array("H", [fast] * n)
        self.fast = array("H", [fast] * n)
        self.g = array("H", [0] * n)
        self.confidence = bytearray([200] * n)
        self.flags = bytearray(n)
        self.age = array("i", [0] * n)

    def say(self, fast):
        for i in range(self.count):
            self.fast[i] = fast


class Clock:
    """Drives a Damp; keeps the table's own row as node.py does."""

    def __init__(self, damp, affect, room):
        self.damp, self.affect, self.room = damp, affect, room
        self.now = 0
        self.contact = 1

    def run(self, ticks):
        d, a, r = self.damp, self.affect, self.room
        now = self.now
        for _ in range(ticks):
            r.fast[0] = d.fast if self.contact and not d.opted_out else 0
            r.confidence[0] = a.confidence if self.contact and not d.opted_out else 0
            r.g[0] = d.g
            d.step(now, a, self.contact, r)
            now = (now + 20) & 0x3FFFFFFF
        self.now = now


def level_of(own, collective, g, rho):
    """What Damp makes of one state through its own step: (level, own, collective), of that very tick."""
    d = Damp(1)
    d.wish(rho)
    a = Estimate()
    d.own, d.collective, d._m = own, collective, collective
    d.g = d._aim = g
    d._tick = 3  # in the middle of a round
    d._known = 3000
    a.fast = own
    d.step(0, a, 1, Table(1))
    return d.level, d.own, d.collective


def test_every_visitor_keeps_the_unmediated_share():
    dice = Dice(1)
    for _ in range(400):
        rho = RHO_MIN + dice.below(ONE - RHO_MIN + 1)
        g, c = dice.below(ONE + 1), dice.below(ONE + 1)
        a, b = dice.below(ONE + 1), dice.below(ONE + 1)
        if a > b:
            a, b = b, a
        low, a, _ = level_of(a, c, g, rho)
        high, b, _ = level_of(b, c, g, rho)
        assert b >= a and high >= low
        assert high - low >= (rho * (b - a) >> 12) - 1, (rho, g, c, a, b)
        assert 0 <= low <= ONE and 0 <= high <= ONE


def test_level_is_monotone_in_the_collective_and_falls_with_damping():
    dice = Dice(2)
    for _ in range(300):
        rho = RHO_MIN + dice.below(ONE - RHO_MIN + 1)
        own, g = dice.below(ONE + 1), dice.below(ONE + 1)
        a, b = dice.below(ONE + 1), dice.below(ONE + 1)
        if a > b:
            a, b = b, a
        assert level_of(own, a, g, rho)[0] <= level_of(own, b, g, rho)[0]
        h = dice.below(ONE + 1)
        assert (g > h) or level_of(own, a, g, rho)[0] >= level_of(own, a, h, rho)[0]


def test_a_faint_room_is_not_lit_and_a_stirred_one_as_it_is():
    def lit(c):
        return level_of(0, c, 0, RHO_MIN)[0]

    share = ONE - RHO_MIN
    for c in range(0, 206):
        assert lit(c) == 0, c  # 0.05
    for c in range(410, ONE + 1, 7):
        assert lit(c) == share * c >> 12, c  # 0.10
    for c in range(1, ONE):
        assert 0 <= lit(c + 1) - lit(c) <= 2, c  # nowhere a step


def test_no_policy_lowers_the_share_below_the_floor():
    dice = Dice(3)
    d = Damp(1)
    buf = bytearray(12)
    for _ in range(500):
        for i in range(12):
            buf[i] = dice.below(256)
        buf[2] = 1
        d.wish(dice.below(3) * 3000 - 1000)
        d.policy(buf, 2, 8)
        assert RHO_MIN <= d.rho <= ONE
    d.wish(0)
    assert d.policy(bytes((1, 0, 0, 0, 1, 236, 64, 0)), 0, 8) == 1 and d.rho == RHO_MIN
    assert d.policy(bytes((1, 2, 0, 0, 1, 236, 64, 0)), 0, 8) == 1 and d.rho == ONE
    assert d.policy(bytes((1, 0, 8, 0, 1, 236, 64, 0)), 0, 8) == 1 and d.rho == 2048
    d.wish(3000)
    assert d.rho == 3000  # a visitor may raise it ...
    d.wish(100)
    assert d.rho == 2048  # ... not lower it
    assert d.policy(bytes((2, 0, 4, 0, 1, 236, 64, 0)), 0, 8) == 0 and d.rho == 2048
    assert d.policy(bytes((1, 0, 4, 0)), 0, 4) == 0


def test_a_wish_ends_with_its_visitor():
    d = Damp(1)
    clock = Clock(d, Estimate(), Table(4))
    clock.run(10)
    d.wish(3000)
    clock.run(500)
    assert d.rho == 3000
    clock.contact = 0
    clock.run(1)
    assert d.rho == RHO_MIN
    d.wish(3000)  # nobody is here to wish
    clock.run(1)
    clock.contact = 1
    clock.run(10)
    assert d.rho == RHO_MIN
    assert d.policy(bytes((1, 0, 8, 0, 1, 236, 64, 0)), 0, 8) == 1
    d.wish(3000)
    clock.contact = 0
    clock.run(1)
    assert d.rho == 2048  # what the room has stays


def test_random_rooms_stay_in_bounds_without_heap():
    """Random tables, confidences, ages, contacts, policies: Q12 holds, no allocation, so 31 bits on the 32-bit port."""
    for seed in range(3):
        dice = Dice(seed + 10)
        d = Damp(1)
        a = Estimate()
        room = Table(64)
        clock = Clock(d, a, room)
        clock.run(30)
        for _ in range(40):
            room.count = 1 + dice.below(64)
            for i in range(room.count):
                room.fast[i] = dice.below(ONE + 1)
                room.g[i] = dice.below(ONE + 1)
                room.confidence[i] = dice.below(256) * dice.below(2)
                room.age[i] = dice.below(65536)
            a.fast, a.arousal = dice.below(ONE + 1), dice.below(ONE + 1)
            a.confidence, a.fast_confidence = dice.below(256), dice.below(256)
            a.rest = dice.below(1200)
            clock.contact = dice.below(2)
            buf = bytes((1, dice.below(4) * dice.below(2)) + tuple(dice.below(256) for _ in range(6)))
            d.policy(buf, 0, 8)
            locked(clock.run, 40)
            for v in (d.level, d.own, d.collective, d.g, d.spread, d.p90, d.synchrony):
                assert 0 <= v <= ONE, v
            assert RHO_MIN <= d.rho <= ONE and d.ratio_q8 >= 0


def test_steady_tick_without_heap_through_all_phases():
    d = Damp(1)
    a = Estimate()
    room = Table(24)
    clock = Clock(d, a, room)
    seen = set()
    clock.run(100)
    for fast in (971, 1300, 2400, 2800, 2800, 2800, 2800, 2800, 2900, 2950, 4000, 2800, 971):
        a.fast = a.arousal = fast
        room.say(fast)
        for i in range(24):
            room.g[i] = d.g
        locked(clock.run, 1000)
        seen.add(d.law.phase)
    assert len(seen) >= 2, seen


def test_isolated_node_follows_its_own_visitor():
    d = Damp(1)
    a = Estimate()
    clock = Clock(d, a, Table(1))
    clock.run(200)
    assert d.level == 0
    a.fast = a.arousal = REST + 800
    clock.run(200)
    assert d.own < 100, d.own  # a newcomer counts little
    clock.run(5000)
    assert abs(d.own - (beyond(REST + 800) - beyond(REST))) < 60 and d.g == 0, d.own
    assert abs(d.level - d.own) < 140  # the room is this visitor
    clock.contact = 0
    clock.run(200)
    assert d.level == 0 and d.collective == 0


def test_nobody_here_but_a_room():
    d = Damp(1)
    d.enabled = 0  # or a room that is stirred at once is an alarm
    room = Table(12, fast=REST + 900)
    clock = Clock(d, Estimate(), room)
    clock.contact = 0
    clock.run(300)
    assert d.own == 0 and d.crowd.visitors == 11
    assert abs(d.level - ((ONE - d.rho) * d.collective >> 12)) <= 2 and d.level > 150


def test_opt_out_within_a_second_and_back():
    d = Damp(1)
    a = Estimate()
    a.fast = a.arousal = 3000
    clock = Clock(d, a, Table(6, fast=1500))
    clock.run(200)
    d.opt_out(1)
    clock.run(1)
    assert d.level == NEUTRAL and d.opted_out == 1
    a.fast = 100
    clock.run(500)
    assert d.level == NEUTRAL and d.crowd.visitors == 5  # not counted, by nobody
    d.opt_out(0)
    a.fast = 2500
    clock.run(50)
    assert d.level != NEUTRAL and d.opted_out == 0


def test_stale_rows_age_out_and_no_row_counts_twice():
    crowd = Crowd()
    room = Table(10, fast=1000)
    for i in range(5):
        room.fast[i] = 3000

    low, high = beyond(1000) - beyond(900), beyond(3000) - beyond(900)

    def whole_round():
        crowd.begin(beyond(900))
        for _ in range(25):
            crowd.look(room)
        crowd.end()

    whole_round()
    assert crowd.visitors == 10 and abs(crowd.mean - (low + high) // 2) <= 1
    for i in range(5, 10):
        room.age[i] = 60000
    whole_round()
    assert crowd.visitors == 5 and crowd.mean == high
    for i in range(5):
        room.confidence[i] = 0
    whole_round()
    assert crowd.visitors == 0 and crowd.mean == 0 and crowd.weight == 0
    big = Table(64, fast=1234)
    room = big
    whole_round()
    assert crowd.visitors == 64 and crowd.mean == beyond(1234) - beyond(900)


def test_confidence_weighs_the_room():
    """Half of full confidence counts in full, less in proportion."""
    crowd = Crowd()
    room = Table(2)
    room.fast[0], room.confidence[0] = 1000, 40
    room.fast[1], room.confidence[1] = 3000, 250
    crowd.begin(beyond(900))
    crowd.look(room)
    crowd.end()
    low, high = beyond(1000) - beyond(900), beyond(3000) - beyond(900)
    assert abs(crowd.mean - (low * 40 + high * 128) // 168) <= 1


def test_synchrony_tells_together_from_apart():
    for together in (0, 1):
        crowd = Crowd()
        room = Table(16, fast=1000)
        for k in range(300):
            for i in range(16):
                phase = (k + (0 if together else i * 5)) % 80
                room.fast[i] = 1000 + 40 * (phase if phase < 40 else 80 - phase)
            crowd.begin()
            for _ in range(25):
                crowd.look(room)
            crowd.end()
        assert (crowd.synchrony > 3500) if together else (crowd.synchrony < 1200), crowd.synchrony


def settle(law, m, rounds, n=24):
    g = law.aim
    for _ in range(rounds):
        law.step(m, n, g, RHO_MIN, 492)
        g += max(-8, min(256, law.aim - g))
    return g


def test_calm_room_is_never_damped():
    law = Law()
    dice = Dice(4)
    for _ in range(2000):
        law.step(200 + dice.below(300), 24, 0, RHO_MIN, 492)
        assert law.aim == 0 and law.phase == 0


def test_damping_is_gone_within_ten_minutes_of_calm():
    law = Law()
    for k in range(40):
        law.step(200 + 100 * k, 24, 0, RHO_MIN, 492)
    assert law.aim == ONE
    law.aim = ONE
    g = ONE
    for _ in range(1200):
        law.step(150, 24, g, RHO_MIN, 492)
        g += max(-law.down, min(256, law.aim - g))
    assert g == 0, g


def test_a_surge_is_met_at_once_and_a_slow_climb_as_well():
    law = Law()
    m, g, k = 300, 0, 0
    while law.aim < ONE and k < 200:
        m += m * 2 // 100 + 4
        law.step(m, 24, g, RHO_MIN, 492)
        k += 1
    assert m < 1000, m
    law = Law()
    m = 300
    while law.aim < 2000 and m < 2000:
        m += 2
        law.step(m, 24, 0, RHO_MIN, 492)
    assert m < 1000, m


def play(gain_milli, drive, rounds, jump=0):
    """A noiseless body (lag 8 s, delay 3 s) in closed loop with the law, in integers: (m, g) at the end."""
    law = Law()
    delay = [0] * 6
    x_q8 = 0
    g = 0
    for k in range(rounds):
        m = x_q8 >> 8
        law.step(m, 24, g, RHO_MIN, 492)
        aim = law.aim
        g = min(aim, g + 25 * law.up) if g < aim else max(aim, g - law.down)
        gain = jump if jump and k > rounds - 120 else gain_milli
        light = m * (RHO_MIN + ((ONE - RHO_MIN) * (ONE - g) >> 12)) >> 12
        seen = delay[k % 6]
        delay[k % 6] = light
        target = drive + gain * seen // 1000
        x_q8 = min(ONE << 8, x_q8 + ((target << 8) - x_q8) // 16)
    return x_q8 >> 8, g, law


def test_honest_stress_is_given_back():
    m, g, law = play(600, 1434, 600)  # K = 0.6, drive 0.35, five minutes
    assert g <= 820, g  # 0.2
    assert m > 2868 and 128 <= law.gain_q8 <= 192, (
        m,
        law.gain_q8,
    )  # 80 % of the undamped room; the law knows K


def test_feedback_is_not():
    m, g, law = play(2000, 600, 600)  # K = 2, drive 0.15: the light would carry it to the ceiling
    assert g > 3500 and m < 1900, (m, g)


def test_a_room_that_grew_by_its_own_light_is_remembered():
    """Slow growth is the light's own: half of the mediated share stays away for half an hour."""
    law, m = Law(), 120.0
    g, k = 0, 0
    while not law._hold and k < 400:
        m *= 1.015 if k > 100 else 1  # 3 % a second
        law.step(int(m), 24, g, RHO_MIN, 164)
        k += 1
    assert law._hold and m < 600, m
    for _ in range(1200):
        m = max(120, m * 0.98)
        law.step(int(m), 24, g, RHO_MIN, 164)
        g = min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)
    assert law.cap == 2560 and 2000 < g < 2100, (law.cap, g)
    for _ in range(3600):
        law.step(120, 24, g, RHO_MIN, 164)
        g = min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)
    assert g == 0 and law.cap >= ONE  # and is forgotten when it stays calm


def test_a_shock_is_not_remembered():
    law, g = Law(), 0
    for k in range(1200):
        m = (
            150
            if k < 100
            else min(1500, 150 + 100 * (k - 100))
            if k < 140
            else max(120, 1500 - 20 * (k - 140))
        )
        law.step(m, 24, g, RHO_MIN, 164)
        g = min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)
        if k == 130:
            assert g == ONE
    assert g == 0 and law.cap == ONE  # within ten minutes, of which the shock took one


def test_calm_rooms_of_any_past_are_left_alone():
    """Invariant 2: whatever a room has been through, ten minutes of calm and g is 0, but where it grew by its own light."""
    for seed in range(12):
        dice = Dice(seed + 70)
        law, g, m = Law(), 0, 100
        for k in range(600):
            if k % 60 == 0:
                to = dice.below(3500)
            m += (to - m) // 8
            law.step(m, 3 + dice.below(60), g, RHO_MIN, 164)
            g = min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)
        if law._grew or law._wait > 800:
            law._grew = law._wait = 0  # what is remembered for longer is another test's
        for _ in range(1200):
            m += (120 - m) // 8
            law.step(m, 24, g, RHO_MIN, 164)
            g = min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)
        assert g == 0, (seed, g, law.phase, law.cap)


def test_jump_is_contained_within_a_minute():
    m, g, law = play(800, 820, 720, jump=2000)
    assert g > 3900 and m < 2460, (m, g)  # below 0.6 again, 60 s after K went from 0.8 to 2


def test_the_event_says_why():
    d = Damp(1)
    a = Estimate()
    room = Table(24)
    clock = Clock(d, a, room)
    clock.run(500)
    assert d.contagion == 0
    fast = 1000
    for _ in range(40):
        fast = min(ONE, fast + fast // 25)
        a.fast = a.arousal = fast
        room.say(fast)
        clock.run(25)
    assert d.contagion == 1 and d.why, (d.contagion, d.why, d.ratio_q8)
    assert d.why != JUMP  # nothing had been given back yet
    clock.run(2000)
    assert d.contagion == 0 and d.why == 0


def test_damping_off_and_on_again():
    d = Damp(1)
    a = Estimate()
    a.fast = a.arousal = 3500
    room = Table(24, fast=3500)
    clock = Clock(d, a, room)
    clock.run(6000)
    assert d.g > 0
    d.policy(bytes((1, 1, 4, 0, 1, 236, 64, 0)), 0, 8)
    clock.run(30)
    assert d.g == 0
    assert abs(d.level - d.collective) < 40
    d.policy(bytes((1, 0, 4, 0, 1, 236, 64, 0)), 0, 8)
    clock.run(2000)
    assert d.enabled == 1


def test_replay_is_bit_exact():
    prints = []
    for _ in range(2):
        dice = Dice(9)
        d = Damp(1)
        a = Estimate()
        room = Table(24)
        clock = Clock(d, a, room)
        h = 0
        for _ in range(400):
            for i in range(24):
                room.fast[i] = min(ONE, REST + dice.below(1500))
            a.fast = a.arousal = REST + dice.below(3000)
            clock.run(25)
            h = (h * 31 + d.level * 7 + d.g + d.ratio_q8) & 0xFFFFFF
        prints.append(h)
    assert prints[0] == prints[1]


def test_log_odds_are_straight_and_monotone():
    last = beyond(0)
    for p in range(1, ONE + 1):
        now = beyond(p)
        assert now >= last, p
        last = now
    # 4096 = 7: ln(p/(1-p)) of 0.1, 0.5, 0.9
    assert beyond(2048) == 0
    assert abs(beyond(410) + 1286) < 25 and abs(beyond(3686) - 1286) < 25

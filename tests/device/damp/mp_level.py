"""The damping of one node, on both ports: what must hold for every input, over seeds, and without a byte of heap."""

from heap import locked
from people import ONE, REST, Clock, Dice, Estimate, Table
from weave.damp import JUMP, NEUTRAL, RHO_MIN, Damp
from weave.damp.crowd import beyond


def level_of(own, collective, g, rho):
    """What Damp makes of one state through its own step: (level, own, collective), of that very tick."""
    d = Damp(1)
    d.wish(rho)
    a = Estimate()
    d.own, d.collective, d._m = own, collective, collective
    d.g = d._aim = g
    d.tick = 3  # in the middle of a round
    d._known = 3000
    a.fast = own
    d.step(0, a, 1, Table(1))
    return d.level, d.own, d.collective


def ascending(dice):
    """Two values, the smaller one first."""
    a, b = dice.below(ONE + 1), dice.below(ONE + 1)
    return min(a, b), max(a, b)


def test_every_visitor_keeps_the_unmediated_share():
    dice = Dice(1)
    for _ in range(400):
        rho = RHO_MIN + dice.below(ONE - RHO_MIN + 1)
        g, c = dice.below(ONE + 1), dice.below(ONE + 1)
        a, b = ascending(dice)
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
        a, b = ascending(dice)
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


def ruled(strength):
    """A room of 24 at rest whose policy asks for so much damping (of 64): (damp, estimate, table, clock)."""
    d = Damp(1)
    a = Estimate()
    room = Table(24)
    clock = Clock(d, a, room)
    clock.run(2000)
    d.policy(bytes((1, 0, 4, 0, 0, 246, strength, 0)), 0, 8)
    return d, a, room, clock


def test_switched_off_nothing_of_the_past_is_shown():
    """Whether the room was damped when the policy came, or its strength was 0 and nothing ever was."""
    for strength in (64, 0):
        d, a, room, clock = ruled(strength)
        for k in range(20):
            a.fast = REST + 10 * k
            room.say(a.fast)
            clock.run(25)
        assert d.g == 0 and d.growth > 100, (d.g, d.growth)  # it grows, and is not damped
        d.policy(bytes((1, 1, 4, 0, 0, 246, strength, 0)), 0, 8)
        a.fast = REST
        room.say(REST)
        clock.run(1000)
        assert d.growth == 0 and d.ratio_q8 == 256 and d.contagion == 0, (strength, d.growth, d.ratio_q8)


def test_honest_stress_is_given_back_by_a_policy_of_any_strength():
    """A policy that asks for less damping gets less: the phases ask how far of what it allows."""
    for strength in (48, 16):
        d, a, room, clock = ruled(strength)
        most = 0
        for k in range(400):
            if k < 40:
                a.fast = REST + 40 * k
                room.say(a.fast)
            clock.run(25)
            for i in range(24):
                room.g[i] = d.g
            most = max(most, d.g)
        assert ONE * strength * 9 // 640 < most <= ONE * strength // 64, (strength, most)
        assert d.g <= 820 * strength // 64, (strength, d.g)  # 0.2 of it


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

"""The law alone, in closed loop with a noiseless body: what is damped, given back, remembered and forgotten."""

from people import ONE, Dice
from weave.damp import RHO_MIN
from weave.damp.law import Law


def follow(law, g):
    """Half a second of Damp: g goes towards the law's aim at the law's pace."""
    return min(g + 25 * law.up, law.aim) if g < law.aim else max(g - law.down, law.aim)


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
        g = follow(law, g)
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
        g = follow(law, g)
    assert law.cap == 2560 and 2000 < g < 2100, (law.cap, g)
    for _ in range(3600):
        law.step(120, 24, g, RHO_MIN, 164)
        g = follow(law, g)
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
        g = follow(law, g)
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
            g = follow(law, g)
        if law._grew or law._wait > 800:
            law._grew = law._wait = 0  # what is remembered for longer is another test's
        for _ in range(1200):
            m += (120 - m) // 8
            law.step(m, 24, g, RHO_MIN, 164)
            g = follow(law, g)
        assert g == 0, (seed, g, law.phase, law.cap)


def test_jump_is_contained_within_a_minute():
    m, g, law = play(800, 820, 720, jump=2000)
    assert g > 3900 and m < 2460, (m, g)  # below 0.6 again, 60 s after K went from 0.8 to 2

"""Beats as light: soon, not too often, along the thread, and again where the visitor has gone."""

from room import light, room


def test_beat_is_seen_within_150_ms_and_at_most_twice_a_second():
    r = room()
    r.set(2000)
    r.run(4000)
    for bpm, most in ((50, 50), (75, 75), (118, 118), (170, 120), (250, 125)):
        pulses = 0
        for k in range(20):
            before = r.light.guard.ring[r.light.frames & 127]
            r.sense.onset += 1
            rose = 0
            for t in range(0, 60000 // bpm, 20):
                r.tick()
                if not rose and r.light.guard.ring[r.light.frames & 127] > before + 50:
                    rose = t + 20
                before = r.light.guard.ring[r.light.frames & 127]
            if bpm <= 120:
                assert 0 < rose <= 150, (bpm, rose)
            pulses += rose > 0
        assert pulses * bpm // 20 <= most
    # and on the pixel itself
    r.run(3000)
    y = r.light.guard.y[0]
    r.sense.onset += 1
    r.run(120)
    assert r.light.guard.y[0] > y + 150


def test_pulse_travels_along_the_thread():
    r = room(dz=1000)
    r.set(1500, rho=4096)
    r.affect.arousal = 0
    r.run(4000)
    r.sense.onset += 1
    peak = {}
    at = {}
    for t in range(0, 1600, 40):
        r.run(40)
        for i in (0, 20, 40):
            v = r.light.guard.ring[((r.light.guard.v[14] >> 8) - i * r.light.guard.v[15] // 512) & 127]
            if v > peak.get(i, 0):
                peak[i], at[i] = v, t
    assert at[0] < at[20] < at[40]
    assert 600 <= at[40] - at[0] <= 900  # 0.67 m at 0.9 m/s


def test_echo_of_a_visitor_reaches_the_room_later_and_lower():
    a = room("echo", x=0)
    b = room("echo", x=6000)
    for r in (a, b):
        r.mesh = 500000
        r.set(1500)
        r.run(4000)
    a.bpm = 80
    a.run(8000)
    b.run(8000)
    a.bpm = 0
    a.sense.contact = 0
    a.run(400)
    b.run(400)
    light = a.light
    assert light.event_n == 9
    b.light.on_echo(light.event, 0, light.event_n, 3, a.mesh)
    heights = []
    for r in (a, b):
        top = when = 0
        for t in range(0, 12000, 40):
            r.run(40)
            v = r.light.guard.ring[r.light.frames & 127]
            if v > top:
                top = v
            if v > 60 and not when:
                when = t
        heights.append((top, when))
    assert heights[0][0] > heights[1][0] > 100, heights
    assert 3500 <= heights[1][1] <= 4500, heights  # 6 m at 1.5 m/s


def test_echoes_take_nothing_from_the_visitors_own_light():
    """They are the room's: three at once under full damping, where the ground has no light to give."""
    with_echoes, without = room("echo"), room("echo")
    for r in (with_echoes, without):
        r.set(1024, own=4096, g=4096, arousal=4096)
        r.damp.collective = 2000
        r.run(8000)
    for ibi in (800, 840, 880):
        with_echoes.light.on_echo(bytes((0x80, 0, 0, 0, 0, 0, 0, ibi >> 3, 8)), 0, 9, 1, with_echoes.mesh)
    for second in range(12):
        a, b = light(with_echoes, 0, 10), light(without, 0, 10)
        assert a >= b * 9 // 10, (second, a, b)

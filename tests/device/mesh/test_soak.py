"""The long ones: a million fuzzed frames, and the figures of 200 nodes on the simulated air."""

import os

import air
import ports
import pytest


@pytest.mark.soak
def test_a_million_fuzzed_frames_of_each_type(monkeypatch):
    monkeypatch.setitem(os.environ, "PULSEWEAVE_FUZZ", "2000000")
    name = "test_random_and_mutated_frames"
    done = ports.unix(ports.HARNESS / "run.py", str(air.HERE), "mp_attack", name, timeout=3000)
    assert b"ok " + name.encode() in done.stdout, (done.stdout + done.stderr).decode()


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_200_nodes_at_30_percent_loss(seed):
    f = air.figures(200, 0.3, seed)
    assert f["missed"] == 0 and f["twice"] == 0 and f["ping"]["p99"] <= 370, f
    # twelve hops; across seven or eight it is 3 ms (below)
    assert f["age"]["p99"] <= 6000 and f["clock"]["p99"] <= 5 and f["airtime"] <= 0.10, f


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
def test_clocks_across_eight_hops(seed):
    f = air.figures(75, 0.3, seed, pings=2, hops=3.6)
    assert f["hops"] > 6 and f["clock"]["p99"] <= 3, f


@pytest.mark.soak
def test_200_nodes_at_50_percent_loss():
    f = air.figures(200, 0.5)
    assert f["missed"] <= 0.007 * f["due"] and f["twice"] == 0, f


def test_40_nodes_on_the_air():
    """Small enough for every run: the same checks, and better than a plain flood on the same seed."""
    f = air.figures(40, 0.3, 4, seconds=10, pings=6, degree=10.0, hops=5.0)
    plain = air.figures(40, 0.3, 4, seconds=10, pings=6, degree=10.0, hops=5.0, flood=True)
    assert f["missed"] == 0 and f["twice"] == 0 and f["ping"]["p99"] <= 370, f
    assert f["age"]["p99"] <= 6000 and f["clock"]["p99"] <= 3 and f["airtime"] <= 0.10, f
    assert plain["missed"] >= f["missed"]


def test_two_halves_agree_soon_after_a_cut():
    """50 nodes, cut for 20 s, 30 % loss."""
    heal(20)


@pytest.mark.soak
def test_two_halves_agree_soon_after_a_long_cut():
    heal(60)


def heal(seconds):
    cut, healed = air.healing(seconds)
    assert cut["roots"] == 2, cut
    assert healed["roots"] == 1 and healed["age"]["p99"] <= 6000 and healed["clock"]["p99"] <= 5, healed
    assert healed["age"]["n"] == 50 * 49


def test_the_clock_survives_its_root():
    """6 hops, 30 % loss, 40 ppm: within 10 s of the root's death all follow another, and agree to 5 ms."""
    before, after = air.succession()
    assert before["roots"] == 1 and before["clock"]["p99"] <= 3, before
    assert (
        after[-1]["roots"] == 1
        and after[-1]["followed"] != before["followed"]
        and after[-1]["clock"]["p99"] <= 5
    ), after[-1]

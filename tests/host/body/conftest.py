"""Sixty synthetic visitors, at rest and stressed."""

import pytest
from lived import live
from pulseweave.sim.body import Body


def four_minutes(arousal):
    """(ppg, eda, beats, responses of the skin a minute), after half a minute to settle."""
    body = Body(5, 60)
    live(body, 30, arousal)
    before = body.scrs.copy()
    ppg, eda, beats = live(body, 240, arousal, start=30)
    return ppg, eda, beats, (body.scrs - before) / 4.0


@pytest.fixture(scope="module")
def rest():
    return four_minutes(0.1)


@pytest.fixture(scope="module")
def stressed():
    return four_minutes(0.6)

"""Sixty synthetic visitors, at rest and stressed."""

import pytest
from lived import live
from pulseweave.sim.body import Body


@pytest.fixture(scope="module")
def rest():
    body = Body(5, 60)
    live(body, 30, 0.1)
    before = body.scrs.copy()
    ppg, eda, beats = live(body, 240, 0.1, start=30)
    return ppg, eda, beats, (body.scrs - before) / 4.0


@pytest.fixture(scope="module")
def stressed():
    body = Body(5, 60)
    live(body, 30, 0.6)
    before = body.scrs.copy()
    ppg, eda, beats = live(body, 240, 0.6, start=30)
    return ppg, eda, beats, (body.scrs - before) / 4.0

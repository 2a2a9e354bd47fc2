"""Drawing ahead does not show: the values are those of the counter, whatever was asked before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulseweave.sim import noise

KEYS = noise.key(7, noise.nodes_of(3), "test")


@given(st.lists(st.integers(0, 2000), max_size=30), st.sampled_from([noise.normal, noise.uniform]))
def test_single_counters(counters, draw):
    ahead = noise.Ahead(KEYS, draw)
    for c in counters:
        assert (ahead.at(c) == draw(KEYS, c)).all()


@given(st.integers(0, 10**9), st.integers(1, 5000), st.integers(1, 60))
def test_even_steps_are_drawn_in_blocks(first, stride, steps):
    drawn = []

    def draw(keys, counters):
        drawn.append(counters)
        return noise.normal(keys, counters)

    ahead = noise.Ahead(KEYS, draw)
    for k in range(steps):
        c = first + k * stride
        assert (ahead.at(c) == noise.normal(KEYS, c)).all()
    assert len(drawn) <= 2 + steps // noise.Ahead.STEPS


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20)), max_size=20))
def test_spans(spans):
    ahead = noise.Ahead(KEYS)
    for first, count in spans:
        span = ahead.span(first, count)
        assert span.shape == (count, 3)
        assert (span == noise.normal(KEYS, np.arange(first, first + count)[:, None])).all()


def test_within_is_clip():
    a = np.array([-2.0, 0.5, 3.0])
    assert noise.within(a, 0.0, 1.0) == pytest.approx(np.clip(a, 0.0, 1.0))

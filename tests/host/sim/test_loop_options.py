"""The laboratory of the damping law takes the radio loss as it is given."""

import numpy as np
from pulseweave.sim.closed_loop import run


def test_a_loss_of_less_than_a_percent_is_one():
    none, some = (
        run("ou", 1, 6, 60.0, "on", loss, gain=2.0, shock={"at_s": 10.0}).arousal for loss in (0.0, 0.005)
    )
    assert not np.array_equal(none, some)

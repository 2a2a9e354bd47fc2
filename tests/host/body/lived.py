"""Runs synthetic visitors."""

import numpy as np

STEP = 0.1


def live(body, seconds, arousal, start=0.0, touching=True):
    """Run a body; returns ppg [n, 100 s], eda [n, 8 s], beat times per node."""
    n = body.n
    touch = np.full(n, touching)
    ppg, eda, beats, before = [], [], [[] for _ in range(n)], body.beats.copy()
    for i in range(round(start / STEP), round((start + seconds) / STEP)):
        p, e = body.step(i * STEP, STEP, np.full(n, arousal), np.zeros(n), touch)
        ppg.append(p)
        eda.append(e)
        for j in np.flatnonzero(body.beats > before):
            beats[j].append(body.beat_s[j])
        before = body.beats.copy()
    return np.concatenate(ppg, 1), np.concatenate(eda, 1), [np.array(b) for b in beats]

"""Affect: placeholder to be replaced within minutes."""


class Affect:
    def __init__(self, sense):
        self.arousal = self.fast = self.valence = self.confidence = self.fast_confidence = self.valence_confidence = self.visitor = 0

    def step(self, now):
        pass

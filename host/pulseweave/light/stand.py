"""Where we stand in a room of strands, and where a point of it is in the picture.

In: the strands' tops float[n, 3] in metres (x, y on the floor, z up), their length, the picture's size. Out: pinhole
projection of points [..., 3] to picture pixels [..., 2] and distance [...] in metres, from the side on which the strands
hide each other least, with all of them in view.
"""

import numpy as np

FIELD = np.tan(np.radians(40 / 2))  # half the vertical field of view
EYE_M = 1.55  # height of a visitor's eyes
MARGIN = 0.9  # share of the picture that the strands may fill
MIRRORED_M = 0.8  # so deep into the floor's mirror the picture reaches
YAWS = 36


class Stand:
    """A place to look from."""

    def __init__(self, tops: np.ndarray, length_m: float, width: int, height: int):
        self.width, self.height = width, height
        self.focal = height / 2 / FIELD
        feet = tops - [0, 0, length_m]
        self.centre = tops.mean(axis=0)
        self.centre[2] = (tops[:, 2].max() - MIRRORED_M) / 2
        ends = np.concatenate((tops + np.array([0, 0, 0.15]), feet, feet * [1, 1, 0] - [0, 0, MIRRORED_M]))
        best = None
        for yaw in np.linspace(-np.pi, np.pi, YAWS, endpoint=False):
            self._turn(yaw, self._distance(ends, yaw))
            x = np.sort(self.project(feet)[0][:, 0])
            apart = float(np.log1p(np.diff(x)).mean()) if len(x) > 1 else 0.0
            score = apart - 0.02 * abs(yaw)
            if best is None or score > best[0] + 1e-9:
                best = (score, yaw)
        assert best is not None
        self._turn(best[1], self._distance(ends, best[1]))

    def _distance(self, ends: np.ndarray, yaw: float) -> float:
        """Metres from the centre at which every end is in view."""
        right, ahead = axes(yaw)
        from_centre = ends - self.centre
        across, along = from_centre @ right, from_centre @ ahead
        wide = np.abs(across) / (FIELD * MARGIN * self.width / self.height) - along
        high = np.abs(ends[:, 2] - self.centre[2]) / (FIELD * MARGIN) - along
        return float(max(wide.max(), high.max(), 1.5 - along.min()))

    def _turn(self, yaw: float, distance: float) -> None:
        self.right, self.ahead = axes(yaw)
        self.eye = self.centre - self.ahead * distance
        self.eye[2] = EYE_M
        self.depth = distance
        # a lens that is shifted instead of tilted: what hangs upright stays upright
        self.shift = (self.centre[2] - EYE_M) / distance * self.focal

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(pixels[..., 2] from the top left corner, distance[...]); what is behind us is far outside."""
        d = points - self.eye
        far = np.maximum(d @ self.ahead, 0.05)
        x = self.width / 2 + (d @ self.right) / far * self.focal
        y = self.height / 2 - d[..., 2] / far * self.focal + self.shift
        return np.stack((x, y), axis=-1), far


def axes(yaw: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors to the right and ahead on the floor."""
    return np.array([np.cos(yaw), np.sin(yaw), 0.0]), np.array([-np.sin(yaw), np.cos(yaw), 0.0])

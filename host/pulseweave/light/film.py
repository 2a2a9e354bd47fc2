"""Pictures into a file: FILE.mp4 (H.264 through PyAV), FILE.gif or FILE.png (Pillow; the last picture).

In: where the strands hang and, tick by tick, their pixels. Out: the file, 25 pictures a second (a GIF 12.5). PyAV and
Pillow are the optional extra `film`: where they are missing, or the file cannot be written, one clear Problem says so
before anything runs.
"""

import importlib
from pathlib import Path

import numpy as np

from pulseweave.light.picture import Picture
from pulseweave.problem import Problem

FPS = 25
NEEDS = {".mp4": "av", ".gif": "PIL", ".png": "PIL"}
SIZE = {".mp4": (1280, 720), ".gif": (640, 360), ".png": (1600, 900)}
LONGEST_GIF_S = 60


class Film:
    """A file being written; `tick` as the room goes on, then `close`."""

    def __init__(self, path: str):
        self.path = Path(path)
        kind = self.kind = self.path.suffix.lower()
        if kind not in NEEDS:
            raise Problem(f"--render {path}: the name must end in .mp4, .gif or .png")
        try:
            importlib.import_module(NEEDS[kind])
        except ImportError:
            raise Problem(
                f"--render {path}: drawing films needs PyAV and Pillow: pip install 'pulseweave[film]'"
            ) from None
        if not self.path.parent.is_dir():
            raise Problem(f"--render {path}: there is no folder {self.path.parent}: make it first")
        self.size = SIZE[kind]
        self.picture: Picture | None = None
        self.image: np.ndarray | None = None
        self.images: list = []
        self.writer = None
        self.pictures = 0

    def step(self, sim) -> None:
        """A tick of a simulation is over."""
        self.tick(sim.tick - 1, sim.positions, sim.strands)

    def tick(self, k: int, positions: np.ndarray, strands) -> None:
        """Tick `k` of 20 ms is over: every second one is drawn. `strands` has `rgb()` and `count`, as sim.room.Strands."""
        every = 4 if self.kind == ".gif" else 2
        if k % every:
            return
        if self.picture is None or self.picture.strands != len(positions):
            self.picture = Picture(positions, strands.count, *self.size)
        if self.kind == ".gif" and self.pictures >= LONGEST_GIF_S * FPS // 2:
            return
        self.image = self.picture.draw(strands.rgb(), every * 0.02)
        self.pictures += 1
        if self.kind == ".mp4":
            self._mp4(self.image)
        elif self.kind == ".gif":
            from PIL import Image

            self.images.append(Image.fromarray(self.image).quantize(128, method=Image.Quantize.MAXCOVERAGE))

    def _mp4(self, image: np.ndarray) -> None:
        import av

        try:
            if self.writer is None:
                self.writer = av.open(str(self.path), "w")
                self.stream = self.writer.add_stream(
                    "libx264", rate=FPS, options={"crf": "18", "preset": "veryfast"}
                )
                self.stream.width, self.stream.height = self.size
                self.stream.pix_fmt = "yuv420p"
            for packet in self.stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                self.writer.mux(packet)
        except OSError as e:
            raise Problem(f"cannot write {self.path}: {e.strerror}: choose another --render FILE") from None

    def close(self) -> None:
        """What is still to be written; safe to call twice, and without a single picture."""
        try:
            if self.kind == ".mp4" and self.writer is not None:
                writer, self.writer = self.writer, None
                for packet in self.stream.encode():
                    writer.mux(packet)
                writer.close()
            elif self.kind == ".gif" and self.images:
                first, *rest = self.images
                self.images = []
                first.save(self.path, save_all=True, append_images=rest, duration=80, loop=0, optimize=True)
            elif self.kind == ".png" and self.image is not None:
                from PIL import Image

                Image.fromarray(self.image).save(self.path, optimize=True)
                self.image = None
        except OSError as e:
            raise Problem(f"cannot write {self.path}: {e.strerror}: choose another --render FILE") from None

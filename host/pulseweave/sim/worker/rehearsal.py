"""A rehearsal of a scene: how bright it is when the level is 0 and when it is 1, measured on its pixels.

The real Light renders on a spare virtual board for a visitor with a steady heart of 70 beats a minute, everything held at
the wanted level: a heartbeat is light too, so a scene without one would be darker than any that a visitor sees.
"""

from still import Still, clock

SECONDS = 24
SETTLING = 10  # cross-fade and slow colours


def luminance(fleet, scene, levels=(0, 4096)):
    """[low, high]: mean linear luminance (ITU-R BT.709, white as 1) over 14 s at level 0 and at level 4096."""
    from virtual import VirtualBoard
    from weave.drivers.strand import Strand
    from weave.keep.config import Config
    from weave.light import Light
    from weave.light.scenes import find
    from weave.start import site

    number = find(scene)
    if number < 0:
        raise ValueError("scene %r is unknown" % scene)
    bus = fleet.bus
    description = fleet.boards[0].description
    s = description["strand"]
    size = s["pixels"] * len(s["order"])
    kept = bus.board, bus.pixels, bus.dirty, bus.shown
    result = []
    eye = {"R": 0.2126, "G": 0.7152, "B": 0.0722, "W": 1.0}
    weights = [eye[channel] for channel in s["order"]]
    try:
        for level in levels:
            bus.pixels = bytearray(size)
            bus.dirty = bytearray(1)
            bus.board = VirtualBoard(0, 0, description, 0, b"\2\0\0\0\0\0")
            strand = Strand(s["pin"], s["pixels"], s["order"], 1)
            light = Light(strand, site(Config(fleet.boards[0].fs), s))
            light.set_scene(number, 0)
            still = Still(level)
            total = 0.0
            for k in range(SECONDS * 50):
                now = k * 20
                if k % 43 == 0:
                    still.onset = still.beats = still.beats + 1
                    still.beat_ms = now
                light.step(now, clock, still, still, still)
                if k >= SETTLING * 50 and k % 2 == 0:
                    for i in range(size):
                        total += weights[i % len(weights)] * strand.buf[i]
            frames = (SECONDS - SETTLING) * 25
            result.append(total / (frames * 255 * s["pixels"]))
    finally:
        bus.board, bus.pixels, bus.dirty, bus.shown = kept
    return result

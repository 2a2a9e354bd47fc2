"""What a run says on the terminal: one line that lives, and two at the end."""

import contextlib
import sys


def show(live) -> None:
    """One terminal line: how the room is."""
    s = live.measures.series[-1] if live.measures.series else None
    if not s:
        return
    n = 24
    bar = "".join("▁▂▃▄▅▆▇█"[min(7, int(v["truth"] * 8))] for v in live.measures.series[-n:])
    figures = f"arousal {s['truth']:.2f}  felt {s['estimate']:.2f}  light {s['light']:.2f}  g {s['g']:.2f}"
    line = f"{s['t_s']:7.0f} s  {bar:>{n}}  {figures}"
    with contextlib.suppress(OSError):
        print(f"\r{line}", end="", file=sys.stderr, flush=True)


def leave() -> None:
    """What is said next begins a line of its own."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(file=sys.stderr)


def summary(r: dict) -> str:
    """A run in two lines for a person."""
    settled = r["arousal"]["settle_s"]
    calm = "never settled" if settled is None else f"settled {settled:g} s after"
    return (
        f"{r['scenario']}: {r['nodes']} nodes for {r['seconds']:g} s, peak {r['arousal']['peak']}, {calm}, "
        f"g at most {r['damping']['g_max']:.2f}, {r['light']['flashes_per_s_max']:g} flashes/s at worst\n"
        f"{r['node_seconds_per_cpu_s']:g} node-seconds per CPU-second, digest {r['digest'][:16]}"
    )

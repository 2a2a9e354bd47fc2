"""200 nodes in real time with the page open in a browser: is a picture missed, is the room late, who takes the CPU?

Runs `pulseweave sim` and a headless Chromium without a graphics card on the same two cores, so the browser's drawing
competes with the room. Its CPU time is listed apart. Missed pictures are
counted by the page itself (`window.pulseweave.stats.missed`), from the numbers of those that came.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from pulseweave.figures.figure import Figure
from pulseweave.problem import Problem
from pulseweave.processes import children, cpu_s, pulseweave

NODES, WORKERS = 200, 2
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--no-first-run"]
SETTLE_S = 8.0


def browser_path() -> str:
    """Chromium of this machine. Raises Problem where there is none."""
    path = os.environ.get("PULSEWEAVE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not path:
        raise Problem("no Chromium: apt-get install chromium, or name one with PULSEWEAVE_CHROMIUM")
    return path


@contextlib.contextmanager
def room():
    """A running `pulseweave sim`: (process, URL of its page)."""
    line = pulseweave("sim", "calm", "--nodes", str(NODES), "--workers", str(WORKERS), "--web", "127.0.0.1:0")
    process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    try:
        for said in process.stderr:
            if found := re.search(r"http://\S+", said):
                yield process, found[0]
                return
        raise Problem("`pulseweave sim` ended before its page was there")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def browser_cpu_s() -> float:
    """CPU seconds so far of everything that this process has started for the browser."""
    found, below = [], children(os.getpid())
    while below:
        found += below
        below = [grandchild for child in below for grandchild in children(child)]
    names = {pid: Path(f"/proc/{pid}/comm") for pid in found}
    return sum(cpu_s(pid) for pid, name in names.items() if name.exists() and "chrom" in name.read_text())


def watch(url: str, seconds: float, look) -> tuple[dict, dict]:
    """(first, last): stats of the page over `seconds`, counted after it has settled; `look()` is called at both ends."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Problem("playwright is missing: run `make test` once, it installs it") from None
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 960, "height": 600})
        page.goto(url)
        patience = time.monotonic() + 30
        while not page.evaluate("(window.pulseweave?.stats.drawn ?? 0) > 5"):
            if time.monotonic() > patience:
                raise Problem("the page drew nothing within 30 s")
            page.wait_for_timeout(200)
        page.wait_for_timeout(SETTLE_S * 1000)
        ask = "(({stats, state}) => ({...stats, late: state?.late_s ?? 0, t: state?.t_s ?? 0}))(window.pulseweave)"
        page.evaluate("window.pulseweave.stats.longest_gap_ms = 0")
        first = page.evaluate(ask)
        look()
        page.wait_for_timeout(seconds * 1000)
        look()
        last = page.evaluate(ask)
        browser.close()
    return first, last


def measure(quick: bool) -> list[Figure]:
    seconds = 20 if quick else 60
    shares: list[tuple[float, float, float, float]] = []
    with room() as (process, url):

        def look() -> None:
            workers = [c for c in children(process.pid) if cpu_s(c) >= 0]
            shares.append((time.monotonic(), cpu_s(process.pid), sum(map(cpu_s, workers)), browser_cpu_s()))

        first, last = watch(url, seconds, look)
    wall = shares[1][0] - shares[0][0]
    host, workers, drawing = ((shares[1][i] - shares[0][i]) / wall for i in (1, 2, 3))
    frames = last["frames"] - first["frames"]
    passed = last["t"] - first["t"]
    ms_per_frame = 1000 * drawing * wall / max(1, frames)
    whole = (host + workers) * wall / max(
        0.02, passed
    ) + 0.025 * ms_per_frame  # what keeping pace takes, whoever else computes
    browser = f"Chromium, {last['renderer']}".split(" (")[0]
    of = f"playwright {version('playwright')}"
    return [
        Figure(f"realtime_{NODES}_missed", last["missed"] - first["missed"], "pictures", limit=0,
               said=f"{wall:.0f} s, {last['received'] - first['received']} came; {browser}, {of}"),
        Figure(f"realtime_{NODES}_pictures_per_s", (last["received"] - first["received"]) / wall, "1/s",
               "made by the room", 25.0, limit=24.5, more=True),
        Figure(f"realtime_{NODES}_drawn_per_s", frames / wall, "1/s", "asked for",
               25.0, limit=25.0, more=True),
        Figure(f"realtime_{NODES}_pace", passed / wall, "room s per s", "the clock", 1.0, limit=0.99, more=True),
        Figure(f"realtime_{NODES}_late_s", last["late"] - first["late"], "s", limit=0.25),
        Figure(f"realtime_{NODES}_longest_gap_ms", last["longest_gap_ms"], "ms", "two pictures", 80.0),
        Figure(f"realtime_{NODES}_host_cpu", host, "cores", "two cores", 2.0, limit=2.0),
        Figure(f"realtime_{NODES}_workers_cpu", workers, "cores", "two cores", 2.0, limit=2.0),
        Figure(f"realtime_{NODES}_browser_cpu", drawing, "cores", "two cores", 2.0, limit=2.0),
        Figure(f"realtime_{NODES}_browser_ms_per_frame", ms_per_frame, "CPU ms", limit=40.0),
        Figure(f"realtime_{NODES}_cores_at_pace_1", whole, "cores", "two cores", 2.0, limit=2.0,
               said="room and browser drawing 25 pictures/s, from their CPU time"),
    ]  # fmt: skip

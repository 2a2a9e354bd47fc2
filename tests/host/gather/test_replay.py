"""A stored gathering on the live page: drawn by the device's code, paused, sped up, gone through with the slider."""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from ports import missing
from pulseweave.gather.record import Event
from pulseweave.gather.replay import Replay
from pulseweave.gather.store import open_store
from pulseweave.gather.web.server import serve
from pulseweave.problem import Problem
from running import eventually
from test_store import T, state
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
MINUTES = 5


@pytest.fixture
def stored(tmp_path):
    """Five minutes: calm for two, then stirred; a scene change at three; nobody at strand 3 in the last minute."""
    store = open_store(str(tmp_path / "room.db"))
    for node in range(1, 7):
        store.write([
            state(node, n, touched=not (node == 3 and n >= 533), arousal=60 if n < 266 else 190, fast=60 if n < 266 else 190)
            for n in range(MINUTES * 60_000 // 450)
        ])  # fmt: skip
    store.write([(T + 180_000, Event(1, 9, 7, 0, 1, b"\x01\x14"))])
    store.hang([(n, f"thread {n}", 1.2 * n, 0.3 * (n % 3), 2.6, 60) for n in range(1, 7)])
    yield store
    store.close()


@pytest.fixture
def replay(stored):
    room = Replay(stored, T, T + MINUTES * 60_000, "evening")
    yield room
    room.close()


@pytest.fixture
def playing(replay):
    thread = threading.Thread(target=replay.run, daemon=True)
    thread.start()
    yield replay
    replay.running = False
    thread.join(5)


def test_it_goes_anywhere(replay):
    def at(seconds):
        replay.command({"do": "seek", "to": seconds})
        replay.step()
        s = replay.state()
        assert abs(s["t_s"] - seconds) < 0.2
        return s

    a = at(60)["room"]["collective"]
    assert a == pytest.approx(60 / 255, abs=0.01) and replay.meta()["scene"] == "hearth"
    rows = replay.history()
    assert 50 <= len(rows) <= 62 and rows[-1][1] == pytest.approx(60 / 255, abs=0.01)
    assert at(200)["room"]["collective"] == pytest.approx(190 / 255, abs=0.01)
    assert replay.meta()["scene"] == replay.table.scenes[1]
    assert at(290)["nodes"]["contact"] == [1, 1, 0, 1, 1, 1]
    at(60)
    assert replay.meta()["scene"] == "hearth" and replay.state()["nodes"]["contact"] == [1] * 6
    for wrong in ({"do": "seek", "to": -1}, {"do": "seek", "to": 1e9}, {"do": "seek", "to": "x"}, {"do": "upset"},
                  {"do": "speed", "to": 1e6}, {"do": "seek", "to": True}):  # fmt: skip
        with pytest.raises(Problem):
            replay.command(wrong)


def test_a_jump_finds_what_held_and_who_had_started_again(stored):
    stored.write([
        (T + 100_000, Event(1, 10, 7, 0, 2, b"\xff\x01")),
        (T + 200_000, Event(1, 20, 7, 0, 2, b"\x01\x00")),
    ])  # fmt: skip
    later = [state(9, n, epoch=8, arousal=200) for n in range(100, 140)]
    stored.write([state(9, n, arousal=20) for n in range(400)])
    stored.write([(t + 300 * 450, p) for t, p in later])  # it starts again, at a smaller number
    room = Replay(stored, T, T + MINUTES * 60_000, "evening")
    for seconds, damping in ((50, True), (110, False), (199, False), (210, True), (110, False), (50, True)):
        room.command({"do": "seek", "to": seconds})
        room.step()
        assert room.meta()["damping"] is damping, seconds
    room.command({"do": "seek", "to": 190})
    room.step()
    assert room.table.now[9].state.arousal == 200
    room.close()


def test_strands_shine_as_the_room_felt(replay):
    """The same device code as on a node: brighter when stirred, one colour for all where nobody touches."""

    def light(seconds):
        replay.command({"do": "seek", "to": seconds})
        for _ in range(150):
            replay.step()
            replay._at += 40
            replay._feed()
        return np.frombuffer(replay.frame()[1], np.uint8).reshape(6, 60, 3).astype(float)

    calm, stirred = light(30), light(150)
    assert stirred.mean() > 1.2 * calm.mean() > 0
    assert stirred.shape == (6, 60, 3)


def test_it_plays_pauses_and_runs_faster(playing):
    eventually(lambda: playing.state()["t_s"] > 0.5, 20, 0.02)
    playing.command({"do": "speed", "to": 16})
    t0, w0 = playing.state()["t_s"], time.monotonic()
    time.sleep(2)
    pace = (playing.state()["t_s"] - t0) / (time.monotonic() - w0)
    assert 8 < pace < 20
    playing.command({"do": "pause"})
    time.sleep(0.2)
    t0 = playing.state()["t_s"]
    time.sleep(0.4)
    assert playing.state()["t_s"] == t0
    playing.command({"do": "resume"})
    playing.command({"do": "seek", "to": MINUTES * 60 - 1})
    eventually(lambda: playing.state()["t_s"] == MINUTES * 60, 10, 0.05)  # stays at the end
    playing.command({"do": "seek", "to": 170})
    playing.command({"do": "speed", "to": 8})
    eventually(lambda: [e for e in playing.events() if e["kind"] == "scene"], 10, 0.05)


def test_pages_get_the_curve_of_the_moment(playing):
    with serve(playing, port=0) as server:

        async def run():
            async with connect(f"ws://127.0.0.1:{server.port}/live", max_size=None) as page:
                await page.send(json.dumps({"do": "seek", "to": 250, "id": 1}))
                histories, end = [], time.monotonic() + 15
                while time.monotonic() < end and not (
                    histories and histories[-1] and histories[-1][-1][0] > 240
                ):
                    message = await asyncio.wait_for(page.recv(), 5)
                    if isinstance(message, str) and (body := json.loads(message))["type"] == "history":
                        histories.append(body["rows"])
                return histories

        rows = asyncio.run(run())[-1]
    assert rows[0][0] < 80 and rows[-1][0] > 240 and len(rows) > 100


@pytest.mark.server
def test_the_slider_by_hand_and_by_keyboard(playing):
    try:
        from picture import FLAGS, chromium
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is missing: run `make test`")
    if not chromium():
        missing("no Chromium: apt-get install chromium")
    with serve(playing, port=0) as server, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
        errors = []
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(server.url)
        eventually(lambda: page.evaluate("(window.pulseweave?.stats.drawn ?? 0) >= 3"), 20)
        slider = page.locator("#when")
        assert (
            slider.is_visible()
            and not page.locator("#upset").is_visible()
            and not page.locator("#damping").is_visible()
        )
        box = slider.bounding_box()
        assert box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
        eventually(lambda: 225 < playing.state()["t_s"] < 260, 10)
        eventually(lambda: "4 minutes" in slider.get_attribute("aria-valuetext"), 5)
        slider.focus()
        page.keyboard.press("Home")
        eventually(lambda: playing.state()["t_s"] < 10, 10)
        page.keyboard.press("End")
        eventually(lambda: playing.state()["t_s"] > 298, 10)
        assert page.get_by_role("slider", name="moment").count() == 1
        browser.close()
        assert not errors, errors

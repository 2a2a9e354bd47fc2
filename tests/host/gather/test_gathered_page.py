"""The page of a gathered room: strands drawn by the device's code from what the mesh told; no order that it cannot obey."""

import io
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from ports import missing
from pulseweave.firmware import Firmware
from pulseweave.gather.record import Event, State
from pulseweave.gather.room import Room, grid
from pulseweave.gather.table import Table
from pulseweave.gather.web.server import serve
from running import eventually

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))


class Fed:
    """A gathered room of `nodes` whose packets come twice a second; node 3 has a sensor fault, node 4 falls silent."""

    def __init__(self, nodes=6, placed=True):
        self.table = Table()
        self.room = Room(self.table, grid(list(range(1, nodes + 1))) if placed else [], title="hall")
        self.nodes, self.n, self.arousal = nodes, 0, 60
        self.running = True
        self.threads = [threading.Thread(target=t, daemon=True) for t in (self.feed, self.room.run)]
        for t in self.threads:
            t.start()

    def feed(self):
        while self.running:
            now = round(time.time() * 1000)
            for node in range(1, self.nodes + 1):
                flags = (node != 2) | (8 if node == 3 else 0)
                if node != 4 or self.n < 1:
                    a = self.arousal if node != 2 else 0
                    self.table.hear(now, State(node, self.n, 7, 0, a, a, 200 * (node != 2), 30, flags, -60))
            self.n += 1
            time.sleep(0.25)

    def stop(self):
        self.running = self.room.running = False
        for t in self.threads:
            t.join(5)
        self.room.close()


@pytest.fixture
def fed():
    f = Fed()
    yield f
    f.stop()


def test_a_room_from_packets(fed):
    eventually(lambda: fed.room.state().get("room"), 20)
    s = fed.room.state()
    assert s["nodes"]["contact"] == [1, 0, 1, 1, 1, 1] and s["nodes"]["health"][2] == "sensor fault"
    assert s["room"]["collective"] == pytest.approx(60 / 255, abs=0.01) and "hr" not in s["nodes"]
    calm = eventually(lambda: fed.n > 20 and np.frombuffer(fed.room.frame()[1], np.uint8).mean(), 30)
    fed.arousal = 230
    time.sleep(5)
    assert np.frombuffer(fed.room.frame()[1], np.uint8).mean() > calm, "stirred rooms shine brighter"
    fed.table.hear(round(time.time() * 1000), Event(1, 9, 7, 0, 1, b"\x01\x05"))
    assert fed.room.meta()["scene"] == fed.table.scenes[1]
    assert fed.room.events()[-1]["text"] == f"scene {fed.table.scenes[1]}"


def test_strands_nobody_has_placed_are_hung_as_they_are_met():
    f = Fed(3, placed=False)
    eventually(lambda: len(f.room.meta()["strands"]) == 3 and f.room.state().get("room"), 20)
    f.nodes = 5  # of whom node 4 says nothing
    eventually(lambda: len(f.room.meta()["strands"]) == 4 and len(f.room.frame()[1]) == 4 * 60 * 3, 20)
    f.stop()


@pytest.fixture(scope="module")
def browser():
    try:
        from picture import FLAGS, chromium
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is missing: run `make test`")
    if not chromium():
        missing("no Chromium: apt-get install chromium")
    with sync_playwright() as p:
        running = p.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


def opened(browser, url, **kw):
    page = browser.new_page(**kw)
    page.errors = []
    page.on("pageerror", lambda e: page.errors.append(str(e)))
    page.goto(url)
    eventually(lambda: page.evaluate("(window.pulseweave?.stats.drawn ?? 0) >= 3"), 30)
    return page


@pytest.mark.server
def test_it_is_drawn_and_offers_nothing_it_cannot_do(browser, fed, tmp_path):
    with serve(fed.room, port=0) as server:
        page = opened(browser, server.url, viewport={"width": 960, "height": 600})
        page.mouse.move(400, 300)
        eventually(lambda: "5 visitors" in page.locator("#summary").inner_text(), 10)
        for control in ("#pause", "#upset", "#damping", "#speed", "#scenario", "#when"):
            assert not page.locator(control).is_visible(), control
        page.locator("#picker").focus()
        page.keyboard.press("ArrowRight")
        eventually(lambda: page.locator("#lean").is_visible(), 5)
        assert not page.locator("#finger").is_visible()
        eventually(lambda: "somebody is here" in page.locator("#picked").inner_text()
                   or "nobody here" in page.locator("#picked").inner_text(), 5)  # fmt: skip
        for key in ("u", "d", " "):
            page.keyboard.press(key)
        from PIL import Image

        time.sleep(1)
        image = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), float)
        assert image.max() > 120 and (image.max(axis=2) > 60).mean() > 0.002, "strands are seen"
        eventually(lambda: "a look" in page.locator("#health").inner_text(), 10)
        assert not page.errors
        page.close()


@pytest.mark.server
def test_it_shows_what_a_node_runs_and_how_it_crashed(browser, fed):
    note = {"boot": 3, "part": "light", "marks": "", "text": "Traceback:\nValueError: no strand"}
    for node in (1, 2, 3):
        fed.room.people.hear(
            node, Firmware("virtual", "0123abcd" if node < 3 else "feedbeef", (note,) if node == 3 else ())
        )
    with serve(fed.room, port=0) as server:
        page = opened(browser, server.url, viewport={"width": 960, "height": 600})
        page.mouse.move(400, 300)
        eventually(lambda: "1 runs another release" in page.locator("#health").inner_text(), 10)
        for i, runs, badge in ((0, "0123abcd", ""), (2, "feedbeef", "most others run 0123abcd")):
            page.evaluate(f"window.pulseweave.leanTo({i})")
            eventually(lambda runs=runs: runs in page.locator("#lean-list").inner_text(), 10)
            assert page.locator("#lean-badge").inner_text() == badge
        eventually(lambda: "light: ValueError: no strand" in page.locator("#lean-list").inner_text(), 10)
        assert "crash, boot 3" in page.locator("#lean-list").inner_text() and not page.errors
        page.close()


@pytest.mark.server
def test_it_finds_the_room_again_and_needs_the_token(browser, fed):
    server = serve(fed.room, "127.0.0.1", 0, token="let me in").start()
    page = opened(browser, server.url, viewport={"width": 390, "height": 844})
    port, drawn = server.port, page.evaluate("window.pulseweave.stats.drawn")
    server.stop()
    eventually(lambda: "silent" in page.locator("#notice").inner_text(), 10)
    server = serve(fed.room, "127.0.0.1", port, token="let me in").start()
    eventually(lambda: page.evaluate("window.pulseweave.stats.drawn") > drawn + 3, 30)
    stranger = browser.new_page()
    stranger.goto(f"http://127.0.0.1:{port}/")
    time.sleep(1)
    assert stranger.evaluate("window.pulseweave?.stats.drawn ?? 0") == 0, "no token, no room"
    server.stop()
    stranger.close()
    page.close()


def test_where_drawing_is_slow_time_gives_way_and_not_the_pictures(monkeypatch):
    """A picture that is late asks for no more ticks than are drawn soon, or each would come later than the last."""
    asked = []

    class Slow:
        scenes = ("hearth",)

        def __init__(self, strands, pixels):
            self.n = len(strands)

        def picture(self, room_ms, now_ms, rows, scene, damping, ticks, afresh):
            asked.append(ticks)
            time.sleep(0.03 * ticks)  # half as fast as the room
            return bytes(self.n * 180), None

        def close(self):
            pass

    monkeypatch.setattr("pulseweave.gather.room.Draw", Slow)
    room = Room(Table(), grid([1, 2]))
    for _ in range(8):
        room.step()
    assert max(asked[2:]) <= 5, asked

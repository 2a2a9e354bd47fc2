"""Fixtures of the page's tests: a demo room, its server, a browser whose pages must not complain."""

from contextlib import contextmanager

import pytest
from demo import Demo
from picture import FLAGS, chromium, eventually
from ports import missing
from pulseweave.gather.web.server import serve


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    if not path:
        missing("no Chromium: apt-get install chromium, or name one with PULSEWEAVE_CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is missing: run `make test` or pip install playwright")
    with sync_playwright() as p:
        running = p.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def room():
    demo = Demo(nodes=24, pixels=60).start()
    yield demo
    demo.stop()


@pytest.fixture
def server(room):
    with serve(room, port=0) as running:
        yield running


@pytest.fixture
def open_page(browser):
    """Opens pages and fails the test where one of them complains. `open_page.serving(room, ...)` is a server that stops
    after its pages: those that were left would complain of its end."""
    contexts, complaints = [], []

    def open_(url: str, width: int = 960, height: int = 600, pictures: int = 10, **kw):
        context = browser.new_context(viewport={"width": width, "height": height}, **kw)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(url)
        eventually(page, f"window.pulseweave?.stats.drawn >= {pictures}", 30)
        return page

    def close():
        while contexts:
            contexts.pop().close()

    @contextmanager
    def serving(*room, **kw):
        with serve(*room, **kw) as server:
            yield server
            close()

    open_.complaints, open_.serving = complaints, serving
    yield open_
    close()
    # software WebGL says that reading back is slow; that is the test's doing
    said = [c for c in complaints if "GPU stall due to ReadPixels" not in c]
    assert not said, said

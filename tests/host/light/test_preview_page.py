"""A scene on the live page: the source the server asks, and a change of scene while it plays."""

import json
import threading
import urllib.request

import numpy as np
import pytest
from pulseweave.gather.web.server import serve
from pulseweave.light.page import Page
from pulseweave.light.scene import Play, frames
from pulseweave.problem import Problem


def test_the_page_shows_what_plays_and_changes_the_scene():
    with Play("hearth", 3, 20) as play:
        page = Page(play, "hearth")
        thread = threading.Thread(target=page.run, args=(4,))
        thread.start()
        with serve(page, "127.0.0.1", 0) as server, urllib.request.urlopen(server.url) as answer:
            assert b"<html" in answer.read().lower()
        assert page.command({"do": "scene", "name": "fault"}) == {"ok": True}
        assert "there are hearth" in page.command({"do": "scene", "name": "disco"})["error"]
        assert "whole room" in page.command({"do": "upset"})["error"]
        thread.join()
    t_s, rgb = page.frame()
    assert t_s == 4 and len(rgb) == 3 * 20 * 3
    last = np.frombuffer(rgb, np.uint8).reshape(3, 20, 3).astype(int)
    assert (last[..., 0] >= last[..., 2]).all() and last[..., 0].max() > last[
        ..., 2
    ].max() + 5  # amber: the fault scene
    meta = page.meta()
    assert meta["scene"] == "fault" and len(meta["strands"]) == 3
    assert page.events()[0]["text"] == "scene fault" and page.events() == []
    json.dumps([meta, page.state()])


def test_frames_are_the_same_every_time():
    first, again = ([f.tobytes() for f in frames("tide", 2, 10, 1)] for _ in range(2))
    assert first == again and len(first) == 25


def test_unknown_scene():
    with pytest.raises(Problem, match=r"no scene 'disco'.*hearth"):
        Play("disco", 1, 10)

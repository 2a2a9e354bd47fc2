"""What travels between a room and its pages."""

import asyncio
import json

import numpy as np
import pytest
from listener import answer, header, listen, live
from pulseweave.gather.web import wire
from pulseweave.problem import Problem


def test_wire_packs_and_refuses():
    message = wire.picture(5, 1.5, 2, 3, bytes(range(18)))
    assert header(message) == (b"PW", 1, 1, 5, 1.5, 2, 3, 0)
    assert message[wire.HEADER.size :] == bytes(range(18))
    with pytest.raises(ValueError):
        wire.picture(5, 1.5, 2, 3, b"short")
    for garbage in (b"\x00", "", "[]", '{"do":1}', "[" * 4000, '{"do":"' + "x" * 5000 + '"}', '"\\ud800'):
        with pytest.raises(wire.Garbage):
            wire.command(garbage)


def test_numbers_of_numpy_and_nothing_infinite_reach_the_page():
    body = json.loads(
        wire.text("state", state={"a": np.float32([0.5, np.nan]), "n": np.int16(3), "b": np.bool_(True)})
    )
    assert body["state"] == {"a": [0.5, None], "n": 3, "b": True}


def test_a_page_hears_the_room(server, room):
    async def run():
        async with live(server) as page:
            return await listen(page, 2.0)

    pictures, words = asyncio.run(run())
    kinds = [w["type"] for w in words]
    assert kinds[:2] == ["meta", "history"] and kinds.count("state") >= 6
    assert len(words[0]["meta"]["strands"]) == 24
    assert len(pictures) >= 30
    seqs = [header(p)[3] for p in pictures]
    assert seqs == sorted(set(seqs))
    assert all(header(p)[5:7] == (24, 60) and len(p) == 24 + 24 * 60 * 3 for p in pictures)
    assert len({p[24:] for p in pictures}) > 20, "the light does not move"
    assert "neighbours" not in words[2]["state"]["nodes"]


def test_neighbours_come_to_who_leans_in(server, room):
    async def run():
        async with live(server) as page:
            await page.send('{"do":"look","node":3}')
            _, words = await listen(page, 1.0)
            await page.send('{"do":"look","node":null}')
            await listen(page, 0.4)
            _, after = await listen(page, 0.8)
            for wrong in ("99", "-1", "true", '"x"', "1.5"):
                await page.send('{"do":"look","node":' + wrong + "}")
            _, wrongly = await listen(page, 0.8)
            return words, after, wrongly

    words, after, wrongly = asyncio.run(run())
    near = [w for w in words if w["type"] == "near"]
    assert near and near[-1]["node"] == 3 and near[-1]["neighbours"] == room.near[3]
    assert not [w for w in after + wrongly if w["type"] == "near"]
    assert room.commands == []


def test_commands_reach_the_room_and_meta_comes_back(server, room):
    async def run():
        async with live(server) as page:
            assert (await answer(page, {"do": "scenario", "name": "stress"}))["ok"]
            _, words = await listen(page, 1.0)
            refused = await answer(page, {"do": "sing"})
            return words, refused

    words, refused = asyncio.run(run())
    assert room.commands[0] == {"do": "scenario", "name": "stress"}
    assert [w["meta"]["scenario"] for w in words if w["type"] == "meta"] == ["stress"]
    assert [e["kind"] for w in words if w["type"] == "events" for e in w["events"]] == ["scenario"]
    assert not refused["ok"] and "sing" in refused["text"]


def test_a_room_that_fails_in_a_command_says_so_and_goes_on(server, room, monkeypatch):
    def fail(c):
        raise Problem("no such thread") if c["do"] == "lift" else RuntimeError("boom")

    monkeypatch.setattr(room, "command", fail)

    async def run():
        async with live(server) as page:
            a, b = await answer(page, {"do": "lift"}), await answer(page, {"do": "upset"})
            return a, b, (await listen(page, 0.5))[0]

    a, b, pictures = asyncio.run(run())
    assert a["text"] == "no such thread" and "boom" in b["text"] and pictures

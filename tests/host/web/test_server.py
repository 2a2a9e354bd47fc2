"""The page's server: who may come in, what travels, and that nobody can spoil it for the others."""

import asyncio
import itertools
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from demo import Demo
from pulseweave.gather.web import wire
from pulseweave.gather.web.pump import Pump
from pulseweave.gather.web.server import serve
from pulseweave.problem import Problem
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


def live(server, **kw):
    return connect(f"ws://127.0.0.1:{server.port}/live", max_size=None, close_timeout=0.5, **kw)


def header(message: bytes):
    return wire.HEADER.unpack_from(message)


async def listen(socket, seconds: float):
    """Everything that arrives in `seconds`, as (pixels, messages)."""
    pictures, words = [], []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(socket.recv(), left)
        except TimeoutError:
            break
        if isinstance(message, bytes):
            pictures.append(message)
        else:
            words.append(json.loads(message))
    return pictures, words


async def answered(socket) -> dict:
    """The first answer, whatever it says."""
    while True:
        message = await asyncio.wait_for(socket.recv(), 5)
        if isinstance(message, str) and (body := json.loads(message))["type"] == "answer":
            return body


async def answer(socket, command: dict) -> dict:
    await socket.send(json.dumps({**command, "id": 7}))
    while True:
        message = await asyncio.wait_for(socket.recv(), 5)
        if isinstance(message, str) and (body := json.loads(message))["type"] == "answer":
            assert body["id"] == 7
            return body


# --- what travels


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


# --- who may come in


def status(server, **kw):
    async def run():
        async with live(server, **kw):
            return 101

    try:
        return asyncio.run(run())
    except InvalidStatus as e:
        return e.response.status_code


def test_only_our_own_page_may_listen(server):
    assert status(server) == 101
    assert status(server, origin=f"http://127.0.0.1:{server.port}") == 101
    for stranger in ("http://evil.example", f"http://127.0.0.1:{server.port + 1}", "null"):
        assert status(server, origin=stranger) == 403


def get(url: str, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def test_files_are_served_and_a_rebound_name_is_not(server):
    code, headers, body = get(server.url)
    assert (
        code == 200 and b"Pulseweave" in body and "default-src 'self'" in headers["content-security-policy"]
    )
    assert get(server.url + "js/main.js")[1]["content-type"].startswith("text/javascript")
    assert get(server.url, Host="rebound.example")[0] == 403
    assert get(server.url + "../server.py")[0] == 404
    assert get(server.url + "%2e%2e/server.py")[0] == 404


def test_a_file_that_is_known_is_not_sent_again(server):
    _, headers, _ = get(server.url + "js/main.js")
    again = get(server.url + "js/main.js", **{"If-None-Match": headers["etag"]})
    assert again[0] == 304 and again[2] == b"" and "default-src 'self'" in again[1]["content-security-policy"]
    assert get(server.url + "js/main.js", **{"If-None-Match": '"older"'})[0] == 200
    assert get(server.url + "js")[0] == 404


def test_beyond_loopback_a_token_is_needed(room):
    with serve(room, "127.0.0.1", 0, token="a secret/+") as server:
        assert server.url.endswith("#token=a%20secret%2F%2B")
        base = f"ws://127.0.0.1:{server.port}/live"

        async def opens(url):
            try:
                async with connect(url):
                    return True
            except InvalidStatus:
                return False

        assert not asyncio.run(opens(base))
        assert not asyncio.run(opens(base + "?token=wrong"))
        assert asyncio.run(opens(base + "?token=a%20secret%2F%2B"))
    with serve(room, "0.0.0.0", 0) as server:
        assert len(server.token) >= 20, "beyond loopback a token is made where none is given"
        assert status(server) == 403


def test_a_busy_port_is_one_clear_line(room):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem) as e:
            serve(room, port=port)
        text = str(e.value)
        assert (
            str(port) in text
            and f"--web 127.0.0.1:{port + 1}" in text
            and "--web off" in text
            and "\n" not in text
        )
    for host, port in (("127.0.0.1", 70000), ("no.such.host.invalid", 8080), ("203.0.113.7", 8080)):
        with pytest.raises(Problem):
            serve(room, host, port)


def test_stop_frees_the_port_and_the_thread(room):
    before = threading.active_count()
    server = serve(room, port=0).start()
    server.stop()
    server.stop()
    assert threading.active_count() == before
    serve(room, port=server.port).stop()


def test_stop_does_not_wait_for_pages(room):
    server = serve(room, port=0).start()

    async def run():
        async with live(server) as page:
            await page.recv()
            began = time.monotonic()
            await asyncio.to_thread(server.stop)
            return time.monotonic() - began

    assert asyncio.run(run()) < 4


# --- hostile pages


def test_garbage_and_oversize_are_refused_and_others_go_on(server, caplog):
    async def run():
        async with live(server) as good, live(server) as bad, live(server) as big, live(server) as binary:
            for _ in range(8):
                await bad.send("{" * 100)
            for _ in range(5):  # it comes back
                async with live(server) as again:
                    await again.send("[")
                    await answered(again)
            await big.send("x" * 100_000)
            await binary.send(b"\xff" * 64)
            codes = []
            for page in (bad, big):
                with pytest.raises(ConnectionClosed) as e:
                    while True:
                        await asyncio.wait_for(page.recv(), 5)
                codes.append(e.value.rcvd.code)
            told = [w for w in (await listen(binary, 0.5))[1] if w["type"] == "answer"]
            pictures, _ = await listen(good, 1.0)
            return codes, told, pictures

    codes, told, pictures = asyncio.run(run())
    assert codes == [1008, 1009]
    assert len(told) == 1 and not told[0]["ok"]
    assert len(pictures) > 15
    assert len([r for r in caplog.records if "garbage" in r.message]) == 1, "said once"


def test_bytes_that_are_no_websocket_at_all(server):
    for junk in (b"\x00" * 4096, b"GET /live HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"a" * 70000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
            s.sendall(junk)
    assert status(server) == 101


def test_a_slow_reader_is_skipped_and_nobody_waits_for_it(room):
    big = Demo(nodes=200, pixels=60)
    big.start()
    try:
        with serve(big, port=0) as server:

            async def run():
                slow = socket.socket()
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                slow.connect(("127.0.0.1", server.port))
                async with live(server, sock=slow) as stuck, live(server) as good:
                    stuck.transport.pause_reading()
                    pictures, _ = await listen(good, 5.0)
                    held = await memory(server, stuck)
                    stuck.transport.resume_reading()
                    late, _ = await listen(stuck, 1.5)
                    return pictures, late, held

            pictures, late, held = asyncio.run(run())
    finally:
        big.stop()
    assert len(pictures) > 60
    assert held < 512 << 10, f"{held} bytes wait for a page that does not read"
    seqs = [header(p)[3] for p in late]
    skips = max(b - a for a, b in itertools.pairwise(seqs))
    assert skips > 20, "old pictures were kept for a slow page"
    assert seqs[-1] >= header(pictures[-1])[3], "a slow page does not catch up"


async def memory(server, stuck) -> int:
    """Bytes that wait in the server's own buffers for the page `stuck`."""
    peer = stuck.local_address[1]
    for protocol in server._uvicorn.server_state.connections:
        if protocol.client and protocol.client[1] == peer:
            return protocol.transport.get_write_buffer_size()
    raise AssertionError("the slow page is not connected")


def test_a_page_that_never_reads_is_let_go(monkeypatch):
    monkeypatch.setattr("pulseweave.gather.web.server.STALLED_MS", 1500)
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("this system has no TCP_USER_TIMEOUT")
    big = Demo(nodes=200, pixels=60).start()
    with serve(big, port=0) as server:

        async def run():
            narrow = socket.socket()
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            narrow.connect(("127.0.0.1", server.port))
            stuck = await connect(
                f"ws://127.0.0.1:{server.port}/live", sock=narrow, ping_interval=None, max_size=None
            )
            stuck.transport.pause_reading()
            assert server.pages == 1
            end = time.monotonic() + 15
            while server.pages and time.monotonic() < end:
                await asyncio.sleep(0.1)
            stuck.transport.abort()
            return server.pages

        assert asyncio.run(run()) == 0
    big.stop()


def test_only_so_many_pages(server, monkeypatch):
    monkeypatch.setattr("pulseweave.gather.web.server.PAGES", 2)

    async def run():
        async with live(server), live(server):
            await asyncio.sleep(0.2)
            with pytest.raises(InvalidStatus):
                await connect(f"ws://127.0.0.1:{server.port}/live")
        await asyncio.sleep(0.3)
        async with live(server) as page:
            return await page.recv()

    assert '"meta"' in asyncio.run(run())


# --- the pump


def test_pictures_that_nobody_saw_are_counted():
    demo = Demo(nodes=4, pixels=10)
    pump = Pump(demo)
    pump.take_meta()
    for steps, seq in ((1, 1), (1, 2), (3, 5), (1, 6)):
        for _ in range(steps):
            demo.step(0.04)
        assert pump.take_picture()
        assert header(pump.picture.message)[3] == seq
    assert not pump.take_picture(), "the same picture twice"


def test_a_source_that_fails_is_reported_once(caplog):
    class Broken(Demo):
        def state(self):
            raise RuntimeError("no state today")

    demo = Broken(nodes=4, pixels=10).start()
    with serve(demo, port=0) as server:

        async def run():
            async with live(server) as page:
                return await listen(page, 1.2)

        pictures, _ = asyncio.run(run())
    demo.stop()
    assert pictures
    assert len([r for r in caplog.records if "take_state" in r.message]) == 1


def test_the_curve_is_there_for_pages_that_come_later(room):
    with serve(room, port=0) as server:
        time.sleep(1.6)

        async def run():
            async with live(server) as page:
                return await listen(page, 0.4)

        _, words = asyncio.run(run())
    rows = next(w["rows"] for w in words if w["type"] == "history")
    assert len(rows) >= 5 and all(len(r) == 4 for r in rows)
    assert [r[0] for r in rows] == sorted(r[0] for r in rows)

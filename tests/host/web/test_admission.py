"""Who may come in, and that the server comes and goes cleanly."""

import asyncio
import socket
import threading
import time

import pytest
from listener import get, live, status
from pulseweave.gather.web.server import serve
from pulseweave.problem import Problem
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


def test_only_our_own_page_may_listen(server):
    assert status(server) == 101
    assert status(server, origin=f"http://127.0.0.1:{server.port}") == 101
    for stranger in ("http://evil.example", f"http://127.0.0.1:{server.port + 1}", "null"):
        assert status(server, origin=stranger) == 403


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

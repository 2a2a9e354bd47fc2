"""Pages that send garbage, read slowly or never, or are too many spoil nothing for the others."""

import asyncio
import itertools
import socket
import time

import pytest
from demo import Demo
from listener import answered, header, listen, live, status
from pulseweave.gather.web.server import serve
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


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
    monkeypatch.setattr("pulseweave.gather.web.gate.STALLED_MS", 1500)
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

"""Consoles of simulated nodes, offered to `pulseweave gather --sim`: not for everybody, not to be flooded."""

import asyncio
import json

import pytest
from running import Running
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


def test_consoles_of_a_simulation_are_not_for_everybody():
    """Origin and node are checked, garbage and floods are survived, the room goes on."""
    sim = Running("sim", "calm", "--nodes", "3", "--workers", "1", "--web", "127.0.0.1:0")
    try:
        port = int(sim.until(r"http://127.0.0.1:(\d+)/")[1])
        url = f"ws://127.0.0.1:{port}/console?node="

        async def run():
            for node in ("0", "99", "x", "-1"):
                with pytest.raises((InvalidStatus, ConnectionClosed)):
                    async with connect(url + node) as line:
                        await line.recv()
            with pytest.raises(InvalidStatus):
                await connect(url + "1", origin="http://evil.example")
            async with connect(url + "1", max_size=None) as line:
                assert int(await line.recv()) > 0
                await line.send(b"\xff\x00garbage" * 200)
                await line.send(b"A" * 4000)
                await line.send("text is not for consoles")
                with pytest.raises(ConnectionClosed):
                    while True:
                        await asyncio.wait_for(line.recv(), 10)
            async with connect(url + "1", max_size=None) as line:
                await line.recv()
                with pytest.raises(ConnectionClosed):
                    await line.send(b"x" * 100_000)
                    while True:
                        await asyncio.wait_for(line.recv(), 10)
            async with connect(url + "1") as first, connect(url + "1") as second:
                assert await first.recv() == await second.recv()
                with pytest.raises(ConnectionClosed):  # a console belongs to whoever opened it last
                    while True:
                        await asyncio.wait_for(first.recv(), 10)
            async with connect(f"ws://127.0.0.1:{port}/live", max_size=None) as page:
                seen = set()
                while len(seen) < 3:  # the room goes on
                    message = await asyncio.wait_for(page.recv(), 10)
                    if isinstance(message, str) and json.loads(message)["type"] == "state":
                        seen.add(json.loads(message)["state"]["t_s"])

        asyncio.run(asyncio.wait_for(run(), 90))
        assert sim.process.poll() is None
    finally:
        sim.stop()

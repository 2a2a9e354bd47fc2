"""A page without a browser: connects, listens, commands."""

import asyncio
import json
import time
import urllib.error
import urllib.request

from pulseweave.gather.web import wire
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


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


def status(server, **kw):
    async def run():
        async with live(server, **kw):
            return 101

    try:
        return asyncio.run(run())
    except InvalidStatus as e:
        return e.response.status_code


def get(url: str, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()

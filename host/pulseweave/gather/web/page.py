"""One page: sends it what is newest as fast as it reads, and takes its commands, politely and in small bites."""

import asyncio
import contextlib
import logging
import time

from starlette.websockets import WebSocket, WebSocketDisconnect

from pulseweave.gather.web import wire
from pulseweave.gather.web.pump import Pump
from pulseweave.problem import Problem

log = logging.getLogger(__name__)
PATIENCE = 8  # messages of garbage before a page is shown the door
COMMANDS_PER_S = 10
BURST = 20
SAYS = 200  # characters of an error text that a page is shown


class Page:
    """A connected WebSocket. `serve()` returns when it has gone or has been refused."""

    def __init__(self, socket: WebSocket, pump: Pump, lock: asyncio.Lock):
        self.socket, self.pump, self.lock = socket, pump, lock
        self.wake = asyncio.Event()
        self.answers = []  # bounded: the next command is read when the last has been answered
        self.looks_at = None
        self.allowance, self.at = float(BURST), time.monotonic()

    async def serve(self) -> None:
        await self.socket.accept()
        self.wake.set()
        self.pump.waiting.add(self.wake)
        sending = asyncio.create_task(self.send())
        try:
            await self.listen()
        except WebSocketDisconnect:
            pass
        finally:
            self.pump.waiting.discard(self.wake)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await sending

    async def send(self) -> None:
        """Whatever is newer than what the page has; one send at a time, so that a slow page only skips."""
        pump, socket = self.pump, self.socket
        meta = state = picture = histories = 0
        events = pump.event_count
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self.wake.wait()
                self.wake.clear()
                while self.answers:
                    await socket.send_text(self.answers.pop(0))
                if meta != pump.meta.count:
                    first, meta = meta == 0, pump.meta.count
                    await socket.send_text(pump.meta.message)
                    if first:
                        histories = pump.histories
                        await socket.send_text(wire.text("history", rows=list(pump.history)))
                if histories != pump.histories and meta:
                    histories = pump.histories
                    await socket.send_text(wire.text("history", rows=list(pump.history)))
                if not meta:
                    continue
                if events != pump.event_count:
                    fresh = [event for count, event in pump.events if count > events]
                    events = pump.event_count
                    await socket.send_text(wire.text("events", events=fresh))
                if state != pump.state.count:
                    state = pump.state.count
                    await socket.send_text(pump.state.message)
                    if self.looks_at is not None:
                        await socket.send_text(pump.near(self.looks_at))
                if picture != pump.picture.count:
                    picture = pump.picture.count
                    await socket.send_bytes(pump.picture.message)

    async def listen(self) -> None:
        garbage = 0
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                body = wire.command(message.get("text"))
            except wire.Garbage as e:
                garbage += 1
                if garbage == 1 and self.pump.first_garbage(self.who()):
                    log.warning("somebody at %s sends garbage (%s); said once in a minute", self.who(), e)
                if garbage >= PATIENCE:
                    await self.socket.close(1008, "too much garbage")
                    return
                self.answer(None, False, f"not understood: {e}")
                continue
            await self.do(body)

    async def do(self, body: dict) -> None:
        """One command; the room does it in a thread of its own, so that the pictures go on meanwhile."""
        ident = body.pop("id", None)
        if not isinstance(ident, int):
            ident = None
        if body["do"] == "look":
            node = body.get("node")
            known = (
                isinstance(node, int)
                and not isinstance(node, bool)
                and 0 <= node < self.pump.room.get("nodes", 0)
            )
            self.looks_at = node if known else None
            return
        now = time.monotonic()
        self.allowance = min(BURST, self.allowance + (now - self.at) * COMMANDS_PER_S) - 1
        self.at = now
        if self.allowance < 0:
            await asyncio.sleep(-self.allowance / COMMANDS_PER_S)
        try:
            async with self.lock:
                result = await asyncio.to_thread(self.pump.source.command, body) or {}
            error = result.get("error")
        except Problem as e:
            error = str(e)
        except Exception as e:
            log.exception("the room failed in command %r", body["do"][:40])
            error = f"the room could not do that: {e}"
        self.answer(ident, error is None, str(error or result.get("text", ""))[:SAYS])
        if error is None:
            self.pump._ask(self.pump.take_meta)
            self.pump.wake()

    def answer(self, ident: int | None, ok: bool, words: str) -> None:
        self.answers.append(wire.text("answer", id=ident, ok=ok, text=words))
        del self.answers[:-64]
        self.wake.set()

    def who(self) -> str:
        return self.socket.client.host if self.socket.client else "?"

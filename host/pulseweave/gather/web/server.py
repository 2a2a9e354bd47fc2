"""Serves the live page and its WebSocket from a thread of its own.

    server = serve(source, "127.0.0.1", 8080)   # binds at once: a busy port is a Problem here, not later
    server.start()                              # returns when the page can be opened
    print(server.url)
    server.stop()

In: a source of pixels, state and events (README.md names its methods). Out: the page. The thread that runs the room is
only ever asked for what it has already made; encoding and sending happen here.
Who may come in is said in gate.py.
"""

import asyncio
import contextlib
import secrets
import socket as sockets
import threading
from pathlib import Path
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pulseweave.gather.web import wire
from pulseweave.gather.web.files import Files
from pulseweave.gather.web.gate import Gate, listen, loopback
from pulseweave.gather.web.page import Page
from pulseweave.gather.web.pump import Pump
from pulseweave.problem import Problem

STATIC = Path(__file__).parent / "static"
PAGES = 64  # at once


class Server:
    """The page's server; `start()` and `stop()` from any thread, `url` what to open. Also a context manager."""

    def __init__(self, source, host: str, port: int, token: str | None):
        self.host = host
        self.token = token or (None if loopback(host) else secrets.token_urlsafe(18))
        self.socket = listen(host, port)
        self.port = self.socket.getsockname()[1]
        self.pump = Pump(source)
        self.pages = 0
        self._lock = asyncio.Lock()  # one command at a time, whichever page it comes from
        self._ready, self._failed = threading.Event(), None
        self._thread = None

    @property
    def url(self) -> str:
        host = {"0.0.0.0": sockets.gethostname(), "::": sockets.gethostname()}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"#token={quote(self.token, safe='')}" if self.token else "")

    def start(self) -> "Server":
        app = Starlette(
            routes=[
                WebSocketRoute("/live", self.live),
                *self.gateway_routes(),
                Mount("/", Files(STATIC)),
            ],
            middleware=[Middleware(Gate, host=self.host, token=self.token)],
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=wire.LONGEST,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        if self._failed:
            raise Problem(f"the page did not start: {self._failed}")
        return self

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as e:
            self._failed = e
        finally:
            self._ready.set()

    async def _main(self) -> None:
        pumping = asyncio.create_task(self.pump.run())
        ready = asyncio.create_task(self._await_start())
        try:
            await self._uvicorn.serve(sockets=[self.socket])
        finally:
            for task in (pumping, ready):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _await_start(self) -> None:
        while not self._uvicorn.started:
            await asyncio.sleep(0.005)
        self._ready.set()

    async def live(self, socket: WebSocket) -> None:
        if self.pages >= PAGES:
            await socket.close(1013, "too many pages look at this room")
            return
        self.pages += 1
        try:
            await Page(socket, self.pump, self._lock).serve()
        finally:
            self.pages -= 1

    # --- consoles of simulated nodes, for `pulseweave gather --sim`

    def gateway_routes(self) -> list:
        """Where the source has consoles to offer (sim/live.py)."""
        source = self.pump.source
        if not hasattr(source, "console"):
            return []

        async def gateways(request):
            return JSONResponse(source.gateways())

        return [Route("/gateways", gateways), WebSocketRoute("/console", self.console)]

    async def console(self, socket: WebSocket) -> None:
        """Bytes to and from one node's console."""
        if self.pages >= PAGES:
            await socket.close(1013, "too many look at this room")
            return
        source = self.pump.source
        try:
            console = source.console(int(socket.query_params.get("node", "1")))
        except (ValueError, Problem) as e:
            await socket.close(1008, str(e)[:100])
            return
        self.pages += 1

        async def say():
            while console.open:
                if said := console.take():
                    await socket.send_bytes(said)
                await asyncio.sleep(0.05)
            await socket.close(1012, "the room has begun anew")

        await socket.accept()
        await socket.send_text(str(source.number))
        saying = asyncio.create_task(say())
        try:
            while True:
                console.put((await socket.receive_bytes())[: wire.LONGEST])
        except (WebSocketDisconnect, KeyError):
            pass
        finally:
            self.pages -= 1
            source.consoles.close(console)
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await saying

    def stop(self) -> None:
        """Lets every page go and frees the port; safe to call twice."""
        if self._thread:
            self._uvicorn.should_exit = True
            self._thread.join(5)
            self._thread = None
        self.socket.close()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def serve(source, host: str = "127.0.0.1", port: int = 8080, token: str | None = None) -> Server:
    """A server for `source` that has its port and waits for start(). Port 0 takes any free one.

    Beyond loopback a token is made where none is given; `url` carries it. Raises Problem for a busy or unusable port.
    """
    return Server(source, host, port, token)

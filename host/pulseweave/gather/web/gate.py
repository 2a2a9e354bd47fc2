"""The door of a page: the port it listens on, and who may come in.

In: HTTP requests and WebSockets. Out: those that may, with the headers that keep a page to itself.
Loopback is open to the pages that were served from here, and to nobody else's (Host and Origin are checked). Beyond
loopback a token is needed; it travels in the URL's fragment, which browsers keep to themselves.
"""

import errno
import hmac
import ipaddress
import socket as sockets
from urllib.parse import quote, urlsplit

from starlette.websockets import WebSocket

from pulseweave.problem import Problem

# bytes in the kernel for one page: a few pictures, so that a slow page is late by little
SEND_BUFFER = 256 << 10
STALLED_MS = 20_000  # a page that has not read for so long is let go
HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
]
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> sockets.socket:
    """A listening socket. Raises Problem, in one line with the remedy, where it cannot be had."""
    if not 0 <= port <= 65535:
        raise Problem(f"port {port} does not exist: name one from 1024 to 65535, e.g. --web 127.0.0.1:8080")
    try:
        family, kind, proto, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
    except (sockets.gaierror, UnicodeError):
        raise Problem(
            f"no such host {host!r} for the page: use e.g. --web 127.0.0.1:8080 or --web off"
        ) from None
    s = sockets.socket(family, kind, proto)
    try:
        s.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        s.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER)
        if hasattr(sockets, "TCP_USER_TIMEOUT"):
            s.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, STALLED_MS)
        s.bind(address)
        s.listen(128)
    except OSError as e:
        s.close()
        if e.errno == errno.EADDRINUSE:
            raise Problem(
                f"port {port} on {host} is busy: choose another with --web {host}:{port + 1} "
                f"or turn the page off with --web off"
            ) from None
        why = {errno.EACCES: "not permitted", errno.EADDRNOTAVAIL: "not an address of this machine"}
        raise Problem(
            f"the page cannot listen on {host}:{port} ({why.get(e.errno or 0, e.strerror)}): "
            f"use e.g. --web 127.0.0.1:8080 or --web off"
        ) from None
    return s


class Gate:
    """Refuses strangers before anything else sees them: wrong Host, wrong Origin, missing token."""

    def __init__(self, app, host: str, token: str | None):
        self.app, self.token = app, token
        self.names = (*LOCAL_NAMES, host) if loopback(host) else None

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        refusal = self.refusal(scope)
        if scope["type"] == "websocket":
            if refusal:
                socket = WebSocket(scope, receive, send)
                return await socket.close(1008, refusal)
            return await self.app(scope, receive, send)
        if refusal:
            body = refusal.encode()
            head = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": head + HEADERS})
            return await send({"type": "http.response.body", "body": body})

        async def dressed(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        return await self.app(scope, receive, dressed)

    def refusal(self, scope) -> str | None:
        try:
            return self._refusal(scope)
        except ValueError:
            return "that is no address"

    def _refusal(self, scope) -> str | None:
        heads = {k: v.decode("latin-1") for k, v in scope["headers"]}
        host = heads.get(b"host", "")
        if self.names and urlsplit(f"//{host}").hostname not in self.names:
            return "this page is for this machine"  # a name that was rebound to 127.0.0.1
        if scope["type"] != "websocket":
            return None
        origin = heads.get(b"origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "another site's page may not listen"
        if self.token:
            given = dict(p.partition("=")[::2] for p in scope["query_string"].decode("latin-1").split("&"))
            if not hmac.compare_digest(given.get("token", "").encode(), quote(self.token, safe="").encode()):
                return "the token is missing or wrong"
        return None

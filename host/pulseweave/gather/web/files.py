"""The page's own files, read once and kept: an ASGI app that answers from memory.

In: a folder. Out: GET and HEAD of what is in it, `/` is index.html; an ETag, so that a browser that has a file is told so in
a line. A page is some twenty small files: looked up on the disk in threads each time they cost more than all that follows.
"""

import hashlib
import mimetypes
from pathlib import Path

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


class Files:
    def __init__(self, folder: Path):
        self.answers = {}
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            body = path.read_bytes()
            kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            self.answers["/" + path.relative_to(folder).as_posix()] = (body, kind, tag)
        if "/index.html" in self.answers:
            self.answers["/"] = self.answers["/index.html"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a WebSocket that asks for something else than /live
            return await send({"type": "websocket.close", "code": 1008, "reason": "nothing is said here"})
        await self.answer(scope)(scope, receive, send)

    def answer(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("only GET and HEAD", 405, headers={"allow": "GET, HEAD"})
        found = self.answers.get(scope["path"])
        if found is None:
            return PlainTextResponse("there is no such file", 404)
        body, kind, tag = found
        asked = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        if tag in (t.strip().removeprefix("W/") for t in asked.split(",")):
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, media_type=kind, headers={"etag": tag})

"""The chart on a page: a small server for this machine alone, which gives the newest document to whoever asks.

In: a function that returns the chart's document. Out: `url`. The page draws it (static/map.js).
"""

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pulseweave.gather.web.address import host_port
from pulseweave.gather.web.gate import Gate, listen, loopback
from pulseweave.problem import Problem

STATIC = Path(__file__).parent / "static"


class MapPage:
    """Serves until stop(); `with` starts and stops it. Raises Problem for a port that cannot be had."""

    def __init__(self, where: str, document: Callable[[], dict]):
        found = host_port(where)
        if found is None:
            raise Problem(f"--web {where}: write HOST:PORT, e.g. --web 127.0.0.1:8090")
        host, port = found
        if not loopback(host):
            raise Problem(f"--web {where}: the map is for this machine: use 127.0.0.1:{port}")
        self.host, self.document = host, document
        self.socket = listen(host, port)
        self.url = f"http://{host}:{self.socket.getsockname()[1]}/"

    def __enter__(self) -> "MapPage":
        import threading

        import uvicorn

        async def newest(request):
            return JSONResponse(self.document())

        app = Starlette(
            routes=[Route("/chart", newest), Mount("/", StaticFiles(directory=STATIC, html=True))],
            middleware=[Middleware(Gate, host=self.host, token=None)],
        )
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.should_exit = True
        self.thread.join(5)
        self.socket.close()

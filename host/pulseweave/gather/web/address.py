"""Where a page is served: the text of every command's --web."""

from pulseweave.problem import Problem


def address(web: str) -> tuple[str, int] | None:
    """(host, port) of HOST:PORT, None for off. Raises Problem."""
    if web == "off":
        return None
    host, colon, port = web.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()):
        raise Problem(f"--web {web}: write HOST:PORT, e.g. 127.0.0.1:8080, or off")
    return host, int(port)

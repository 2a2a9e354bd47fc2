"""Where a page is served: the text of every command's --web."""

from pulseweave.problem import Problem


def address(web: str) -> tuple[str, int] | None:
    """(host, port) of HOST:PORT, None for off. Raises Problem."""
    if web == "off":
        return None
    found = host_port(web)
    if found is None:
        raise Problem(f"--web {web}: write HOST:PORT, e.g. 127.0.0.1:8080, or off")
    return found


def host_port(text: str) -> tuple[str, int] | None:
    """(host, port) of HOST:PORT, None where it is something else."""
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and port.isascii() and port.isdigit() else None

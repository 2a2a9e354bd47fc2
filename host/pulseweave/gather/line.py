"""A line to a gateway node: bytes to and fro, over a serial port or to a node of a running simulation.

`open_line("/dev/ttyUSB0")` and anything else pyserial opens; `open_line("sim://127.0.0.1:8080/1")` is the console of node 1
of the `pulseweave sim` whose page is there. Both have read() (what came within 50 ms, maybe nothing), write(), close(); both
raise LineLost where nobody is at the other end (any more).
"""

import contextlib
import http.client
import json
import os
import urllib.request

from pulseweave import ports
from pulseweave.gather.web.address import host_port
from pulseweave.problem import Problem

BAUD = 115_200
WAIT_S = 0.05
AT_ONCE = 4096


class LineLost(Exception):
    """Nobody there, or no longer: try again."""


class Serial:
    """A serial port, pty, socket:// or rfc2217://. `run` 0: real nodes."""

    run = 0

    def __init__(self, port: str):
        import serial

        self.error = (serial.SerialException, OSError)
        self.claim = ports.Claim(port, "gather", yields=True)
        if not self.claim.take():
            raise LineLost(f"{port}: another command uses it")
        try:
            self.line = serial.serial_for_url(port, baudrate=BAUD, timeout=WAIT_S, write_timeout=2)
        except ValueError as e:
            self.claim.release()
            raise Problem(
                f"--port {port}: {e}: name a port like /dev/ttyUSB0 or socket://HOST:PORT"
            ) from None
        except self.error as e:
            self.claim.release()
            raise LineLost(
                f"{port}: {os.strerror(code) if (code := getattr(e, 'errno', None)) else e}"
            ) from None

    def read(self) -> bytes:
        if self.claim.wanted():
            raise LineLost("lent to another command")
        try:
            first = self.line.read(1)
            return first + self.line.read(min(self.line.in_waiting, AT_ONCE)) if first else b""
        except self.error as e:
            raise LineLost(str(e)) from None
        except TypeError:  # pyserial, where another thread has closed the port
            raise LineLost("closed") from None

    def write(self, data: bytes) -> None:
        try:
            self.line.write(data)
        except self.error as e:
            raise LineLost(str(e)) from None

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.line.close()
        self.claim.release()


class Simulated:
    """The console of one node of a running simulation, through its page's server; `run` is this run's number."""

    def __init__(self, url: str):
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        self.error = (WebSocketException, OSError, EOFError)
        host, _, node = url.removeprefix("sim://").partition("/")
        try:
            self.line = connect(
                f"ws://{host}/console?node={node}", max_size=1 << 20, compression=None, open_timeout=5
            )
            self.run = int(self.line.recv(5))
        except (*self.error, ValueError) as e:
            raise LineLost(f"no simulation at {host} ({type(e).__name__})") from None

    def read(self) -> bytes:
        try:
            return bytes(self.line.recv(WAIT_S))  # type: ignore[arg-type]
        except TimeoutError:
            return b""
        except self.error as e:
            raise LineLost(f"the simulation went away ({type(e).__name__})") from None

    def write(self, data: bytes) -> None:
        try:
            self.line.send(data)
        except self.error as e:
            raise LineLost(f"the simulation went away ({type(e).__name__})") from None

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.line.close()


def open_line(name: str) -> Serial | Simulated:
    """The line called `name`. Raises LineLost, or Problem for a name that cannot be one."""
    return Simulated(name) if name.startswith("sim://") else Serial(name)


def simulation(where: str) -> dict:
    """What a running simulation at HOST:PORT offers: `gateways` (node numbers) and `strands`. Raises Problem."""
    found = host_port(where)
    if found is None:
        raise Problem(f"--sim {where}: write HOST:PORT of the page of a running `pulseweave sim`")
    try:
        with urllib.request.urlopen("http://{}:{}/gateways".format(*found), timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        raise Problem(
            f"--sim {where}: no simulation there: start one with `pulseweave sim --web {where}`, or name its page"
        ) from None

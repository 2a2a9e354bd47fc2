"""`pulseweave console`: one node, live; also its bytes as they come, or as JSON lines."""

import contextlib
import json
import os
import select
import sys
import termios
import time
import tty

import rich_click as click

from pulseweave import ports, serial_link
from pulseweave.bench.console.link import LIVE, Link
from pulseweave.bench.console.model import Model
from pulseweave.problem import Problem

LOOK_S = 0.05  # the line is read in one go this often: a hundred frames a second cost twenty wake-ups
DRAW_S = 0.25
ESCAPE = b"\x1d"  # Ctrl-] leaves raw mode, as in telnet


class Log:
    """A file of JSON lines with the host's time; Problem where it cannot be written."""

    def __init__(self, path: str | None):
        try:
            self._f = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115 (open as long as the console)
        except OSError as e:
            raise Problem(f"{path}: cannot be written ({e.strerror}): give --log another file") from None

    def __call__(self, line: str) -> None:
        if self._f:
            self._f.write(line + "\n")
            self._f.flush()


def line(kind: str, value) -> str:
    """One event as a line of JSON: `t` host seconds, `kind`, and its values."""
    body = {"t": round(time.time(), 3), "kind": kind}
    if kind == "answer":
        body |= {"question": value[0], "answer": value[1]}
    elif isinstance(value, dict):
        body |= value
    else:
        body["text"] = value
    return json.dumps(body, ensure_ascii=False)


@contextlib.contextmanager
def keyboard():
    """Keys one by one, without echo, while it lasts; nothing where stdin is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield fd
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def keys(fd: int | None) -> bytes:
    """What has been typed."""
    if fd is None or not select.select([fd], [], [], 0)[0]:
        return b""
    return os.read(fd, 256)


@click.command("console")
@click.option("--port", metavar="P", help="The node's port. Default: the only one plugged in.")
@click.option("--raw", is_flag=True, help="Bytes as they come, keys as they are typed; Ctrl-] leaves.")
@click.option("--json", "as_json", is_flag=True, help="Every frame, answer and line as one line of JSON.")
@click.option("--log", "log_file", metavar="FILE", help="Also write everything to FILE, as JSON lines.")
@click.option("--seconds", type=click.FloatRange(min=0), metavar="S", help="Leave after S seconds.")
@click.option("--baud", type=ports.SPEED, default=ports.BAUD, show_default=True, help="Speed of the line.")
def command(port, raw, as_json, log_file, seconds, baud):
    """Watch a node: beats, arousal, light, mesh, crash notes; switch its scenes.

    It comes back when the board does.

    Example: pulseweave console --port /dev/ttyUSB0 --log evening.jsonl
    """
    if raw and as_json:
        raise Problem("--raw and --json exclude each other: leave one out")
    port = ports.only(port)
    end = time.monotonic() + seconds if seconds is not None else None
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        if raw:
            run_raw(port, baud, end, Log(log_file))
        elif as_json or not sys.stdout.isatty():
            run_json(port, baud, end, Log(log_file))
        else:
            run_screen(port, baud, end, Log(log_file))


def run_raw(port: str, baud: int, end: float | None, log: Log) -> None:
    """A plain terminal. Ctrl-C goes to the board. In the log: its lines, and what frames say in words."""
    receiver, answers = serial_link.Receiver(), serial_link.Answers()

    def show(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def heard(data: bytes) -> None:
        show(data)
        for g in receiver.feed(data):
            if isinstance(g, serial_link.Text):
                log(line("text", g.text))
            elif done := answers.feed(g):
                log(line("text", done[2]))

    link = Link(port, baud, streams=False, heard=heard)
    try:
        with keyboard() as fd:
            if fd is not None:
                tty.setraw(fd)
                show(b"-- raw: Ctrl-] leaves --\r\n")
            while end is None or time.monotonic() < end:
                for kind, text in link.poll():
                    show(f"\r\n-- {text} --\r\n".encode())
                    log(line(kind, text))
                typed = keys(fd)
                if ESCAPE in typed:
                    return
                if typed and link.line:
                    with contextlib.suppress(OSError):
                        link.line.write(typed)
                time.sleep(LOOK_S if not typed else 0.01)
    finally:
        link.close()
        for g in receiver.rest():
            log(line("text", g.text))


def run_json(port: str, baud: int, end: float | None, log: Log) -> None:
    """Lines of JSON on stdout; lines on stdin, where it is a pipe, are commands for the node."""
    link = Link(port, baud)
    piped = not sys.stdin.isatty()
    rest = b""
    try:
        while end is None or time.monotonic() < end:
            for kind, value in link.poll():
                text = line(kind, value)
                log(text)
                print(text, flush=True)
            if piped and select.select([sys.stdin], [], [], 0)[0]:
                data = os.read(sys.stdin.fileno(), 4096)
                piped = bool(data)
                *words, rest = (rest + data).split(b"\n")
                for w in words:
                    if w.strip():
                        link.ask(w.decode("utf-8", "replace").strip())
            time.sleep(LOOK_S)
    finally:
        link.close()


class Screen:
    """What keys do: a pane, a command being typed."""

    def __init__(self, link: Link, model: Model):
        self.link, self.model = link, model
        self.pane, self.typed = "", None
        self.over = False

    def key(self, typed: bytes) -> None:
        """Act on what was typed."""
        for c in typed.decode("utf-8", "ignore"):
            self.model.version += 1
            if self.typed is not None:
                self._command(c)
            elif c == "q":
                self.over = True
            elif c == ":":
                self.typed = ""
            elif c == "i":
                self.link.ask("identify")
            elif c in "cm":
                self.pane = "crash" if c == "c" and self.pane != "crash" else ""
                self.link.ask("crash" if self.pane else "mesh")
            elif c.isdigit() and 0 < int(c) <= len(self.model.scenes):
                self.link.ask(f"scene {self.model.scenes[int(c) - 1]}")

    def _command(self, c: str) -> None:
        assert self.typed is not None
        if c in "\r\n":
            if self.typed.strip():
                self.link.ask(self.typed.strip())
            self.typed = None
        elif c == "\x1b":
            self.typed = None
        elif c in "\x7f\b":
            self.typed = self.typed[:-1]
        elif c.isprintable():
            self.typed += c


def run_screen(port: str, baud: int, end: float | None, log: Log) -> None:
    """The live screen."""
    from rich.console import Console
    from rich.live import Live

    from pulseweave.bench.console import view

    link = Link(port, baud)
    model = Model(port)
    screen = Screen(link, model)
    terminal = Console()
    drawn, shown = 0.0, None
    try:
        with keyboard() as fd, Live(console=terminal, screen=True, auto_refresh=False) as live:
            while not screen.over and (end is None or time.monotonic() < end):
                for kind, value in link.poll():
                    model.take(kind, value)
                    log(line(kind, value))
                screen.key(keys(fd))
                now = time.monotonic()
                # a heart that beats is worth a picture; otherwise only what changed is drawn
                face = (model.version, link.state, now - model.beat_at < 0.35, terminal.size)
                if now > drawn + DRAW_S and face != shown:
                    drawn, shown = now, face
                    width, height = terminal.size
                    live.update(
                        view.screen(model, link.state, link.why, width, height, screen.pane, screen.typed),
                        refresh=True,
                    )
                time.sleep(LOOK_S)
    finally:
        link.close()
        if link.state != LIVE and link.why:
            print(link.why, file=sys.stderr)

"""Boards to work on: mock chips for esptool, virtual boards for everything that MicroPython answers; images made here."""

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ports import PATIENCE
from pulseweave.figures.parts.mock_image import merged
from pulseweave.paths import ROOT


@pytest.fixture
def image(tmp_path):
    """Writes an image for a chip: path = image("esp32")."""

    def make(chip="esp32", seed=1, name=None) -> Path:
        path = tmp_path / (name or f"{chip}-{seed}.bin")
        path.write_bytes(merged(chip, seed))
        return path

    return make


@pytest.fixture(autouse=True)
def own_bench(tmp_path, tmp_path_factory, monkeypatch):
    """Claims, ledger and ports of this test alone."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    monkeypatch.setenv("PULSEWEAVE_LEDGER", str(tmp_path / "ledger.jsonl"))
    monkeypatch.delenv("PULSEWEAVE_PORTS", raising=False)


def pulseweave(*arguments, code: int | None = 0, timeout=120) -> subprocess.CompletedProcess:
    """Run the command; `code` is what it must exit with. No traceback ever."""
    done = subprocess.run(
        [sys.executable, "-m", "pulseweave", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    if code is not None:
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    if code == 2:
        lines = [x for x in done.stderr.splitlines() if x.startswith("pulseweave:")]
        assert lines and all(len(x) < 400 for x in lines), done.stderr
    return done


class Running:
    """A virtual board in a process of its own; `port` is a link that stays when the board is started again."""

    def __init__(self, folder: Path, *options: str, board="virtual", air: Path | None = None):
        self.folder, self.link = folder, folder.with_suffix(".tty")
        self.arguments = [
            sys.executable,
            "-m",
            "pulseweave",
            "virtual-board",
            "--board",
            board,
            "--dir",
            str(folder),
            "--link",
            str(self.link),
            "--air",
            str(air or folder.parent / "air"),
            *options,
        ]
        self.port = str(self.link)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout and self.process.stdout.readline().strip()

    def cut(self) -> None:
        """The plug."""
        self.process.kill()
        self.process.wait()
        self.link.unlink(missing_ok=True)

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=20)

    def mpremote(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", os.path.realpath(self.port), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def power(tmp_path):
    """Starts virtual boards, and switches them off."""
    running = []

    def start(name="board", *options, **kw) -> Running:
        running.append(Running(tmp_path / name, *options, **kw))
        return running[-1]

    yield start
    for b in running:
        b.stop()


def until(what, seconds=20.0, step=0.1):
    """Wait until `what()` is true; returns it."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        if said := what():
            return said
        assert time.monotonic() < end, "it did not happen"
        time.sleep(step)


class Desk:
    """A virtual board in this process: quick to switch off and on, its flash can be put aside and back."""

    def __init__(self, folder: Path, tree: Path | None = None, board="virtual"):
        from pulseweave.bench.virtual_board import alone, prepare
        from pulseweave.boards import load

        self.folder, self.air = folder, folder.parent / "a"
        self._lock = alone(folder)
        self.plan = prepare(folder, load(board), tree, True)
        self.on()
        until(lambda: self.supervisor.mounted, step=0.02)
        self.plan["format"] = False

    def on(self) -> None:
        import threading

        from pulseweave.bench.supervisor import Supervisor

        self.supervisor = Supervisor(self.plan, self.folder, self.air)
        self.port = self.supervisor.path
        self.powered = True
        self.lives = 0

        def live():
            while self.powered:
                self.supervisor.step(0.02)

        self.thread = threading.Thread(target=live, daemon=True)
        self.thread.start()

    def off(self) -> None:
        """The plug: the interpreter ends in the middle of whatever it does."""
        if not self.powered:
            return
        with contextlib.suppress(OSError):
            self.supervisor.board.process.kill()
        self.powered = False
        self.thread.join()
        self.supervisor.close()

    def flash(self) -> bytes:
        return (self.folder / "flash.img").read_bytes()

    def put_flash(self, data: bytes) -> None:
        (self.folder / "flash.img").write_bytes(data)

    def hears(self, pattern: str, seconds=15.0) -> "re.Match":
        """What the board prints, until `pattern` (a regular expression) is found in it."""
        import serial

        text = ""
        end = time.monotonic() + seconds
        with serial.Serial(self.port, 115200, timeout=0.05) as line:
            while time.monotonic() < end:
                text += line.read(4096).decode("utf-8", "replace")
                if m := re.search(pattern, text):
                    return m
        raise AssertionError(f"{pattern!r} was not heard, but {text[-300:]!r}")


@pytest.fixture
def desk(tmp_path):
    """Makes virtual boards in this process: desk("name", tree)."""
    made = []

    def make(name="d", tree=None, **kw) -> Desk:
        made.append(Desk(tmp_path / name, tree, **kw))
        return made[-1]

    yield make
    for d in made:
        d.off()
        d._lock.close()


def long_tree(place: Path) -> Path:
    """The firmware and so much beside it that its deploy takes some seconds."""
    shutil.copytree(ROOT / "device", place, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "weave" / "filler.py").write_text(f"X = '{random.Random(1).randbytes(200_000).hex()}'\n")
    return place


def small_tree(place: Path, version: int, after: str = "") -> Path:
    """A firmware of a few modules, each of which knows its version; main.py prints them all once a second."""
    weave = place / "weave"
    weave.mkdir(parents=True)
    (weave / "__init__.py").write_text("")
    for name in ("one", "two", "three"):
        filler = random.Random(f"{name}{version}").randbytes(1500).hex()
        (weave / f"{name}.py").write_text(f"V = {version}\nX = '{filler}'\n")
    (place / "boot.py").write_text((ROOT / "device" / "boot.py").read_text() + f"\n# {version}\n")
    (place / "main.py").write_text(
        "import json, os, time\nfrom weave import one, two, three\n"
        "with open('board.json') as f:\n    board = json.load(f)\n" + after +
        "while True:\n"
        f"    print('ran', {version}, one.V, two.V, three.V, board['release'], os.getcwd())\n"
        "    time.sleep_ms(300)\n"
    )  # fmt: skip
    return place

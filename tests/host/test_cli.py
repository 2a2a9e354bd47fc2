"""The command as a whole: what it says of itself, and that saying it costs little."""

import os
import signal
import subprocess
import sys

import pytest
from pulseweave import cli
from pulseweave.cli import main
from pulseweave.commands import COMMANDS, OVERVIEW, load, panels

HEAVY = ("numpy", "starlette", "msgspec", "serial", "mpremote", "pulseweave.boards")
RICH = ("rich.console", "rich.progress", "rich.table")


def loaded(*words: str) -> set[str]:
    """The modules that `pulseweave WORDS` has imported when it ends."""
    code = "import sys, atexit\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    code += "from pulseweave.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name):
    sentences = {n: s for panel in panels().values() for n, s in panel.items()}
    assert sentences[name] == load(name).get_short_help_str(200)


def test_the_overview_has_every_command_once():
    names = [line.split()[0] for line in OVERVIEW.splitlines() if line.startswith(" ")]
    assert sorted(names) == sorted(COMMANDS)


def test_help_imports_no_command():
    assert not loaded("--help") & set(HEAVY)


def test_a_small_command_imports_no_numbers_and_draws_nothing():
    assert not loaded("images", "--json", "-") & {"numpy", "starlette", *RICH}


@pytest.mark.parametrize(
    ("word", "hint"), [("flahs", "did you mean `flash`?"), ("xyzzy", "see `pulseweave --help`")]
)
def test_an_unknown_command_is_one_line(word, hint, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pulseweave", word])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == f"pulseweave: {word}: no such command: {hint}\n"


WAITS = """
import time
from pulseweave import cli
def run():
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("in order again", flush=True)
cli.run = run
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_puts_in_order_what_it_began(number):
    child = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    child.send_signal(number)
    assert child.communicate(timeout=30)[0] == "in order again\n" and child.returncode == 128 + number


def test_nohup_has_its_way():
    child = subprocess.Popen(
        ["nohup", sys.executable, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout.readline() == b"begun\n"
    child.send_signal(signal.SIGHUP)
    child.terminate()
    assert child.wait(30) == 128 + signal.SIGTERM


def test_ctrl_c_while_it_loads_is_one_line(monkeypatch, capsys):
    def run():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", run)
    monkeypatch.setattr("sys.argv", ["pulseweave", "ledger"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1 and capsys.readouterr().err == "pulseweave: stopped\n"


def test_an_output_that_takes_nothing_is_one_line():
    line = [sys.executable, "-m", "pulseweave", "boards", "--json", "-"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("pulseweave: ") and "No space" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(line, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")

"""The command as a whole: what it says of itself, and that saying it costs little."""

import subprocess
import sys

import pytest
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

"""Every command has --json FILE, and what it writes is one JSON object; on stdout it is alone there.

Here are the commands without tests of their --json elsewhere.
"""

import json

import pytest
import rich_click as click
from benchtools import pulseweave, until
from pulseweave.bench import images, talk
from pulseweave.bench.ledger import Ledger
from pulseweave.cli import main
from pulseweave.commands import COMMANDS, load
from pulseweave.gather.record import State
from pulseweave.gather.store import open_store
from pulseweave.light.scene import FPS
from pulseweave.problem import Problem

SERVERS = {"virtual-board"}  # what runs until it is stopped, and has no end to tell of


def commands(name: str, command) -> dict:
    """A command and those under it that do something, by name."""
    if isinstance(command, click.RichGroup):
        below = {k: v for n, c in command.commands.items() for k, v in commands(f"{name} {n}", c).items()}
        return below | ({name: command} if command.invoke_without_command else {})
    return {name: command}


def test_no_command_is_without():
    every = {k: v for name in COMMANDS for k, v in commands(name, load(name)).items()}
    assert len(every) > 35 and "network rotate" in every
    without = {k for k, c in every.items() if not any("--json" in p.opts for p in c.params)}
    assert without == SERVERS


@pytest.fixture
def said(monkeypatch, capsys):
    """What `pulseweave LINE --json -` says on stdout; `keys` must be in it."""

    def run(line: str, **keys) -> dict:
        monkeypatch.setattr("sys.argv", ["pulseweave", *line.split(), "--json", "-"])
        with pytest.raises(SystemExit) as end:
            main()
        heard = capsys.readouterr()
        assert end.value.code == 0, (line, heard.err)
        found = json.loads(heard.out)
        assert found.items() >= keys.items(), (line, found)
        return found

    return run


def test_network_and_labels(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x" * 33, "ä" * 17, "a\nb", ""):
        assert "can be printed" in pulseweave("network", "new", "no.json", "--name", name, code=2).stderr
    said("network new hall.json --name hall", file="hall.json", name="hall", keys=[1], use=1, nodes=[])
    said("network rotate hall.json", keys=[1, 2], use=1)
    said("network promote hall.json", keys=[1, 2], use=2)
    said("network retire hall.json", keys=[2], use=2)
    text = json.dumps(said("network show hall.json", keys=[2]))
    assert not any(len(word) >= 32 for word in text.split('"')), "a key"
    Ledger().add("provision", "020000000001", "ok", node=3, network="hall", name="fern", board="virtual")
    label = {"node": 3, "name": "fern", "network": "hall", "board": "virtual", "mac": "02:00:00:00:00:01"}
    said("labels sheet.svg", file="sheet.svg", labels=[label])


def test_images_and_wiring(said, image, tmp_path, monkeypatch):
    lock = tmp_path / "firmware.lock"
    lock.write_text("")
    monkeypatch.setattr(images, "LOCK", lock)
    monkeypatch.setattr(images.pin, "__defaults__", (lock,))
    said("images", images={})
    file = image("esp32")
    one = said(f"images pin {file} --board esp32-devkit --version 1.29.0", file=file.name, chip="esp32")
    assert said("images")["images"][file.name]["sha256"] == one["sha256"]
    assert said("boards wiring esp32-devkit", name="esp32-devkit")["pins"]


def test_what_was_gathered(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    t = 1_790_000_000_000
    store = open_store("room.db")
    store.write(
        [
            (t + n * 450, State(node, n, 7, n * 450, arousal=50, fast=60, confidence=200, g=3, flags=1, rssi=-60))
            for n in range(50) for node in (1, 2)
        ]
    )  # fmt: skip
    store.close()
    said("export --db room.db --out x.csv", file="x.csv", table="states", rows=100, from_ms=t)
    said("report --db room.db --out x.html", file="x.html", from_ms=t, to_ms=t + 49 * 450 + 1)
    assert "stdout already" in pulseweave("export", "--db", "room.db", "--json", "-", code=2).stderr
    said("forget --db room.db 2", node=2, packets=50)
    said("prune --db room.db --before -1h", packets=50)


def test_light_sweep_and_training(said, tmp_path, monkeypatch, recorded):
    one = said("scene preview tide --seconds 1 --strands 2 --pixels 9", scene="tide", frames=FPS, file=None)
    assert 0 < one["duty_mean"] < one["duty_max"] <= 1
    monkeypatch.chdir(tmp_path)
    room = "--gain 2 --delay 2 --seeds 1 --model ou --law off --nodes 2 --jobs 1"
    runs = said(f"sweep {room} --out map", rooms=1, new=1, file="map.jsonl")["runs"]
    assert runs[0]["gain"] == 2 and said(f"sweep {room} --out map", new=0)["runs"] == runs
    (tmp_path / "few").mkdir()
    for path in sorted((recorded / "stress_predict").glob("*.npz"))[:2]:
        (tmp_path / "few" / path.name).symlink_to(path)
    few = said("train few --out weights.py", file="weights.py", changed=True, people=2)
    assert set(few["weights"]) == {"SKIN", "HEART", "RMSSD", "RISE"} and 0 <= few["figures"]["auc"] <= 1
    said("train few --out weights.py --check", changed=False)


def test_boards(said, power, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULSEWEAVE_PORTS", str(tmp_path / "*.tty"))
    said("network new hall.json --name hall")
    b = power("b")
    made = said(
        "station --board virtual --network hall.json --no-test --present --count 1", passed=1, failed=0
    )
    (seat,) = made["boards"]
    assert seat["verdict"] == "PASS" and seat["port"] == b.port and seat["node"] == 1

    def status():
        try:
            return talk.ask(b.port, "status")
        except Problem:
            return None

    until(status, 30, 0.5)
    said("identify --node 1", node=1, port=b.port, mesh=False)
    kept = said("backup fern.json", file="fern.json", port=b.port, mac=seat["mac"])
    assert kept["config"]["node"] == 1
    said("restore fern.json --network hall.json --yes", mac=seat["mac"], node=1, retired=None)
    nobody = ["--port", b.port, "--db", "off", "--web", "off", "--seconds", "2"]
    assert json.loads(pulseweave("gather", *nobody, "--json", "-").stdout)["store"] is None

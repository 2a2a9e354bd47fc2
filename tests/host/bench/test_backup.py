"""backup, restore: a board gives its place in the room to another, and the id stays one board's."""

import io
import json

import pytest
from benchtools import pulseweave
from pulseweave.bench import provision
from pulseweave.bench.ledger import Ledger
from pulseweave.bench.provisioning import provision_board
from pulseweave.network import Network
from pulseweave.problem import Problem
from rich.console import Console
from settled import running, secrets


def test_backup_goes_to_a_replacement_without_an_id_clash(power, net, tmp_path):
    old = power("old")
    kept = tmp_path / "fern.json"
    assert "never provisioned" in pulseweave("backup", kept, "--port", old.port, code=2).stderr
    pulseweave(
        "provision",
        "--port",
        old.port,
        "--network",
        net,
        "--node",
        7,
        "--name",
        "fern",
        "--set",
        "brightness=99",
    )
    pulseweave("backup", kept, "--port", old.port)
    assert not any(k in kept.read_text() for k in secrets(net))
    old.cut()
    new = power("new")
    done = pulseweave("restore", kept, "--network", net, "--port", new.port)
    assert "is retired" in done.stdout
    up = running(new)
    assert (up["node"], up["name"]) == (7, "fern")
    assert Network.load(net).nodes[7] == 2  # a new epoch above all the old board used
    book = Ledger()
    new_mac = book.owner("hall", 7)
    assert new_mac != json.loads(kept.read_text())["mac"]
    # the old board comes back: its id is another's now
    old.start()
    said = pulseweave("restore", kept, "--network", net, "--port", old.port, code=2).stderr
    assert f"belongs to board {new_mac}" in said
    assert "not a backup" in pulseweave("restore", net, "--network", net, "--port", old.port, code=2).stderr


def test_an_interrupted_restore_owns_its_id(power, net, tmp_path, monkeypatch):
    """It may have been written: onto another board it goes only where a person says that this one is gone."""
    kept = tmp_path / "fern.json"
    Ledger().add("provision", "020000000001", "ok", node=5, network="hall")
    config = {"node": 5, "name": "fern"}
    kept.write_text(json.dumps({"format": 1, "mac": "02:00:00:00:00:01", "config": config}))
    first, second = power("first"), power("second")

    def cut(*all_of_it):
        raise Problem("vanished")

    def once(port):
        screen, n = Console(file=io.StringIO()), Network.load(net)
        return provision_board(port, n, net, Ledger(), 5, {}, screen, replace="02:00:00:00:00:01", yes=True)

    monkeypatch.setattr(provision, "carry_out", cut)
    with pytest.raises(Problem, match="vanished"):
        once(first.port)
    owner = Ledger().owner("hall", 5)
    assert owner and owner != "02:00:00:00:00:01"
    said = pulseweave("restore", kept, "--network", net, "--port", second.port, code=2).stderr
    assert f"node 5 belongs to board {owner}" in said and "--node 5 --replace" in said
    assert "is retired" in pulseweave("restore", kept, "--network", net, "--port", first.port).stdout
    assert Ledger().owner("hall", 5) == owner


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"mac": None}, "no board's MAC"),
        ({"config": {"node": "7"}}, "node '7'"),
        ({"config": {"node": 0}}, "node 0"),
    ],
)
def test_a_damaged_backup_is_one_line(net, tmp_path, change, match):
    kept = {"format": 1, "mac": "02:00:00:00:00:01", "config": {"node": 7}, **change}
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    said = pulseweave(
        "restore", tmp_path / "kept.json", "--network", net, "--port", "/dev/null", code=2
    ).stderr
    assert "not a backup" in said and match in said

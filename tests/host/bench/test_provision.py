"""provision, backup, restore: a board gets its place in a room, and gives it to another."""

import io
import json

import pytest
from benchtools import pulseweave, until
from pulseweave.bench import provision
from pulseweave.bench.ledger import Ledger
from pulseweave.bench.provisioning import provision_board
from pulseweave.network import Network
from pulseweave.problem import Problem
from rich.console import Console
from settled import running, secrets, strand


def test_from_a_new_board_to_a_labelled_node_in_the_room(power, net, tmp_path):
    a, b = power("a"), power("b")
    done = pulseweave(
        "provision", "--port", a.port, "--network", net, "--node", 12, "--name", "fern", "--at", "1.5,2,0.8",
        "--test", "--label", tmp_path / "one.svg",
    )  # fmt: skip
    assert "PASS" in done.stdout and "fern" in done.stdout and "1500" in done.stdout
    # a duplicate is refused before anything is written; without --node the next free id is taken
    said = pulseweave("provision", "--port", b.port, "--network", net, "--node", 12, code=2).stderr
    assert "belongs to board" in said and "next free is 1" in said and "--replace" in said
    second = json.loads(pulseweave("provision", "--port", b.port, "--network", net, "--json", "-").stdout)
    assert second["node"] == 1
    up = running(a)
    assert (up["node"], up["name"]) == (12, "fern")
    # the same again changes nothing; another id asks first
    epoch = Network.load(net).nodes[12]
    again = pulseweave("provision", "--port", a.port, "--network", net, "--node", 12, "--name", "fern")
    assert "nothing to change" in again.stdout and Network.load(net).nodes[12] == epoch
    said = pulseweave("provision", "--port", a.port, "--network", net, "--node", 13, code=2).stderr
    assert "is node 12 already" in said and "--yes" in said
    # they hear each other, and can be found and asked by id through the other
    until(lambda: running(a).get("neighbours") == 1, 40, 0.5)
    until(
        lambda: "blinks" in pulseweave("identify", "--port", a.port, "--node", 1, code=None).stdout, 30, 0.5
    )
    until(lambda: len(strand(b)) == 1 or max(max(c) for c in strand(b)) > 0, 10)
    mesh = json.loads(pulseweave("status", "--port", a.port, "--node", 1, "--json", "-").stdout)
    assert mesh["node"] == 1 and "age" in mesh
    assert "on no port here" in pulseweave("status", "--port", a.port, "--node", 99, code=2).stderr
    found = json.loads(pulseweave("doctor", "--port", a.port, "--json", "-").stdout)["findings"]
    assert any("hears 1 nodes" in f["what"] for f in found) and not any(f["mark"] == "fault" for f in found)
    assert not any("place in the room" in f["what"] for f in found)
    # the sheet has both, and nowhere is a key
    for name in ("sheet.svg", "sheet.pdf"):
        pulseweave("labels", tmp_path / name)
    texts = [(tmp_path / n).read_text(errors="replace") for n in ("one.svg", "sheet.svg", "sheet.pdf")]
    texts += [Ledger().path.read_text(), done.stdout, done.stderr, again.stdout]
    assert "fern" in texts[1] and not any(k in t for k in secrets(net) for t in texts)
    state = Ledger().boards()
    assert sorted(s["node"] for s in state.values()) == [1, 12]
    assert "selftest" in next(s for s in state.values() if s["node"] == 12)["done"]


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


def test_plans_show_the_difference():
    net = Network.create("hall")
    config = {"node": 0, "name": "", "role": "node", "x": 0}
    state = {"set_up": False, "config": config, "keys": None}
    made = provision.plan(state, net, 5, {"x": 10})
    assert made.admit and [c[0] for c in made.changes] == ["node", "x", "keys"]
    keys = [provision.hashed(net.blob()), net.net, 0]
    state = {"set_up": True, "config": {**config, "node": 5, "x": 10}, "keys": keys}
    assert not provision.plan(state, net, 5, {"x": 10}).changes
    moved = provision.plan(state, net, 5, {"x": 11})
    assert moved.changes == [("x", "10", "11")] and not moved.admit and moved.net is None
    net.rotate()
    rotated = provision.plan(state, net, 5, {})
    assert [c[0] for c in rotated.changes] == ["keys"] and not rotated.admit
    assert not any(k.hex() in str(rotated.changes) for k in net.keys.values())
    for node, wanted, match in ((0, {}, "--node 0"), (5, {"colour": 1}, "no such setting")):
        with pytest.raises(Problem, match=match):
            provision.plan(state, net, node, wanted)


def test_ids_are_claimed_by_ledger_and_network_file(tmp_path):
    book, net = Ledger(tmp_path / "l"), Network.create("hall")
    book.add("provision", "02:00:00:00:00:01", "ok", node=3, network="hall")
    net.admit(4)
    assert provision.claim(book, net, "020000000001", 3, False) is None
    assert provision.free(book, net) == 1
    with pytest.raises(Problem, match="belongs to board 02:00:00:00:00:01"):
        provision.claim(book, net, "020000000002", 3, False)
    assert provision.claim(book, net, "020000000002", 3, True) == "02:00:00:00:00:01"
    with pytest.raises(Problem, match="given before"):
        provision.claim(book, net, "020000000002", 4, False)


def test_a_board_unplugged_while_it_gets_its_id_gets_that_id(power, net, monkeypatch):
    """At the station it was refused for ever: its id had been given, and the ledger did not say to whom."""
    b = power()
    real = provision.carry_out

    def cut_before(repl, plan, network, path):
        network.admit(plan.node)
        network.save(path)
        raise Problem("vanished")

    def cut_after(*all_of_it):
        real(*all_of_it)
        raise Problem("vanished")

    def once():
        screen = Console(file=io.StringIO())
        return provision_board(b.port, Network.load(net), net, Ledger(), None, {}, screen, yes=True)["node"]

    for cut in (cut_before, cut_after):
        monkeypatch.setattr(provision, "carry_out", cut)
        with pytest.raises(Problem, match="vanished"):
            once()
        assert Ledger().events[-1]["verdict"] == "begun"
    monkeypatch.setattr(provision, "carry_out", real)
    assert once() == 1 and Ledger().node_ids(Network.load(net).name) == {1}


def test_a_retired_board_is_called_so():
    Ledger().add("provision", "020000000001", "ok", node=7, network="hall")
    Ledger().add("retire", "020000000001", "ok", network="hall")
    assert "retired" in pulseweave("ledger").stdout


def test_bad_settings_write_nothing(power, net):
    b = power()
    for options, match in (
        (("--at", "here"), "--at here"),
        (("--set", "brightness"), "KEY=VALUE"),
        (("--set", "brightness=999"), "brightness is a number from 0 to 255"),
        (("--name", "x" * 40), "at most 24 bytes"),
        (("--node", "70000"), "1 to 65534"),
    ):
        said = pulseweave("provision", "--port", b.port, "--network", net, *options, code=2).stderr
        assert match in said, said
    state = json.loads(pulseweave("provision", "--port", b.port, "--network", net, "--json", "-").stdout)
    assert state["config"]["brightness"] == 255
    assert (
        "cannot read the network file"
        in pulseweave("provision", "--port", b.port, "--network", "none", code=2).stderr
    )

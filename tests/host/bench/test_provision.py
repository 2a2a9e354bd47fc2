"""provision: a board gets its place in a room."""

import io
import json
import os
import pty
import subprocess
import sys
import threading

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


def asking(port, net, *options):
    """`pulseweave provision` at a terminal, at its question, and the terminal's keys."""
    keys, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "pulseweave", "provision", "--port", port, "--network", str(net), *options],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"write this" not in said and (more := os.read(child.stderr.fileno(), 100)):
        said += more
    assert b"write this" in said, said
    return child, keys


def test_keys_made_while_it_asks_are_kept_and_given(power, net):
    b = power()
    pulseweave("provision", "--port", b.port, "--network", net)
    child, keys = asking(b.port, net, "--node", "5", "--json", "-")
    pulseweave("network", "rotate", net)
    os.write(keys, b"y\n")
    out, err = child.communicate(timeout=60)
    os.close(keys)
    assert child.returncode == 0, err
    assert json.loads(out)["changes"] == ["node", "keys"]  # and the question is not in the JSON
    assert list(Network.load(net).keys) == [1, 2] and Network.load(net).nodes == {1: 1, 5: 1}


def test_two_boards_at_once_get_two_ids(power, net, monkeypatch):
    boards = [power("a"), power("b")]
    met = threading.Barrier(2, timeout=60)
    real, done = provision.fits, []

    def fits(*all_of_it):
        real(*all_of_it)
        met.wait()  # both have chosen

    def work(port):
        screen = Console(file=io.StringIO())
        done.append(
            provision_board(port, Network.load(net), net, Ledger(), None, {}, screen, yes=True)["node"]
        )

    monkeypatch.setattr(provision, "fits", fits)
    workers = [threading.Thread(target=work, args=(b.port,)) for b in boards]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert sorted(done) == [1, 2] and Network.load(net).nodes == {1: 1, 2: 1}


def test_a_refused_setting_retires_nobody(power, net):
    Ledger().add("provision", "020000000001", "ok", node=5, network="hall")
    b = power()
    for pair, match in (
        ("brightness=999", "brightness is a number from 0 to 255"),
        ("brightness=--5", "brightness is a number from 0 to 255"),
        ("scene=disco", "scene is one of hearth, tide"),
        ("role=king", "role is one of node, gateway"),
    ):
        said = pulseweave(
            "provision", "--port", b.port, "--network", net, "--node", 5, "--replace", "--set", pair, code=2
        ).stderr
        assert match in said and "nothing was written" in said, said
    assert Ledger().owner("hall", 5) == "02:00:00:00:00:01" and len(Ledger().events) == 1


def test_what_was_done_is_told_also_where_its_label_cannot_be_written(power, net, tmp_path):
    b = power()
    done = pulseweave("provision", "--port", b.port, "--network", net, "--json", "-", "--label", tmp_path / "no" / "x.svg",
                      code=2)  # fmt: skip
    assert json.loads(done.stdout)["node"] == 1 and "cannot be written" in done.stderr


def test_a_retired_board_is_called_so():
    Ledger().add("provision", "020000000001", "ok", node=7, network="hall")
    Ledger().add("retire", "020000000001", "ok", network="hall")
    assert "retired" in pulseweave("ledger").stdout


def test_bad_settings_write_nothing(power, net):
    b = power()
    for options, match in (
        (("--at", "here"), "--at here"),
        (("--at", "inf,0"), "--at inf,0"),
        (("--node", "0"), "1 to 65534"),
        (("--set", "brightness"), "KEY=VALUE"),
        (("--set", "brightness=999"), "brightness is a number from 0 to 255"),
        (("--name", "x" * 40), "at most 24 bytes"),
        (("--node", "70000"), "1 to 65534"),
        (("--label", "x.png"), "x.png: labels are .svg or .pdf"),
    ):
        said = pulseweave("provision", "--port", b.port, "--network", net, *options, code=2).stderr
        assert match in said, said
    state = json.loads(pulseweave("provision", "--port", b.port, "--network", net, "--json", "-").stdout)
    assert state["config"]["brightness"] == 255
    named = pulseweave("provision", "--port", b.port, "--network", net, "--set", "name=12", "--json", "-")
    assert json.loads(named.stdout)["name"] == "12"
    assert (
        "cannot read the network file"
        in pulseweave("provision", "--port", b.port, "--network", "none", code=2).stderr
    )

"""provision, labels, self-test, backup, restore, identify, status, doctor, crash: on virtual boards."""

import io
import json
import re
import stat
import threading
import time
import xml.etree.ElementTree as xml
from contextlib import suppress

import pytest
import serial
from benchtools import pulseweave, small_tree, until
from pulseweave.bench import doctor, labels, provision
from pulseweave.bench.ledger import Ledger
from pulseweave.bench.provisioning import provision_board
from pulseweave.network import Network
from pulseweave.problem import Problem
from rich.console import Console


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "hall.json"
    pulseweave("network", "new", path, "--name", "hall")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def secrets(path) -> list[str]:
    """Every key of a network file, as it must never be printed."""
    n = Network.load(path)
    return [k.hex() for k in (*n.keys.values(), *n.commands.values())]


def strand(board) -> set[tuple]:
    """The colours the strand shows (wire order GRB as R, G, B)."""
    wire = (board.folder / "strand.bin").read_bytes()
    return {(wire[i + 1], wire[i], wire[i + 2]) for i in range(0, len(wire), 3)}


def running(board) -> dict:
    return until(
        lambda: json.loads(
            pulseweave("status", "--port", board.port, "--json", "-", code=None).stdout or "{}"
        ),
        30,
    )


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


def self_test(board, code: int):
    """A self-test, and the colours the strand showed meanwhile."""
    shown, on = [], True

    def look():
        while on:
            with suppress(OSError, IndexError):
                if not shown or strand(board) != shown[-1]:
                    shown.append(strand(board))
            time.sleep(0.02)

    eye = threading.Thread(target=look)
    eye.start()
    done = pulseweave("selftest", "--port", board.port, code=code)
    on = False
    eye.join()
    return done, shown


def test_selftest_fails_on_strand_and_screen_where_a_sensor_is_off(power, tmp_path):
    b = power()
    done, shown = self_test(b, 0)
    assert "PASS" in done.stdout and {(0, 24, 0)} in shown and {(24, 0, 0)} in shown  # a walk begins with red
    assert shown[-1] != {(24, 0, 0)}
    # the pulse sensor's wire hangs at ground: all samples of the modelled front end are zero
    b.cut()
    b.arguments += ["--unplug", "pulse"]
    b.start()
    done, shown = self_test(b, 1)
    assert "FAIL" in done.stdout and "hangs at ground" in done.stderr
    assert {(24, 0, 0)} in shown[shown.index({(0, 0, 0)}) :]  # red again after the walk
    assert Ledger().events[-1]["verdict"] == "failed"
    assert (
        "no firmware on this board"
        in pulseweave("selftest", "--port", power("blank", "--blank").port, code=2).stderr
    )


def test_crash_notes_and_safe_mode(power, tmp_path):
    b = power("b")
    assert "no crash notes" in pulseweave("crash", "--port", b.port).stdout
    for k in range(5):  # five resets nobody asked for, each soon after the node has begun
        if k:
            running(b)
        b.mpremote("exec", "--no-follow", "import machine; machine.reset()")
    with serial.Serial(b.port, 115200, timeout=0.1) as line:
        said = b""

        def heard():
            nonlocal said
            said += line.read(4096)
            return b"safe mode" in said

        until(heard, 30)
    notes = json.loads(pulseweave("crash", "--port", b.port, "--json", "-").stdout)["notes"]
    assert notes and notes[-1]["part"] == "boot" and notes[-1]["text"] == "crash"
    found = doctor.examine(b.port)
    assert any(
        f[0] == "fault" and "safe mode: 5 crash boots in a row, the last in boot" in f[1] for f in found
    )
    assert any("place in the room" in f[1] for f in found)
    pulseweave("crash", "--port", b.port, "--clear")


def test_doctor_says_what_is_missing(power, tmp_path):
    blank = power("blank", "--blank")
    found = doctor.examine(blank.port)
    assert ("fault", "no firmware on it", "pulseweave deploy") in found
    pulseweave("doctor", "--port", blank.port, code=1)
    found = doctor.examine("/dev/ttyNONE")
    assert found[0][:2] == ("fault", "no such port")
    tree = small_tree(tmp_path / "t", 1)
    other = power("other", "--firmware", str(tree))
    assert "no firmware on this board" not in pulseweave("doctor", "--port", other.port, code=1).stdout


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


def test_a_label_can_be_read_and_sheets_are_sound(tmp_path):
    many = [
        labels.Label(i, f"name & <{i}>", "hall", "esp32-devkit", f"24:0a:c4:00:00:{i:02x}")
        for i in range(1, 40)
    ]
    root = xml.fromstring(labels.svg(many))
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    assert len(groups) == 39 and root.get("height") == "594.0mm"
    side, runs = labels.modules(many[0].code())
    dark = {(x + i, y) for x, y, n in runs for i in range(n)}
    assert all((4 + i, 4) in dark for i in range(7)) and not any(x < 4 or x >= side - 4 for x, _ in dark)
    data = labels.pdf(many)
    assert data.startswith(b"%PDF-1.4") and data.count(b"/Type /Page ") == 2
    at = int(re.search(rb"startxref\n(\d+)", data)[1])
    assert data[at : at + 4] == b"xref"
    for i, line in enumerate(data[at:].split(b"\n")[3:9]):
        assert data[int(line[:10]) :].startswith(f"{i + 1} 0 obj".encode())
    with pytest.raises(Problem, match=r"\.svg or \.pdf"):
        labels.write(many, tmp_path / "x.png")
    assert "no provisioned board" in pulseweave("labels", tmp_path / "x.svg", code=2).stderr


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


def test_labels_of_a_network_by_its_name_or_by_its_file(tmp_path):
    """Every other command takes --network FILE, so this one must understand a file as well."""
    Network.create("hall").save(tmp_path / "keys.json")
    Ledger().add("provision", "020000000001", "ok", node=7, network="hall", name="fern")
    for word in ("hall", tmp_path / "keys.json"):
        assert "1 labels" in pulseweave("labels", tmp_path / "x.svg", "--network", word).stdout
    said = pulseweave("labels", tmp_path / "x.svg", "--network", "hell", code=2).stderr
    assert "no provisioned board there that fits" in said and "there is hall" in said


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

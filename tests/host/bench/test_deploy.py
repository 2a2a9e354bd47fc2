"""deploy: what changed and nothing else; old or new at every moment, never a mixture; refused where it does not fit."""

import json
import random
import threading
from contextlib import suppress

import pytest
from benchtools import pulseweave, small_tree
from pulseweave import boards
from pulseweave.bench import deploy, release, repl
from pulseweave.bench.ledger import Ledger
from pulseweave.bench.repl import Repl
from pulseweave.problem import Problem

BOARD = boards.load("virtual")
RAN = r"ran (\d) (\d) (\d) (\d) (\w{16}) (\S+)\r"


def put(port: str, made: release.Release) -> deploy.Done:
    with Repl(port) as r:
        done = deploy.deploy(r, deploy.look(r), BOARD, made)
        r.restart()
    return done


def runs(desk, made: dict[int, release.Release]) -> tuple[int, str]:
    """(version, directory) of what the board runs; all its parts must be of one version."""
    m = desk.hears(RAN)
    version = int(m[1])
    assert {m[1], m[2], m[3], m[4]} == {m[1]}, m[0]
    assert m[5] == made[version].id, m[0]
    return version, m[6]


@pytest.fixture
def versions(tmp_path):
    return {i: release.build(BOARD, small_tree(tmp_path / f"v{i}", i)) for i in (1, 2)}


def test_only_what_changed_and_trial_and_back(desk, versions):
    d = desk()
    first = put(d.port, versions[1])
    assert (first.target, first.written, first.copied) == ("a", 6, 0)
    assert runs(d, versions) == (1, "/a")
    assert not put(d.port, versions[1]).changed
    second = put(d.port, versions[2])
    assert second.target == "b" and second.copied == 1  # the empty __init__ lies there already
    assert runs(d, versions) == (2, "/b")
    # on trial: a third version would overwrite it, not the proven one; going back needs no writing
    back = put(d.port, versions[1])
    assert (back.target, back.written, back.copied) == ("a", 0, 0)
    assert runs(d, versions) == (1, "/a")
    again = put(d.port, versions[2])
    assert again.target == "b" and again.written == 0
    assert runs(d, versions) == (2, "/b")


def test_a_bad_version_is_left_after_three_boots(desk, tmp_path, versions):
    d = desk()
    put(d.port, versions[1])
    tree = small_tree(tmp_path / "bad", 3, after="print('bad boot')\nimport machine\nmachine.reset()\n")
    put(d.port, release.build(BOARD, tree))
    assert runs(d, versions) == (1, "/a")
    d.off()
    d.on()
    assert runs(d, versions) == (1, "/a")


class Cut(Exception):
    """The test pulled the cable."""


def cut_at(k: int, monkeypatch, during=None):
    """The k-th message of a session does not arrive, or (`during`) the plug is pulled while it is carried out."""
    original = Repl.run

    def run(self, code, timeout=20.0):
        if self.messages == k:
            if during:
                plug = threading.Timer(random.Random(k).uniform(0, 0.02), during)
                plug.start()
                with suppress(Problem):
                    original(self, code, 3)
                plug.join()
            raise Cut
        return original(self, code, timeout)

    monkeypatch.setattr(repl.Repl, "run", run)


@pytest.mark.parametrize("how", ["cable", "plug"])
def test_cut_at_every_message_the_board_boots_old_or_new(desk, versions, monkeypatch, how):
    d = desk()
    put(d.port, versions[1])
    assert runs(d, versions) == (1, "/a")
    d.off()
    before, seen, k = d.flash(), [], 0
    while True:
        d.put_flash(before)
        d.on()
        with monkeypatch.context() as patch:
            cut_at(k, patch, d.off if how == "plug" else None)
            try:
                put(d.port, versions[2])
                whole = True
            except (Cut, Problem):
                whole = False
        d.off()
        d.on()
        version, _ = runs(d, versions)
        seen.append(version)
        if not whole:  # run again: it ends with the new version, whatever lies there
            put(d.port, versions[2])
            assert runs(d, versions)[0] == 2
        d.off()
        if whole:
            break
        k += 1
    assert k >= 8 and seen[0] == 1 and seen[-1] == 2 and seen == sorted(seen), seen


def test_first_deploy_over_a_firmware_in_the_root_cut_at_every_message(desk, tmp_path, versions, monkeypatch):
    d = desk(tree=small_tree(tmp_path / "root", 1))
    (d.folder / "root.json").write_text("")
    d.off()
    before, seen, k = d.flash(), [], 0
    while True:
        d.put_flash(before)
        d.on()
        whole = True
        with monkeypatch.context() as patch:
            cut_at(k, patch)
            try:
                put(d.port, versions[2])
            except Cut:
                whole = False
        d.off()
        d.on()
        m = d.hears(r"ran (\d) (\d) (\d) (\d)|KeyError: release")  # the root's board.json has no release
        seen.append(2 if m[1] else 1)
        d.off()
        if whole:
            break
        k += 1
    assert seen[0] == 1 and seen[-1] == 2 and seen == sorted(seen)


def test_a_full_filesystem_is_said_and_the_old_version_runs_on(desk, versions):
    d = desk()
    put(d.port, versions[1])
    with Repl(d.port) as r:
        seen = deploy.look(r)
        r.run(
            f"f = open('/big', 'wb')\nfor i in range({seen.free // 4096 - 8}):\n    f.write(bytes(4096))\nf.close()",
            60,
        )
        seen = deploy.look(r)
        with pytest.raises(
            Problem, match=r"filesystem is full: \d+ KiB needed, \d+ KiB free.*old version runs on"
        ):
            deploy.deploy(r, seen, BOARD, versions[2])
        r.run(
            "try:\n    for i in range(64):\n        with open('/more%d' % i, 'wb') as f:\n            f.write(bytes(4000))\n"
            "except OSError:\n    pass"
        )
        seen.free = 1 << 20  # somebody else filled it meanwhile: the flash itself says no
        with pytest.raises(Problem, match=r"filesystem is full.*old version runs on"):
            deploy.deploy(r, seen, BOARD, versions[2])
        r.restart()
    assert runs(d, versions) == (1, "/a")
    with Repl(d.port) as r:
        r.run(
            "import os\nfor n in os.listdir('/'):\n    if n == 'big' or n.startswith('more'):\n        os.remove('/' + n)"
        )
    assert put(d.port, versions[2]).changed
    assert runs(d, versions) == (2, "/b")


def test_mismatch_is_refused_and_nothing_written(desk, tmp_path):
    d = desk()
    with Repl(d.port) as r:
        seen = deploy.look(r)

        def refused(name, made, match, **changes):
            other = deploy.Look(**{**seen.__dict__, **changes})
            with pytest.raises(Problem, match=match):
                deploy.check(d.port, other, boards.load(name), made)

        virtual, devkit = release.build(BOARD), release.build(boards.load("esp32-devkit"))
        refused("esp32-devkit", devkit, "wrong board")
        refused("virtual", virtual, "wrong board", machine="Generic ESP32 module with ESP32")
        refused("esp32-devkit", devkit, "wrong board", machine="Generic ESP32S3 module with ESP32S3")
        refused("virtual", virtual, r"set up as virtual-max30102.*--as-new", board="virtual-max30102")
        refused("virtual", virtual, "too old", version=[1, 20, 0])
        refused("virtual", virtual, "loads .mpy 5", mpy=5)
        refused("virtual", virtual, "does not run on xtensawin", mpy=6 | 3 << 8 | 10 << 10)
        esp = {"machine": "Generic ESP32 module with ESP32", "mpy": 6 | 3 << 8 | 10 << 10}
        deploy.check(d.port, deploy.Look(**{**seen.__dict__, **esp}), boards.load("esp32-devkit"), devkit)
    done = pulseweave("deploy", "--port", d.port, "--board", "esp32-devkit", code=2)
    assert "wrong board" in done.stderr
    assert Ledger().events[-1]["verdict"] == "refused"
    assert "which kind of board" in pulseweave("deploy", "--port", d.port, code=2).stderr
    with Repl(d.port) as r:
        assert deploy.look(r).proven() is None


def test_the_command_deploys_and_leaves_current_boards_alone(power):
    b = power(board="virtual-max30102")
    first = json.loads(pulseweave("deploy", "--port", b.port, "--wait", "--json", "-", timeout=90).stdout)[
        "boards"
    ][0]
    assert first["verdict"] == "ok" and first["board"] == "virtual-max30102"
    up = json.loads(pulseweave("status", "--port", b.port, "--json", "-").stdout)
    assert (
        up["garbage"] == 0 and up["release"] == first["release"]
    )  # it was left running, with nothing on its line
    again = json.loads(pulseweave("deploy", "--port", b.port, "--outdated", "--json", "-").stdout)["boards"][
        0
    ]
    assert again["verdict"] == "skipped" and again["release"] == first["release"]
    later = json.loads(pulseweave("status", "--port", b.port, "--json", "-").stdout)
    assert later["boots"] == up["boots"] and later["release"] == first["release"]  # it was not interrupted
    state = Ledger().boards()[first["mac"]]
    assert state["release"] == first["release"] and state["board"] == "virtual-max30102"


def test_vanished_in_the_middle(desk, versions):
    d = desk()
    with Repl(d.port) as r:
        seen = deploy.look(r)
        d.off()
        with pytest.raises(Problem, match=r"vanished|broke off"):
            deploy.deploy(r, seen, BOARD, versions[1])


@pytest.mark.parametrize(
    ("machine", "fits"),
    [
        ("Generic ESP32 module with ESP32", True), ("PICO with ESP32-PICO-V3-02", True), ("X with ESP32-D0WD", True),
        ("Generic ESP32C3 module with ESP32C3", False), ("Generic ESP32S3 module with ESP32-S3", False),
        ("Generic ESP32C6 module with ESP32C6", False), ("Pico with RP2040", False), ("linux [GCC 12]", False),
    ],
)  # fmt: skip
def test_one_chip_is_not_taken_for_another(machine, fits):
    board = boards.load("esp32-devkit")
    seen = deploy.Look(
        "aa", machine, [1, 26], 6 | 3 << 8 | 10 << 10, None, None, "/", "", "", "", 1 << 20, 4096
    )
    made = release.Release("x", {}, b"", 10)
    if fits:
        deploy.check("x", seen, board, made)
        seen.mpy |= 15 << 10  # one that is not known here
        with pytest.raises(Problem, match="does not run on architecture 15"):
            deploy.check("x", seen, board, made)
    else:
        with pytest.raises(Problem, match="wrong board: this is a"):
            deploy.check("x", seen, board, made)

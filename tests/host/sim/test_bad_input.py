"""Bad input gets one clear line and no traceback."""

import socket

import pytest
from asked import SHORT, pulseweave, refused
from pulseweave.problem import Problem
from pulseweave.sim import scenario
from pulseweave.sim.engine import Simulation
from pulseweave.sim.radio import Radio


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sim", "clam", *SHORT], ["clam", "calm"]),
        (["sim", "no/such.toml", *SHORT], ["such.toml", "--list"]),
        (["sim", "calm", *SHORT, "--board", "esp33"], ["esp33"]),
        (["sim", "calm", *SHORT, "--visitors", "ghosts"], ["ghosts", "recordings:DIR"]),
        (["sim", "calm", *SHORT, "--visitors", "no.such:Crowd"], ["no.such"]),
        (["sim", "calm", *SHORT, "--visitors", "recordings:nowhere"], ["nowhere"]),
        (["sim", "calm", "--nodes", "0", "--fast", "--web", "off"], ["0 nodes", "--nodes"]),
        (["sim", "calm", "--nodes", "1000000", "--fast", "--web", "off"], ["1000000 nodes"]),
        (["sim", "calm", *SHORT, "--loss", "1.5"], ["--loss", "0 to 1"]),
        (["sim", "calm", *SHORT, "--workers", "0"], ["--workers"]),
        (["sim", "calm", "--seconds", "-1", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--web", "nowhere"], ["--web", "HOST:PORT"]),
        (["sim", "calm", *SHORT, "--record", "/no/such/folder/x.weave"], ["--record", "x.weave"]),
        (["sim", "calm", *SHORT, "--json", "/no/such/folder/x.json"], ["--json", "x.json"]),
        (["sim", "calm", *SHORT, "--json", "/"], ["/: cannot be written", "--json"]),
        (["sim", "calm", "--seconds", "nan", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--seconds", "inf", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--seconds", "1e10", "--fast", "--web", "off"], ["--seconds", "1e9"]),
        (["sim", "calm", *SHORT, "--seed", "-1"], ["--seed", "0 or more"]),
        (["sim", "calm", *SHORT, "--seed", str(2**63)], ["--seed", "2**63"]),
        (["sim", "calm", *SHORT, "--visitors", ".foo:Bar"], [".foo:Bar", "MODULE:CLASS"]),
        (["sim", "calm", *SHORT, "--visitors", "recordings:~nosuchuser/x"], ["~nosuchuser/x", "not exist"]),
        (["scene", "preview", "tide", "--level", "nan"], ["--level", "0 to 1"]),
        (["sim", "calm", "--nodes", "many"], ["--nodes", "many", "sim --help"]),
        (["sim", "calm", "--colour", "red"], ["--colour", "sim --help"]),
        (["dance"], ["dance", "--help"]),
        (["replay", "nowhere.weave"], ["nowhere.weave", "--record"]),
    ],
)
def test_one_clear_line(words, said):
    refused(pulseweave(*words), *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3", ["bad.toml", "title"]),
        ("title = 'x'\nnods = 3", ["bad.toml", "nods"]),
        ("title = 'x'\n[[script]]\nat_s = 1\ndo = 'dance'", ["dance", "upset"]),
        # what is due long after this run ends is looked at before it begins
        ("title = 'x'\n[[script]]\nat_s = 60\ndo = 'scene'\nname = 'disco'", ["at 60 s", "disco", "tide"]),
        ("title = 'x'\n[[script]]\nat_s = 60\ndo = 'fault'\nname = 'moton'", ["at 60 s", "moton", "motion"]),
        ("title = 'x'\n[[script]]\nat_s = 60\ndo = 'reboot'\nnode = 99", ["at 60 s", "node 99"]),
        ("title = 'x'\n[room]\nlayout = 'heap'", ["heap", "canopy"]),
        ("title = 'x'\n[crowd]\ngain = 99", ["gain"]),
        ("title = 'x'\nscene = 'disco'", ["disco"]),
        ("title = [", ["bad.toml"]),
    ],
)
def test_a_bad_scenario(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    refused(pulseweave("sim", str(path), *SHORT), *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[radio]\nfoo = 1", "foo"),
        ("[radio]\nattackers = [[1, 2]]", "attackers"),
        ("[radio]\nseed = 3", "seed"),
        ("[radio]\nloss = 2", "loss"),
        ("[radio]\nrange_m = 'far'", "range_m"),
        ("[radio]\nshadow_db = -3", "shadow_db"),
        ("[radio]\ntx_dbm = nan", "tx_dbm"),
        ("[radio]\nmbps = 0", "mbps"),
        ("[radio]\nbursts = [0, 0, 0]", "bursts"),
        ("[[script]]\nat_s = inf\ndo = 'ping'", "at_s"),
        ("[[script]]\nat_s = 1e308\ndo = 'ping'", "at_s"),
        ("[[script]]\nat_s = 1\nevery_s = inf\ndo = 'ping'", "every_s"),
        ("[[script]]\nat_s = 1\nseconds = inf\ndo = 'jam'", "seconds"),
        ("[[script]]\nat_s = 1\nsize = nan\ndo = 'upset'", "size"),
        ("seconds = inf", "seconds"),
        ("[faults]\n0 = 3", "faults"),
        ("[crowd]\nseed = 3", "crowd"),
        ("[crowd]\nspec = '3'", "spec"),
        ("[crowd]\nfolder = 'B'", "folder"),
    ],
)
def test_a_value_that_no_room_can_have(tmp_path, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(f"title = 'x'\n{text}")
    with pytest.raises(Problem, match=f"bad.toml.*{said}"):
        scenario.load(str(path))


def test_the_keys_of_a_radio_are_those_it_takes(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(
        "title = 'x'\n[radio]\nloss = 0.1\nrange_m = 9\ntx_dbm = 12\nexponent = 2.5\nshadow_db = 1\n"
        "skew_db = 1\nfade_db = 1\nbursts = [20, 0.3, 0.8]\nmbps = 2"
    )
    Radio(1, [[0, 0], [1, 1]], **scenario.load(str(path)).radio)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"faults": {"x": "motion"}}, "nodes 0 to 1"),
        ({"faults": {"-1": "motion"}}, "nodes 0 to 1"),
        ({"faults": {"99": "motion"}}, "nodes 0 to 1"),
        ({"faults": {"0": "hiccups"}}, "hiccups.*motion"),
        ({"crowd": {"scenario": ["calm"]}}, "scenario.*contagion"),
        ({"room": scenario.Room("line", 100), "nodes": 100}, "4950 m.*spacing_m"),
    ],
)
def test_a_room_that_cannot_be(given, said):
    with pytest.raises(Problem, match=said):
        Simulation(scenario.Scenario(**{"title": "x", "nodes": 2, **given}))


def test_no_shock_is_no_shock():
    for crowd in ({"shock": False}, {"shock": 0.5}, {"stress": {}}, {"shock": {"at_s": "soon"}}):
        s = scenario.Scenario(title="x", crowd=crowd, script=[scenario.Action(7, "upset", seconds=5)])
        assert (s.shock_start_s, s.shock_end_s) == (7, 12), crowd
    s = scenario.Scenario(title="x", crowd={"shock": False, "stress": {"at_s": 30.0}})
    assert (s.shock_start_s, s.shock_end_s) == (30, 40)


def test_a_damaged_recording_of_a_person(tmp_path):
    (tmp_path / "S01.npz").write_bytes(b"PK\3\4 not really")
    refused(pulseweave("sim", "calm", *SHORT, "--visitors", f"recordings:{tmp_path}"), "S01.npz")


def test_a_damaged_recording_of_a_run(tmp_path):
    path = tmp_path / "run.weave"
    done = pulseweave("sim", "calm", *SHORT, "--record", str(path))
    assert done.returncode == 0, done.stderr
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    refused(pulseweave("replay", str(path)), "run.weave", "damaged")
    path.write_bytes(b"something else")
    refused(pulseweave("replay", str(path)), "run.weave", "no recording")


def test_a_busy_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = pulseweave("sim", "calm", "--nodes", "2", "--seconds", "1", "--web", f"127.0.0.1:{port}")
    refused(done, str(port), "--web")

"""Bad input gets one clear line and no traceback."""

import socket

import pytest
from asked import SHORT, pulseweave, refused


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
        (["sim", "calm", *SHORT, "--json", "/"], ["cannot write /", "--json"]),
        (["sim", "calm", "--seconds", "nan", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", "--seconds", "inf", "--fast", "--web", "off"], ["--seconds"]),
        (["sim", "calm", *SHORT, "--seed", "-1"], ["--seed", "0 or more"]),
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

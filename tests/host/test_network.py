"""The network file: keys, rotation, provisioning, commands, the host's side of the seal; and bad files."""

import json
import os
import stat
import threading
import time

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st
from pulseweave.network import EVENT, Network, Seal, cmac, event, header
from pulseweave.problem import Problem


def test_a_file_survives_a_round_trip_and_is_its_owners_own(tmp_path):
    n = Network.create("hall")
    n.admit(7)
    n.command("policy", b"x")
    n.save(tmp_path / "net.json")
    assert Network.load(tmp_path / "net.json") == n
    assert stat.S_IMODE((tmp_path / "net.json").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "net.json"]


def test_two_networks_share_no_key():
    a, b = Network.create("a"), Network.create("b")
    assert a.keys[1] != b.keys[1] != a.commands[1] and a.keys[1] != a.commands[1]


def test_rotation_by_id():
    n = Network.create("hall")
    old = n.keys[1]
    assert n.blob()[:8] == bytes([1, n.net, 1, 0, 1, 0, 1, 0])
    n.rotate()
    blob = n.blob(may_command=True)
    assert blob[:8] == bytes([1, n.net, 1, 1, 1, 2, 1, 2]) and blob[8:24] == old and len(blob) == 72
    with pytest.raises(Problem):
        n.rotate()
    n.promote()
    assert n.blob()[2] == 2
    n.retire()
    assert list(n.keys) == [2] and list(n.commands) == [2] and n.blob()[8:24] == n.keys[2] != old
    with pytest.raises(Problem):
        n.promote()
    n.rotate()
    assert list(n.keys) == [2, 3]


def test_the_next_key_is_promoted_once():
    n = Network.create("hall")
    n.rotate()
    n.promote()
    assert n.use == 2
    with pytest.raises(Problem, match="retire the old one"):
        n.promote()
    assert n.use == 2


def test_provisioning_counts_epochs_up():
    n = Network.create("hall")
    assert [n.admit(3), n.admit(3), n.admit(4)] == [0x10020, 0x20040, 0x10020]
    low = [n.admit(5) & 255 for _ in range(8)]
    assert len(set(low)) == 8, "gateways tell epochs by their low byte"
    for bad in (0, 65535, -1):
        with pytest.raises(Problem):
            n.admit(bad)
    n.nodes[3] = (1 << 13) - 1
    with pytest.raises(Problem):
        n.admit(3)


def test_commands_count_and_are_tagged():
    n = Network.create("hall")
    a, b = n.command("policy", b"abc", at=500, target=9), n.command("policy", b"abc", at=500, target=9)
    assert a[0] == 1 and a[1:3] == bytes([2, 3]) and a[3:5] == b"\0\1" and b[3:5] == b"\0\2"
    assert a[5:11] == bytes([0, 9, 0, 0, 1, 0xF4]) and a[11:14] == b"abc" and len(a) == 22
    assert a[14:] == cmac(cmac(n.commands[1], b"pulseweave cmd"), a[1:14])[:8]
    n.counters["policy"] = 65535
    assert n.command("policy", b"")[3:5] == b"\0\1"  # 0 means none
    with pytest.raises(Problem):
        n.command("scene", b"")
    with pytest.raises(Problem):
        n.command("policy", bytes(201))


def test_cmac_is_rfc_4493():
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert cmac(key, b"").hex() == "bb1d6929e95937287fa37d129b756746"
    c = CMAC(algorithms.AES(key))
    c.update(b"abc")
    assert cmac(key, b"abc") == c.finalize()


@settings(max_examples=60)
@given(st.binary(min_size=16, max_size=16), st.integers(1, 14), st.data())
def test_seal_opens_what_it_closed_and_nothing_else(key, p, data):
    seal = Seal(key)
    payload = data.draw(st.binary(min_size=16 * p, max_size=16 * p))
    head = header(EVENT, 7, 5, 1 << 16, 9, 1, p)
    frame = seal.close(head, payload)
    assert len(frame) == 24 + 16 * p and seal.open(frame) == payload
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    wrong = bytearray(frame)
    wrong[bit >> 3] ^= 1 << (bit & 7)
    assert seal.open(bytes(wrong)) == (payload if bit >> 3 == 3 else None)
    assert seal.open(frame[:-1]) is None and seal.open(frame + b"\0") is None


def test_events_are_padded_to_the_sizes_they_may_have():
    assert [len(event(6, bytes(n))) for n in (0, 16, 17, 48, 49, 112, 113, 200)] == [
        32, 32, 64, 64, 128, 128, 224, 224,
    ]  # fmt: skip
    with pytest.raises(Problem):
        event(6, bytes(201))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"format": 2}, "format"),
        ({"keys": {}}, "keys"),
        ({"keys": {"1": "00"}}, "keys"),
        ({"keys": {"0": "00" * 16}}, "keys"),
        ({"commands": {"1": "zz"}}, "commands"),
        ({"commands": None}, "commands"),
        ({"net": 255}, "net"),
        ({"use": 9}, "use"),
        ({"nodes": {"x": 1}}, "nodes"),
        ({"counters": {"policy": "y"}}, "counters"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path, change, word):
    path = tmp_path / "net.json"
    Network.create("hall").save(path)
    d = json.loads(path.read_text())
    path.write_text(json.dumps({**d, **change}))
    with pytest.raises(Problem) as e:
        Network.load(path)
    assert str(path) in str(e.value) and word in str(e.value) and "\n" not in str(e.value)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(Problem, match="cannot read"):
        Network.load(tmp_path / "none.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(Problem, match="not a network file"):
        Network.load(tmp_path / "x.json")


def test_who_holds_a_network_undoes_nobodys_change(tmp_path):
    path = tmp_path / "net.json"
    Network.create("hall").save(path)
    inside, go = threading.Event(), threading.Event()

    def rotate():
        with Network.held(path) as n:
            inside.set()
            go.wait(20)
            n.rotate()
            n.save(path)

    other = threading.Thread(target=rotate)
    other.start()
    assert inside.wait(20)
    threading.Timer(0.3, go.set).start()
    began = time.monotonic()
    with Network.held(path) as n:
        assert list(n.keys) == [1, 2] and time.monotonic() > began + 0.2
        n.admit(7)
        n.save(path)
    other.join()
    found = Network.load(path)
    assert list(found.keys) == [1, 2] and found.nodes == {7: 1}


def test_where_there_is_no_network_nothing_is_left(tmp_path):
    with pytest.raises(Problem, match="cannot read"), Network.held(tmp_path / "none.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_link_to_a_network_file_stays_one(tmp_path):
    (tmp_path / "safe").mkdir()
    Network.create("hall").save(tmp_path / "safe" / "net.json")
    link = tmp_path / "net.json"
    link.symlink_to(tmp_path / "safe" / "net.json")
    with Network.held(link) as n:
        n.admit(3)
        n.save(link)
    assert link.is_symlink() and Network.load(tmp_path / "safe" / "net.json").nodes == {3: 1}


def test_a_file_left_behind_lends_the_keys_nothing_of_its_own(tmp_path):
    (tmp_path / "net.json.new").write_text("")
    (tmp_path / "net.json.new").chmod(0o666)
    before = os.open(tmp_path / "net.json.new", os.O_RDONLY)
    Network.create("hall").save(tmp_path / "net.json")
    assert stat.S_IMODE((tmp_path / "net.json").stat().st_mode) == 0o600
    assert not os.read(before, 10)  # who had that one open reads no key
    os.close(before)


def test_what_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(Problem, match="cannot be written"):
        Network.create("hall").save(tmp_path / "none" / "net.json")
    with pytest.raises(Problem, match="cannot be written"):
        Network.create("hall").save(tmp_path / ("x" * 300))

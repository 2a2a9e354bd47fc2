"""Same scenario, seed and code: same digest, whatever the workers or the pace; any node replays bit for bit."""

import json
import subprocess
import sys

import pytest
from pulseweave.paths import ROOT

FORM = """
title = "everything at once, short"
nodes = 7
[crowd]
gain = 2.0
[crowd.shock]
at_s = 4.0
seconds = 3.0
[radio]
loss = 0.3
[[script]]
at_s = 3
do = "partition"
[[script]]
at_s = 6
do = "heal"
[[script]]
at_s = 5
do = "reboot"
[[script]]
at_s = 7
do = "scene"
name = "tide"
[[script]]
at_s = 8
do = "lift"
[[script]]
at_s = 9
do = "fault"
name = "motion"
[[script]]
at_s = 10
do = "off"
node = 2
[[script]]
at_s = 12
do = "on"
node = 2
"""


def pulseweave(*words, check=True):
    done = subprocess.run(
        [sys.executable, "-m", "pulseweave", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "mixed.toml"
    path.write_text(FORM)
    return str(path)


def run(scenario, *words):
    line = ["sim", scenario, "--seconds", "24", "--web", "off", "--json", "-", *words]
    return json.loads(pulseweave(*line).stdout)


@pytest.fixture(scope="module")
def first(scenario, tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "run.weave"
    return run(scenario, "--fast", "--workers", "1", "--record", str(path)), path


@pytest.mark.parametrize("workers", ["2", "4"])
def test_workers_do_not_show(scenario, first, workers):
    assert run(scenario, "--fast", "--workers", workers)["digest"] == first[0]["digest"]


def test_pace_does_not_show(scenario, first):
    assert run(scenario, "--workers", "2")["digest"] == first[0]["digest"]


def test_another_seed_is_another_evening(scenario, first):
    assert run(scenario, "--fast", "--seed", "2")["digest"] != first[0]["digest"]


@pytest.mark.parametrize("node", [0, 2, 6])
def test_replay_is_bit_for_bit(first, node):
    done = pulseweave("replay", str(first[1]), "--node", str(node), "--json", "-")
    result = json.loads(done.stdout)
    assert result["ticks"] == 1200
    assert result["pixels_equal"] and result["frames_equal"]


def test_replay_notices_a_difference(first, tmp_path):
    """One sample of one node changed: the replay must say so."""
    from pulseweave.sim import recording

    changed = tmp_path / "changed.weave"
    source = recording.read(first[1])
    head = next(source)
    out = recording.Recorder(str(changed))
    out._put(head)
    for t in source:
        if t["s"] and 300 < t["k"] < 600:
            t["s"][0] = bytes(len(t["s"][0]))
        out._put(t)
    out.close()
    done = pulseweave("replay", str(changed), "--node", "0", check=False)
    assert done.returncode == 1
    assert "differs" in done.stderr and "Traceback" not in done.stderr


def test_the_contract_has_its_keys(first):
    r = first[0]
    keys = "scenario nodes seconds seed workers wall_s cpu_s node_seconds_per_cpu_s digest arousal collective"
    assert set(keys.split()) | {"damping", "light", "mesh"} <= set(r)
    assert set(r["arousal"]) >= {"peak", "mean", "settle_s", "truth_correlation"}
    assert set(r["collective"][0]) >= {"t_s", "truth", "estimate", "light", "g"}
    assert set(r["damping"]) >= {"g_final_mean", "g_max", "unmediated_share_min"}
    assert set(r["light"]) >= {"flashes_per_s_max", "red_fraction_max", "current_ma_max", "fps_mean"}
    mesh = "sent received lost rejected duplicates airtime_fraction_max event_delivery event_latency_ms state_age_s"
    assert set(mesh.split()) <= set(r["mesh"])
    assert set(r["clock_error_ms"]) >= {"p50", "p99", "max"}
    assert set(r["tick_us"]) >= {"p50", "p99", "max"}
    assert "allocated_bytes_per_tick" in r
    assert r["privacy"]["raw_samples_sent"] == 0
    assert r["seconds"] == 24.0 and r["nodes"] == 7

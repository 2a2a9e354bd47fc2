"""The bench's own instruments: figures and their JSON, the count of operations, the stand-ins, one small run of each."""

import json
import subprocess
import sys

import numpy as np
import pytest
from pulseweave.figures import bench, stage, tick
from pulseweave.figures.figure import Figure
from pulseweave.figures.parts import prices, stand_ins
from pulseweave.figures.parts.prices import CLASSES
from pulseweave.paths import ROOT
from pulseweave.problem import Problem
from pulseweave.processes import cpu_s, peak_kb, run


def test_ratio_is_to_the_peer_else_to_the_limit():
    assert Figure("a", 6.0, "s", "p", 3.0, limit=12.0).ratio == 2.0
    assert Figure("a", 6.0, "s", limit=12.0).ratio == 0.5
    assert Figure("a", 6.0, "s").ratio is None
    assert Figure("a", None, "s", limit=1.0).kept is None


@pytest.mark.parametrize(
    "value,more,kept", [(2.0, False, False), (2.0, True, True), (1.0, True, True), (0.5, True, False)]
)
def test_limits_bound_from_the_right_side(value, more, kept):
    assert Figure("a", value, "s", limit=1.0, more=more).kept is kept


def test_a_limit_is_broken_by_numbers_of_numpy_too():
    assert Figure("a", np.float64(2), "s", limit=1.0).kept is False
    assert Figure("a", np.float64(0.5), "s", limit=1.0).kept is True


def test_entry_has_the_keys_of_the_contract():
    e = Figure("a", 1.23456, "s", "p", 2.0, "1.0", 3.0).entry()
    assert set(e) == {"value", "unit", "peer", "peer_value", "peer_version", "ratio", "limit"}
    assert e["value"] == 1.235 and json.dumps(e)


def count(function) -> dict[str, int]:
    """Instructions of a function by class, once each."""
    out: dict[str, int] = {}
    for kind in prices.classes(function.__code__).values():
        out[CLASSES[kind]] = out.get(CLASSES[kind], 0) + 1
    return out


def test_operations_fall_into_their_classes():
    def f(o, buf, i):
        a = o.x + buf[i]
        buf[i] = a * 3
        o.y = a & 7
        if a > i:
            a = -a
        if a:
            len(buf)
        for _ in range(4):
            o.method(a)

    c = count(f)
    want = {
        "add": 3,
        "mul": 1,
        "read": 1,
        "write": 1,
        "put": 1,
        "compare": 1,
        "branch": 1,
        "loop": 1,
        "builtin": 2,
    }
    assert {k: c.get(k, 0) for k in want} == want
    assert c["get"] == 3  # o.x, o.method, len; range() is part of the loop


def test_constants_cost_nothing():
    source = "def f():\n    return _SPAN + LIMIT + other\n"
    space: dict = {}
    exec(source, space)
    assert count(space["f"])["get"] == 1


def test_aes_stand_in_chains_like_the_vectors_of_sp800_38a():
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    cipher = bytes.fromhex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2")
    cbc, before = stand_ins.Aes(key, 2, bytes(range(16))), stand_ins.Aes.blocks
    out = bytearray(16)
    cbc.encrypt(plain[:16], out)
    first = bytes(out)
    cbc.encrypt(plain[16:], out)  # the chaining value survives between calls
    assert first + bytes(out) == cipher
    assert stand_ins.Aes.blocks == before + 2


def test_counted_and_timed_runs_are_the_same_run(tmp_path):
    stage.stage(tmp_path, 3, 30, 12)
    unix = tick.timed(tmp_path, 400, 100)
    result, counts = tick.counted(tmp_path, 400, 100)
    assert unix["digest"] == result["digest"]
    assert unix["frames"] == result["frames"] == 250
    assert result["neighbours"] == 2 and result["contact"] == 1
    assert counts.shape == (100, len(tick.PARTS), len(CLASSES))
    by_part = counts.sum(axis=(0, 2))
    assert (by_part > 0).all(), by_part
    assert counts[:, tick.PARTS.index("light"), prices.VIPER].sum() > 0
    assert counts[:, tick.PARTS.index("sense"), prices.VIPER].sum() == 0
    assert (counts >= 0).all()


def test_more_pixels_cost_more_light_and_nothing_else(tmp_path):
    chip = list(range(len(CLASSES)))
    cost = []
    for pixels in (30, 60):
        place = tmp_path / str(pixels)
        place.mkdir()
        stage.stage(place, 1, pixels, 8)
        cost.append(tick.counted(place, 300, 60)[1].sum(axis=0) @ chip)
    light = tick.PARTS.index("light")
    assert cost[1][light] > 1.3 * cost[0][light]
    assert cost[1][0] == cost[0][0]


def test_cpu_time_is_that_of_the_child():
    out, cpu = run(
        [
            sys.executable,
            "-c",
            "import time; t = time.process_time()\nwhile time.process_time() < t + 0.3: pass\nprint(7)",
        ]
    )
    assert out == "7\n" and 0.3 <= cpu < 5
    with pytest.raises(Problem, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_running_process_is_seen():
    line = [sys.executable, "-c", "print('here', flush=True); input()"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        p.stdout.readline()
        assert peak_kb(p.pid) > 100
        assert cpu_s(p.pid) >= 0
        p.communicate(b"\n")


def test_what_the_bench_flashes_is_an_image_and_is_flashed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = {f.name: f for f in bench.flashing(tmp_path, 4000, 2)}
    assert set(found) == {"bench_flash_one_s", "bench_flash_2_over_one", "bench_flash_again_s"}
    assert all(f.value > 0 and f.peer_value > 0 for f in found.values())


def test_unknown_figure_is_refused_with_the_known_ones(tmp_path):
    line = [sys.executable, "-m", "pulseweave.figures", "--only", "speed"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "fast" in done.stderr and "Traceback" not in done.stderr


def test_one_group_writes_bench_json_and_keeps_the_others(tmp_path):
    (tmp_path / "bench.json").write_text('{"old": {"value": 1}}')
    line = [sys.executable, "-m", "pulseweave.figures", "--only", "scale", "--quick", "--json", "bench.json"]
    small = "import pulseweave.figures.scale as s, runpy, sys; s.SIZES = ((2, 4), (4, 4)); sys.argv = sys.argv[:1] + %r; "
    small = small % line[3:] + "runpy.run_module('pulseweave.figures', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", small], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["old"] == {"value": 1}
    assert found["scale_4_cpu_ms_per_node_s"]["value"] > 0
    assert found["scale_4_cpu_ms_per_node_s"]["peer_value"] > 0
    assert (ROOT / "Makefile").read_text().count("-m pulseweave.figures") == 1

"""The firmware in haste: functions of numbers as viper give what they give as bytecode on a board."""

import json
import random

import pytest
from ports import unix
from pulseweave import emitters
from pulseweave.paths import DEVICE

CALLS = """
import json, sys
sys.path[:] = [sys.argv[1]] + sys.path
from weave.damp.crowd import beyond
from weave.mesh.frame import diff, get16, get30, later
said = []
for data, a, b, p in json.load(open(sys.argv[2])):
    data = bytes(data)
    said.append([get16(data, p & 7), get30(data, p & 7), later(a, b - 0x20000000), diff(a, b), beyond(p)])
print(json.dumps(said))
"""


@pytest.fixture
def hasty(tmp_path):
    return emitters.copied(DEVICE, tmp_path / "hasty", emitters.quick)


def test_only_functions_of_numbers_are_changed(hasty):
    changed = {
        p.relative_to(hasty).as_posix()
        for p in hasty.rglob("*.py")
        if p.read_text() != (DEVICE / p.relative_to(hasty)).read_text()
    }
    assert changed == {"weave/damp/crowd.py", "weave/mesh/frame.py"}
    text = (hasty / "weave/mesh/frame.py").read_text()
    assert emitters.quick(text) == text  # once is enough
    assert len(emitters.MARK.findall(text)) == 5


def test_both_give_the_same(hasty, tmp_path):
    rng = random.Random(7)
    top = (1 << 30) - 1
    edges = [0, 1, 1 << 29, (1 << 29) - 1, top]
    pick = lambda: rng.choice(edges) if rng.random() < 0.3 else rng.randint(0, top)  # noqa: E731
    inputs = [
        [[rng.randint(0, 255) for _ in range(12)], pick(), pick(), rng.randint(0, 4096)] for _ in range(200)
    ]
    script = tmp_path / "calls.py"
    script.write_text(CALLS)
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    said = []
    for code in (DEVICE, hasty):
        done = unix(script, str(code), str(tmp_path / "inputs.json"))
        assert done.returncode == 0, done.stderr.decode()
        said.append(done.stdout)
    assert said[0] == said[1]

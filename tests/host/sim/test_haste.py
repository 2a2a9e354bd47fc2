"""The firmware in haste: functions of numbers as viper give what they give as bytecode on a board."""

import json
import random
import re

import pytest
from ports import unix
from pulseweave import compiled, emitters, micropython, viper
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
    return emitters.copied(DEVICE, tmp_path / "hasty", viper.quick)


def test_only_functions_that_say_what_they_give_are_changed(hasty):
    def changed(name: str) -> list[str]:
        text = (hasty / name).read_text()
        assert viper.quick(text) == text  # once is enough
        return re.findall(r"@micropython.viper\n *def (\w+)", text)

    for p in DEVICE.rglob("*.py"):
        text = p.read_text()
        given = re.findall(r"^ *def (\w+)\(.*\) -> ", text, re.MULTILINE)
        name = p.relative_to(DEVICE).as_posix()
        assert changed(name) == given if given else (hasty / name).read_text() == text
    assert changed("weave/mesh/frame.py") == ["fold", "get16", "get30", "later", "diff"]
    assert "locate" in changed("weave/sense/intervals.py") and "read" in changed("weave/mesh/gossip.py")


WORDS = """
class Box:
    def __init__(self):
        self.n = 3
        self.low = -5
        self.row = [4, -2, 7]
        self.buf = bytearray((9, 8, 7, 6))
        self.none = None
        self.seen = []

    def give(self, x):
        self.seen.append(x)
        return x + self.n

    def all(self, x: int, other) -> int:
        n: int = self.n
        b: ptr8 = self.buf
        y: int = self.give(x) if x > 2 else 0
        z: int = 0
        z = self.low if x & 1 else y
        self.n += n << 1
        self.row[1] -= x
        b[2] = self.row[0]
        b[1] ^= x & 255
        n = self.n
        if -self.low <= x < self.n and not self.none:
            z -= ~self.low
        if (self.n > 4) != (x > 4):
            z += 1000
        other.seen.append(x)
        for i in range(len(self.row)):
            z += self.row[i] * (i + 1)
        return self.give(z + n * y // 3 - b[1])

    def nothing(self, x: int) -> None:
        self.n = x
        if x > 100:
            return
        self.low = min(x, 50)

    def yes(self, x: int) -> bool:
        return x == self.n

    def none_of(self, x) -> bool:
        return not x


def said():
    a = Box()
    c = Box()
    out = []
    for x in range(-6, 12):
        out.append((a.all(x, c), a.n, list(a.row), bytes(a.buf), a.yes(x), a.yes(a.n), a.none_of(x), a.none_of(None)))
        out.append((c.nothing(x * 20), c.n, c.low))
    return out + a.seen + c.seen


print(said())
"""


def test_viper_out_of_annotations_means_the_same(tmp_path):
    plain, quick = tmp_path / "plain.py", tmp_path / "quick.py"
    plain.write_text(emitters.POINTERS + WORDS)
    quick.write_text(viper.quick(WORDS))
    assert quick.read_text().count("@micropython.viper") == 4
    done = [unix(plain), unix(quick)]
    assert done[1].returncode == 0, done[1].stderr.decode()
    assert done[0].stdout == done[1].stdout and len(done[0].stdout) > 500


def test_what_viper_cannot_say_runs_without_it(tmp_path):
    """`is None` is no viper; a maker who writes it gets a simulation all the same."""
    text = "def given(x) -> bool:\n    return {}\n"
    code = tmp_path / "code"
    code.mkdir()
    for name, words in (("good", "x == 7"), ("slow", "x is None"), ("bad", "x ==")):
        (code / f"{name}.py").write_text(text.format(words))
    made = micropython.fit(code, True)
    script = tmp_path / "calls.py"
    script.write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport good, slow\nprint(good.given(7), slow.given(None))\n"
        "try:\n    import bad\nexcept SyntaxError as e:\n    sys.print_exception(e)\n"
    )
    done = unix(script, str(made))
    assert done.stdout.startswith(b"True True\n"), done
    assert b'bad.py", line 2' in done.stdout


def test_all_of_the_firmware_is_what_viper_can_say():
    """Otherwise a module would quietly be slow."""
    for p in DEVICE.rglob("*.py"):
        text = p.read_text()
        assert compiled.sound(viper.quick, *micropython.HASTE)(text) == viper.quick(text), p


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

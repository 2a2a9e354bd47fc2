"""Collects `mp_*.py`: MicroPython test modules whose `test_*` functions run on the unix and the wasm port.

A module may say `PORTS = ("unix",)` where it needs what the wasm port lacks. Every function becomes one
pytest item per port; a module runs in one process per port, on first need.
`PULSEWEAVE_STRICT=1` (CI) turns skips for missing tools into failures.
"""

import ast
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

import ports
from ports import missing
from pulseweave.paths import data

# started in a script's background, or under nohup: programs under test would inherit what is ignored
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

settings.register_profile(
    "busy", deadline=None
)  # how long an example takes says something of the machine only
settings.load_profile("busy")


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded data; skips where it is missing."""
    if not data().is_dir():
        missing(f"recorded data not found at {data()}: set PULSEWEAVE_DATA")
    return data()


def pytest_collection_modifyitems(items):
    """Browsers draw by the processor here, and brokers take their time: on a busy machine such tests get a second and a
    third chance, which pytest counts. No others: what fails now and then is wrong now and then."""
    for item in items:
        if item.get_closest_marker("server"):
            item.add_marker(pytest.mark.flaky(reruns=2))


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".py" and file_path.name.startswith("mp_"):
        return MicroPythonModule.from_parent(parent, path=file_path)
    return None


class MicroPythonModule(pytest.File):
    def collect(self):
        tree = ast.parse(self.path.read_text())
        names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
        chosen = ("unix", "wasm")
        for n in tree.body:
            if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "PORTS":
                chosen = ast.literal_eval(n.value)
        self.names, self.outcomes = names, {}
        for port in chosen:
            for name in names:
                yield MicroPythonItem.from_parent(self, name=f"{name}[{port}]", port=port, function=name)

    def outcome(self, port: str, function: str) -> tuple[str, str]:
        if port not in self.outcomes:
            self.outcomes[port] = self.run(port)
        results, output = self.outcomes[port]
        return results.get(function, ("FAIL", output))

    def run(self, port: str):
        folder, module = self.path.parent, self.path.stem
        if port == "unix":
            done = ports.unix(ports.HARNESS / "run.py", str(folder), module, *self.names)
        else:
            snippet = f"import run\nrun.run('/tests', {module!r}, {self.names!r})\n"
            done = ports.wasm(snippet, {folder: "/tests"})
        output = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        results, name = {}, None
        for line in output.splitlines():
            word, _, rest = line.partition(" ")
            if word in ("ok", "skip", "FAIL") and rest.split(" ")[0] in self.names:
                name, _, why = rest.partition(" ")
                results[name] = (word, why)
            elif name and results[name][0] == "FAIL":
                results[name] = ("FAIL", results[name][1] + "\n" + line)
        return results, output


class MicroPythonFailure(Exception):
    """A test function failed on a MicroPython port."""


class MicroPythonItem(pytest.Item):
    def __init__(self, *, port, function, **kw):
        super().__init__(**kw)
        self.port, self.name_of = port, function

    def runtest(self):
        if self.port == "wasm" and (why := ports.wasm_missing()):
            missing(why)
        word, text = self.parent.outcome(self.port, self.name_of)
        if word == "skip":
            pytest.skip(text)
        if word == "FAIL":
            raise MicroPythonFailure(text)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: {self.name}"

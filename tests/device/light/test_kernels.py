"""The kernel as machine code and as bytecode: one text, the same bytes."""

from pathlib import Path

import ports
from pulseweave import emitters
from pulseweave.paths import DEVICE

KERNEL = DEVICE / "weave" / "light" / "kernel.py"


def test_viper_and_bytecode_give_the_same_bytes(tmp_path):
    (tmp_path / "light_plain.py").write_text(emitters.plain(KERNEL.read_text()))
    done = ports.unix(Path(__file__).with_name("kernels.py"), str(tmp_path))
    assert done.stdout == b"same 900\n", done.stderr.decode()


def test_a_port_without_viper_is_given_bytecode(tmp_path):
    text = (emitters.copied(DEVICE, tmp_path, emitters.plain) / "weave" / "light" / "kernel.py").read_text()
    assert "viper\ndef" not in text and "def frame(k):" in text
    assert not any(emitters.MARK.search(p.read_text()) for p in tmp_path.rglob("*.py"))
    assert emitters.plain("import micropython\n") == "import micropython\n"

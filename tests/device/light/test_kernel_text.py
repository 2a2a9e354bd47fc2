"""One kernel, compiled twice: the viper module is the bytecode module's text under decorators."""

import re
from pathlib import Path

LIGHT = Path(__file__).resolve().parents[3] / "device" / "weave" / "light"
MARK = "# --- the kernel: the same text in kernel.py and kernel_viper.py\n"


def test_both_kernels_are_one_text():
    plain = (LIGHT / "kernel.py").read_text().split(MARK)[1]
    native = (LIGHT / "kernel_viper.py").read_text().split(MARK)[1]
    assert re.sub(r"^def ", "@micropython.viper\ndef ", plain, flags=re.MULTILINE) == native

"""Device modules for other emitters than a board's: for ports whose compiler has no viper.

What is hot on a node is written once, for viper (`@micropython.viper`), in words that mean the same as bytecode. In: such a
module's text. Out: the text as plain bytecode: pointers become the buffers themselves. A port without viper (the wasm
port, a build without native code) is given this text in the module's place; tests hold the outputs of both to each other.
The other way round, what is bytecode on a board and viper in a simulation in haste, is in viper.py.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

MARK = re.compile(r"^ *@micropython\.viper\n", re.MULTILINE)
POINTERS = '''

def ptr8(b):
    """A buffer as it is: what viper makes a pointer."""
    return b


ptr16 = ptr32 = ptr8
'''


def plain(text: str) -> str:
    """The module's text for a port without viper; as it is where it uses none."""
    if not MARK.search(text):
        return text
    head, mark, rest = text.partition("import micropython\n")
    return head + mark + POINTERS + MARK.sub("", rest)


def copied(code: Path, folder: Path, into: Callable[[str], str]) -> Path:
    """Copy the modules in `code` to `folder`, each text put `into` another; returns `folder`."""
    shutil.copytree(code, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        if (other := into(text)) != text:
            path.write_text(other)
    return folder

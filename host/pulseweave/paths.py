"""Where things lie in a checkout: the firmware, the boards, recorded data, third-party packages from npm."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEVICE = ROOT / "device"
BOARDS = ROOT / "boards"
WORKER = Path(__file__).parent / "sim" / "worker"  # what runs inside MicroPython beside the firmware


def data() -> Path:
    """The folder of recorded data: PULSEWEAVE_DATA, by default ../shared/data beside the project."""
    return Path(os.environ.get("PULSEWEAVE_DATA", ROOT.parent / "shared" / "data"))

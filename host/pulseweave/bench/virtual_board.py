"""`pulseweave virtual-board`: a board made of the unix port, on a pty that mpremote and every bench command accept.

In: a board description and a folder that holds the board's flash, NVS and identity. Out: the path of a pty. The board
behaves like one: boot.py and main.py run, Ctrl-C opens the REPL, Ctrl-D resets softly, the watchdog bites,
machine.reset() resets, power cuts keep the flash. Its radio is in the air of all virtual boards of this user
(`air.py`).
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import rich_click as click

from pulseweave import compiled
from pulseweave.air import default_folder, named
from pulseweave.boards import Board, load
from pulseweave.network import Network
from pulseweave.paths import DEVICE
from pulseweave.problem import Problem

FLASH_BYTES = 2 << 20
SIGNAL_S = 60  # the visitor's signals repeat after this


def address(folder: Path) -> bytes:
    """A MAC for the board in `folder`: locally administered, always the same for the same place."""
    return b"\x02\x56\x42" + hashlib.sha256(str(folder.resolve()).encode()).digest()[:3]


def signals(board: Board, mac: bytes, touched: bool, unplugged: str | None = None) -> bytes:
    """A minute of a visitor (or of nobody) as the sensors deliver them: u32 pulse at 100 Hz, then u16 skin x 16.

    The signal wire of sensor `unplugged` (pulse or skin) hangs at ground.
    """
    import numpy as np

    from pulseweave.sim.body import Body
    from pulseweave.sim.frontend import FrontEnd

    seed = int.from_bytes(mac[3:])
    body, front = Body(seed, 1), FrontEnd(board.device_dict(), seed, 1)
    pulse, skin = [], []
    touching = np.array([touched])
    for i in range(SIGNAL_S * 10):
        ppg, eda = body.step(i / 10, 0.1, np.array([0.3]), np.array([0.0]), touching)
        p, s = front.convert(ppg, eda, touching)
        pulse.append(np.asarray(p)[0])
        skin.append(np.full(len(p[0]), np.asarray(s).reshape(1, -1)[0, -1]))
    if unplugged:
        gone = pulse if unplugged == "pulse" else skin
        gone[:] = [np.zeros_like(part) for part in gone]
    return np.concatenate(pulse).astype("<u4").tobytes() + np.concatenate(skin).astype("<u2").tobytes()


def firmware(tree: Path) -> dict[str, str]:
    """A firmware folder as files of a board: {path there: path here}. Raises Problem where it is none."""
    found = [p.relative_to(tree) for p in (*compiled.firmware(tree), *tree.rglob("*.mpy"))]
    return {f"/{p}": str(tree.resolve() / p) for p in found}


def prepare(
    folder: Path,
    board: Board,
    tree: Path | None,
    touched: bool,
    network: Path | None = None,
    unplugged: str | None = None,
) -> dict:
    """The board's plan; makes its folder where it is new. Raises Problem where the folder is another board's."""
    keys = {"weave": {"net": Network.load(network).blob().hex()}} if network else {}
    try:
        known = folder / "board.json"
        new = not known.exists()
        description = board.device_json()
        if not new and json.loads(known.read_bytes())["name"] != board.name:
            raise Problem(
                f"{folder}: holds a board of another kind ({known}): give another --dir or the same --board"
            )
        known.write_bytes(description)
        mac = address(folder)
        if new or not (folder / "flash.img").exists():
            (folder / "flash.img").write_bytes(b"\xff" * FLASH_BYTES)
            (folder / "nvs.json").unlink(missing_ok=True)  # whoever could read that one
            fd = os.open(folder / "nvs.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as f:
                f.write(json.dumps(keys))
            new = True
        new = new or (folder / "new").exists()  # its first start was cut off
        if new:
            (folder / "new").touch()
        (folder / "signals.bin").write_bytes(signals(board, mac, touched, unplugged))
    except OSError as e:
        raise Problem(f"{folder}: cannot be used ({e.strerror}): give another --dir") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Problem(f"{known}: damaged: delete {folder} to start with a new board") from None
    files = firmware(tree) | {"/board.json": str(known.resolve())} if tree else {}
    return {
        "board": json.loads(description),
        "mac": mac.hex(),
        "cause": 1,
        "format": new,
        "files": files,
        "flash": str((folder / "flash.img").resolve()),
        "nvs": str((folder / "nvs.json").resolve()),
        "signals": str((folder / "signals.bin").resolve()),
    }


def alone(folder: Path):
    """The board's lock, held while it is open. Raises Problem where the board is running already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as e:
        raise Problem(f"{folder}: cannot be used ({e.strerror}): give another --dir") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Problem(f"{folder}: this board is running already: stop it, or give another --dir") from None
    return lock


def lay(link: Path, path: str) -> None:
    """Make `link` lead to `path`; an older link goes. Raises Problem where something else is there."""
    try:
        if link.exists() and not link.is_symlink():
            raise Problem(f"--link {link}: something that is no link is there: give another name")
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    except OSError as e:
        raise Problem(f"--link {link}: cannot be made ({e.strerror}): give another name") from None


@click.command("virtual-board")
@click.option(
    "--board", "board_name", required=True, metavar="B", help="A board of boards/, or a .toml file."
)
@click.option(
    "--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where its flash lives."
)
@click.option(
    "--firmware", "tree", type=click.Path(path_type=Path), default=DEVICE, help="What a new board gets."
)
@click.option("--network", type=click.Path(path_type=Path), help="A new board gets this network file's keys.")
@click.option("--blank", is_flag=True, help="A new board gets MicroPython only, no firmware.")
@click.option(
    "--visitor", type=click.Choice(["on", "off"]), default="on", help="Somebody touches the sensors."
)
@click.option("--unplug", type=click.Choice(["pulse", "skin"]), help="This sensor's wire is off.")
@click.option("--link", type=click.Path(path_type=Path), help="Also make this symbolic link to the pty.")
@click.option("--air", metavar="DIR|on", help="Whose air it shares (`on`, the default: this user's).")
def virtual_board(board_name, folder, tree, blank, network, visitor, unplug, link, air):
    """Run a board made of the unix port, on a serial port of its own.

    Prints the port's path and runs until Ctrl-C; SIGHUP presses its reset button.

    Example: pulseweave virtual-board --board virtual --dir /tmp/ada
    """
    from pulseweave.bench.supervisor import Supervisor

    board = load(board_name)
    lock = alone(folder)
    plan = prepare(folder, board, None if blank else tree, visitor == "on", network, unplug)
    try:
        supervisor = Supervisor(plan, folder, named(air))
    except OSError as e:
        where = named(air) or default_folder()
        raise Problem(f"{where}: no air to share ({e}): give a short --air that is yours") from None

    def end(*_):
        supervisor.leave()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, lambda *_: supervisor.press_reset())
    try:
        if link:
            lay(link, supervisor.path)
        print(supervisor.path, flush=True)
        supervisor.run()
    except KeyboardInterrupt:
        pass
    except OSError as e:
        raise Problem(f"{folder}: the board stopped ({e}): start it again") from None
    finally:
        supervisor.close()
        lock.close()
        if link and link.is_symlink() and str(link.readlink()) == supervisor.path:
            link.unlink()

"""Inside a virtual board: what the chip's ROM and MicroPython's start-up do, then boot.py and main.py, then the REPL.

    micropython -i power_on.py PLAN SHIMS PIPE_IN PIPE_OUT RUN_MAIN

In: PLAN, a JSON file the supervisor wrote (board description, address, flash image, signals, reset cause). The flash
image is a littlefs, mounted as the root; the modelled hardware comes from SHIMS, the simulator's own. Messages of the
two pipes are described in `interpreter.py`.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
# ruff: noqa: E402, RUF005 (MicroPython: the path comes first)
import json
import sys

PLAN, SHIMS, PIPE_IN, PIPE_OUT, RUN_MAIN = sys.argv[1:6]
sys.path[:] = [SHIMS, __file__[: __file__.rfind("/")]] + sys.path

with open(PLAN) as f:
    plan = json.load(f)

import hardware

hardware.plug_in(plan, PIPE_IN, PIPE_OUT)

import os

disk = hardware.FlashImage(plan["flash"])
first = plan["format"]
if first:
    os.VfsLfs2.mkfs(disk)
fs = os.VfsLfs2(disk)


def copy(files):
    """What a technician would have put there: {path on the board: path on this machine}."""
    made = set()
    for path in sorted(files):
        parts = path.split("/")
        for i in range(2, len(parts)):
            folder = "/".join(parts[:i])
            if folder not in made:
                fs.mkdir(folder)
                made.add(folder)
        with open(files[path], "rb") as source, fs.open(path, "wb") as target:
            target.write(source.read())


copy(plan["files"] if first else {})
os.umount("/")
os.mount(fs, "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
sys.argv[:] = []
hardware.life.supervisor.tell(b"M")  # a board's ROM and C start-up do not listen to Ctrl-C either


def run(name):
    """Execute a file as the board does: in __main__, its faults printed and survived; False where it had one."""
    try:
        with open(name) as f:
            code = f.read()
    except OSError:
        return True
    try:
        exec(compile(code, name, "exec"), globals())
        return True
    except KeyboardInterrupt:
        print("KeyboardInterrupt:")
    except SystemExit:
        pass
    except Exception as e:
        sys.print_exception(e)
    return False


_main = RUN_MAIN == "1"
if run("boot.py") and _main:  # a boot.py that fails or is stopped keeps main.py from running
    run("main.py")

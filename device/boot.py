"""First code on the board: choose which of two firmware directories runs, /a or /b, and go there.

In: files /slot (`a` or `b`: the proven one) and, after a deploy, /trial (`a` or `b`, then one `.` per boot it had). Out: the
working directory; MicroPython then runs main.py and finds the modules in it. A trial that did not prove itself (60 s
of health, see weave/keep) within three boots is forgotten, and the proven one runs again. Without /a and /b the root
itself is the firmware. Nothing here may fail: a board that does not get past this file needs a technician.
"""

import os

import machine

TRIES = 3


def word(path):
    """Content of a small file, "" where there is none."""
    try:
        with open(path) as f:
            return f.read(8).strip()
    except (OSError, ValueError):  # ValueError: not UTF-8
        return ""


def whole(place):
    """True where a firmware lies in `place`."""
    try:
        os.stat(place + "/main.py")
        return True
    except OSError:
        return False


def choose(root="", soft=False):
    """Directory to run from, and one more boot counted for a firmware on trial."""
    slot = word(root + "/slot")
    slot = slot if slot in ("a", "b") else "a"
    trial = word(root + "/trial")
    if trial[:1] in ("a", "b") and trial[0] != slot and whole(root + "/" + trial[0]):
        try:
            if soft:  # somebody at the console: no boot of the trial's own, and none to be counted
                return root + "/" + trial[0]
            if len(trial) <= TRIES:
                with open(root + "/trial~", "w") as f:
                    f.write(trial + ".")
                os.rename(root + "/trial~", root + "/trial")
                return root + "/" + trial[0]
            os.remove(root + "/trial")
        except OSError:
            pass  # a full or broken filesystem: the proven one
    for place in (root + "/" + slot, root + "/a", root + "/b"):
        if whole(place):
            return place
    return root or "/"


if __name__ == "__main__":
    try:
        os.chdir(choose("", machine.reset_cause() == 5))
    except OSError:
        pass

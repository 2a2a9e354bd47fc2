"""Runs the test functions of one MicroPython test module: run.py MODULE_DIR MODULE NAME...

Prints `ok NAME`, `skip NAME reason` or `FAIL NAME` followed by the traceback, one test after the other.
Works on the unix port (as a script) and on the wasm port (`run(dir, module, names)`).
"""

import sys

from skip import Skip


def run(folder, module, names):
    """Run `names` of `module`; returns the number of failures."""
    sys.path.insert(0, folder)
    failures = 0
    mod = __import__(module)
    for name in names:
        try:
            getattr(mod, name)()
            print("ok", name)
        except Skip as e:
            print("skip", name, e)
        except BaseException as e:
            failures += 1
            print("FAIL", name)
            sys.print_exception(e, sys.stdout)
    print("done", failures)
    return failures


if __name__ == "__main__" and len(sys.argv) > 3:
    sys.exit(1 if run(sys.argv[1], sys.argv[2], sys.argv[3:]) else 0)

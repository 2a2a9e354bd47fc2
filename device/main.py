"""The application: build the node, tick it every 20 ms, leave cleanly.

It lives here and not in boot.py because native USB starts after boot.py. The strand is black first; then for two
seconds nothing runs, so that a technician can break in with Ctrl-C; after five crashes in a row safe mode keeps the
console open, the strand amber, and starts no node.
"""

import gc
import json
import sys
import time

import machine

_TICK_MS = const(20)
_ESCAPE_MS = const(2000)
_SELF_TEST_TICKS = const(50)  # one good second, then the watchdog is armed
_WATCHDOG_MS = const(8000)


def load_board():
    """The board description beside this file: each copy of the firmware has its own."""
    with open("board.json") as f:
        return json.load(f)


def dark(strand):
    """Before anything else draws current or takes time. A strand that raises is told, and counted, when it shall shine."""
    try:
        from weave.drivers.strand import Strand

        Strand(strand["pin"], strand["pixels"], strand["order"], strand.get("timing", 1))
    except Exception:
        pass


def run(node):
    """Tick on time; a tick that comes late is made up for by at most one more, then the beat starts anew."""
    late = 0
    next_ms = time.ticks_ms()
    for _ in range(_SELF_TEST_TICKS):
        next_ms = pace(next_ms)
        node.tick(time.ticks_ms())
    node.keep.wdt = machine.WDT(timeout=_WATCHDOG_MS)
    gc.collect()
    while not node.console.reboot:
        next_ms = pace(next_ms)
        node.tick(time.ticks_ms())
        late += 1
        if late == 50:  # once a second, where the tick has ended: a collection here disturbs nobody
            late = 0
            if gc.mem_free() < 16384:
                gc.collect()
                # strangers' addresses fill MicroPython's table of peers, which only a reset empties
                if gc.mem_free() < 8192:
                    node.keep.leaving()
                    break
    machine.reset()  # asked for on the console, which has written what waited; or out of memory


def pace(next_ms):
    """Sleep until `next_ms`; returns the time of the tick after it."""
    wait = time.ticks_diff(next_ms, time.ticks_ms())
    if wait > 0:
        time.sleep_ms(wait)
    elif wait < -_TICK_MS:
        next_ms = time.ticks_ms()
    return time.ticks_add(next_ms, _TICK_MS)


def main():
    """From power-up to the last tick."""
    node = None
    try:
        board = load_board()
        dark(board["strand"])
        time.sleep_ms(_ESCAPE_MS)
        from weave.drivers.storage import Flash
        from weave.start import start

        node = start(board, Flash, sys.stdin.buffer, sys.stdout.buffer, machine.reset_cause())
        if node is None:
            print("pulseweave: safe mode; deploy again")
            return
        run(node)
    except KeyboardInterrupt:
        print("pulseweave: stopped; Ctrl-D starts again")
    except Exception as e:  # the supervisor holds what parts raise: this is start-up, or worse
        crashed(node, e)
    finally:
        if node and node.keep.wdt:  # a watchdog cannot be stopped, only given an hour
            machine.WDT(timeout=3600000)


def crashed(node, error):
    """Say it, note it, start again: a reset that nobody asked for counts as a crash, five of them as safe mode."""
    sys.print_exception(error)
    if node:
        node.keep.note("main", error, time.ticks_ms())
        node.keep.notes.save()
    time.sleep_ms(_ESCAPE_MS)
    machine.reset()


main()

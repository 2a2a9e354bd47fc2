"""Boards to which everything happens: a fleet with main.py's part in it, faults, and the invariants of every tick.

Beside what `Fleet` does, a board here starts as main.py starts it (two seconds in which the strand is black, a
watchdog after one good second, a reset after what start-up raises), loses power, and is looked at after every tick.
`found` collects what must not be: [invariant, slot, tick, text].
"""

import io
import sys

import machine
from fleet import Fleet, nothing
from micropython import heap_lock, heap_unlock
from virtual import RxSlot

from . import hardware
from .watch import HARD, POWER, WATCHDOG, Watch

hardware.install()

ESCAPE = 100  # ticks that main.py waits before it starts, and again after a crash
ARMED = 50  # ticks until main.py arms the watchdog
BITES = 400  # ticks without a meal
PATIENCE = 1500  # ticks until somebody pulls the plug of a node in safe mode
MOST_FOUND = 20


class RoughFleet(Fleet):
    """`plan["rough"]`: {"boot_ms": clock at power-up by node, 0 = as the plan says}."""

    def __init__(self, plan):
        boot_ms = plan["rough"]["boot_ms"]  # of the whole room: these nodes may be a worker's share of it
        for d in plan["nodes"]:
            ms = boot_ms[d["node"] - 1]
            if ms:
                d["boot_us"] = ms * 1000
        self.found = []
        self.obeyed = []  # [slot, boot, ping, tick]
        self.ids = range(1, len(boot_ms) + 1)
        self.rogue = None
        super().__init__(plan)
        import rough.requests  # noqa: F401 (fills the table of requests)

    def find(self, what, board, tick, text):
        """Something that must not be."""
        if len(self.found) < MOST_FOUND:
            self.found.append([what, board.slot, tick, text])

    def flash(self, board, plan):
        self.bus.board = board
        board.rough = hardware.Rough()
        board.rx = [RxSlot() for _ in range(24)]  # grown now, so that the heap's floor stays flat later
        board.watch = Watch(self, board)
        board.starts = -1  # tick of the next start, -1 none
        board.cause = POWER
        board.stall = 0  # the first tick that the hardware lets run
        board.storm = None  # [resets left, ticks up, ticks down, cause, tick of the next]
        super().flash(board, plan)

    # --- power ------------------------------------------------------------------------------------------------

    def reset(self, board, cause, tick, off=0):
        """A reset, or with `off` ticks and POWER a cut: dark until main.py starts again."""
        board.watch.ended()
        board.clear_radio()
        board.radio_up = False
        board.node = None
        board.step = nothing
        board.cause = cause
        board.starts = tick + off + ESCAPE
        board.rough.no_memory = False
        board.disk.dead = True
        board.tx_count = 0
        self.dark(board)

    def dark(self, board):
        """Without power a strand is black, and main.py makes it so before anything else."""
        d = board.description["strand"]
        start = board.pixel_start
        for i in range(start, start + d["pixels"] * len(d["order"])):
            self.bus.pixels[i] = 0
        self.bus.dirty[board.slot] = 1
        self.bus.shown = 1

    def boot(self, board, cause, t_us):
        """As main.py: start the node; what start-up raises is a crash and a reset."""
        tick = t_us // 20000
        board.starts = -1
        board.stall = 0
        board.watch.starting(cause)
        board.rough.converters = []
        try:
            if tick:
                board.disk = board.disk.again()
                board.fs = board.disk.mounted()
            super().boot(board, cause, t_us)
        except OSError as e:
            if not board.rough.strand_raises:
                self.find("start", board, tick, traceback(e))
            self.reset(board, HARD, tick, ESCAPE)
            return
        except Exception as e:
            self.find("start", board, tick, traceback(e))
            self.reset(board, HARD, tick, ESCAPE)
            return
        board.watch.started(tick)
        storm = board.storm
        if storm:
            storm[4] = tick + storm[1]

    # --- the tick ---------------------------------------------------------------------------------------------

    def _tick(self, tick):
        bus = self.bus
        bus.tick = tick
        start = tick * 20000
        for board in self.boards:
            t = start + board.phase_us
            us = board.boot_us + t + t * board.ppm // 1000000
            board.us = us & 0x3FFFFFFF
            now = board.now = us // 1000 & 0x3FFFFFFF
            for chip in board.chips:
                chip.advance()
            bus.board = board
            if board.starts >= 0:
                if tick >= board.starts:
                    self.boot(board, board.cause, t)
                continue
            if board.storm and tick >= board.storm[4]:
                self.storm(board, tick)
                continue
            if board.node is None:  # safe mode
                if tick - board.watch.since > PATIENCE:
                    self.reset(board, POWER, tick, 50)
                continue
            if tick >= board.stall:
                self.step(board, now, tick)
            elif tick - board.watch.fed_tick > BITES and board.node.keep.wdt:
                self.reset(board, WATCHDOG, tick)

    def storm(self, board, tick):
        """The next reset of a series."""
        storm = board.storm
        storm[0] -= 1
        if storm[0] <= 0:
            board.storm = None
        else:
            storm[4] = tick + storm[2] + ESCAPE + storm[1] + 1
        self.reset(board, storm[3], tick, storm[2])

    def step(self, board, now, tick):
        """One tick of a running node, and a look at it."""
        locked = board.rough.locked
        if locked:
            heap_lock()
        try:
            board.step(now)
            if locked:
                heap_unlock()
        except Exception as e:
            if locked:
                heap_unlock()
            self.find("raised", board, tick, traceback(e))
            self.reset(board, HARD, tick, ESCAPE)
            return
        if board.disk.dead:  # the power went in the middle of this tick
            self.reset(board, POWER, tick, 50)
            return
        board.watch.look(now, tick)
        node = board.node
        if node.console.reboot:
            self.reset(board, HARD, tick)
        elif tick - board.watch.fed_tick > BITES and node.keep.wdt:
            self.reset(board, WATCHDOG, tick)
        elif board.watch.steps == ARMED:
            node.keep.wdt = machine.WDT(timeout=8000)
            board.watch.fed_tick = tick


def traceback(error):
    """What MicroPython prints of it."""
    page = io.StringIO()
    sys.print_exception(error, page)
    return page.getvalue()[-600:]

"""What must hold for one board after every tick, whatever happens to it.

In: the board after its tick. Out: `fleet.find(invariant, ...)` where one does not hold:
share (never below a quarter), unsealed (nobody without keys changes anything), late (hardware holds a tick no longer than
its budget), watchdog (fed only by a whole tick), dark (the strand lives), configuration (never lost), safe (after five
crash boots until somebody pulls the plug or deploys, and after nothing else), note (a crash leaves a note).
"""

from virtual import bus

POWER, HARD, WATCHDOG, SOFT = 1, 2, 3, 5
BAD = 5
HEALTHY = 2940  # whole ticks before which no crash counter may be cleared
CERTAIN = 3300  # and after which it must have been
TICK_US = 20000
FLASH_US = 1500000  # a note or a configuration, at a moment when nobody sees the strand stop
NVS_US = 100000
RADIO_US = 2400000  # one refused send and a restart
RADIO_MINUTE_US = 6000000
SPACE = 3000  # ticks
DARK = 500
TYPED = 100  # ticks after somebody's word was read in which the flash may be written


class Watch:
    """Beside one board for the whole run."""

    def __init__(self, fleet, board):
        self.fleet = fleet
        self.board = board
        self.steps = 0  # since start
        self.fed = self.fed_tick = 0
        self.frames = self.frames_tick = 0
        self.since = 0  # tick of the start
        self.kept = 0  # sequence number of the configuration on flash
        self.names = [None, None]
        self.bad = 0  # crash boots in a row, as they must be counted
        self.sure = True
        self.crash = False
        self.boots = 0
        self.light = 4  # place of the light among the supervisor's parts
        self.waited = 0  # whether it was put aside after the last tick
        # parts of the node that is looked at, from its start on
        self.damp = self.keep = self.config = self.strand = self.wait = None
        self.radio = 0  # us of this minute
        self.radio_from = 0

    # --- boots ------------------------------------------------------------------------------------------------

    def ended(self):
        """The board goes down: was it healthy long enough?"""
        node, board = self.board.node, self.board
        if node is None:
            return
        whole = self.fed
        if whole > CERTAIN and not board.nvs_fail:
            self.bad = 0
        elif whole > HEALTHY:
            self.sure = False
        if board.nvs_fail:
            self.sure = False

    def starting(self, cause):
        """What the counter must say after this boot."""
        nvs = self.board.nvs.get("weave", {})
        if not self.sure:
            self.bad = nvs.get("bad", 0)
            self.sure = not self.board.nvs_fail
        self.crash = cause == WATCHDOG or (cause == HARD and not nvs.get("wanted", 0))
        if self.crash:
            self.bad += 1
        elif cause in (POWER, SOFT) and self.bad >= BAD:
            self.bad = BAD - 1
        self.boots += 1

    def started(self, tick):
        """The node is there, or the board is in safe mode."""
        board = self.board
        node = board.node
        find = self.fleet.find
        board.rough.begin()  # what start-up takes delays no tick
        self.steps = self.fed = self.waited = 0
        self.since = self.fed_tick = self.frames_tick = tick
        safe = node is None
        if self.sure and safe != (self.bad >= BAD):
            find("safe", board, tick, "%d crash boots, safe mode %d" % (self.bad, safe))
        if safe:
            return
        self.damp, self.keep, self.config, self.strand = node.damp, node.keep, node.keep.config, node.light
        self.wait = node.supervisor.wait
        self.frames = node.light.frames
        self.light = node.supervisor.names.index("light")
        if self.crash and not node.keep.notes.taken:
            find("note", board, tick, "a crash boot without a note")
        config = node.keep.config
        if config.node != board.settings["node"] or config.sequence < self.kept:
            find(
                "configuration",
                board,
                tick,
                "node %d, %d older than %d" % (config.node, config.sequence, self.kept),
            )
        elif config.sequence == self.kept and self.names[self.kept & 1] not in (None, config.name):
            find("configuration", board, tick, "name %r" % config.name)
        from kinds import PING

        node.mesh.on(PING, Obeyed(self, node).ping)

    # --- ticks ------------------------------------------------------------------------------------------------

    def look(self, now, tick):
        """After every tick."""
        board = self.board
        rough = board.rough
        self.steps += 1
        damp = self.damp
        if damp.rho < 1024 or (damp.level < (damp.own >> 2) - 4 and not damp.opted_out):
            self.fleet.find("share", board, tick, "rho %d own %d level %d" % (damp.rho, damp.own, damp.level))
        if not damp.enabled:
            self.fleet.find("unsealed", board, tick, "damping off without a sealed policy")
            damp.enabled = 1
        aside = self.wait[self.light]
        if self.keep.wdt:
            fed = board.fed
            if fed != self.fed:
                self.fed_tick = tick
                if self.waited and aside:  # fed for the tick before
                    self.fleet.find("watchdog", board, tick, "fed although the strand was put aside")
            self.fed = fed
        self.waited = aside
        frames = self.strand.frames
        if frames != self.frames:
            self.frames = frames
            self.frames_tick = tick
        elif tick - self.frames_tick > DARK:
            self.fleet.find("dark", board, tick, "no frame for 10 s")
            self.frames_tick = tick
        config = self.config
        if config.sequence != self.kept:
            self.kept = config.sequence
            self.names[self.kept & 1] = config.name
        if rough.hold_us > TICK_US or rough.flash_us or rough.radio_us or rough.nvs_us:
            self.late(board.node, rough, tick)
        rough.hold_us = 0  # the others are seldom anything else

    def late(self, node, rough, tick):
        """The hardware held this tick: within its budget?"""
        board = self.board
        find = self.fleet.find
        if rough.hold_us > TICK_US:
            find("late", board, tick, "buses and strand held the tick for %d us" % rough.hold_us)
        if rough.flash_us and node.sense.contact and tick - rough.typed > TYPED:
            find("late", board, tick, "%d us of flash while somebody touches" % rough.flash_us)
        if rough.flash_us > FLASH_US or rough.nvs_us > NVS_US:
            find("late", board, tick, "%d us of flash, %d us of NVS" % (rough.flash_us, rough.nvs_us))
        if rough.radio_us:
            if tick - self.radio_from > SPACE:
                self.radio_from = tick
                self.radio = 0
            self.radio += rough.radio_us
            if rough.radio_us > RADIO_US or self.radio > RADIO_MINUTE_US:
                find("late", board, tick, "%d us of radio, %d in a minute" % (rough.radio_us, self.radio))
                self.radio = 0
        held = rough.hold_us + rough.flash_us + rough.radio_us + rough.nvs_us
        if held > TICK_US:
            board.stall = tick + held // TICK_US + 1
        rough.begin()


class Obeyed:
    """Hears the pings that a node obeys, before the node does."""

    def __init__(self, watch, node):
        self.watch = watch
        self.node = node

    def ping(self, buf, start, n, origin, at):
        watch = self.watch
        self.node.on_ping(buf, start, n, origin, at)
        obeyed = watch.fleet.obeyed
        if not watch.board.rough.locked and len(obeyed) < 200:
            obeyed.append([watch.board.slot, watch.boots, self.node.ping, bus.tick])

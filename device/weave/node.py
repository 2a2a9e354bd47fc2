"""The node: what happens in one tick, in order.

In: time in ms; everything else comes through the drivers and parts that start.py put together. Out: pixels, frames,
console bytes, and the attributes of the parts. A part that raises is put aside by the supervisor; the rest goes on.
"""

from .console import Console
from .keep.supervisor import Supervisor
from .light.scenes import IDENTIFY

_VISITOR = const(7)  # kinds of events, as in mesh/README.md
_NOTES = const(9)
# flags of the state that a node shares with the room; 2 is for safe mode
_TOUCHED = const(1)  # a visitor is here
_LIMITED = const(4)  # the power budget dims the strand
_FAULT = const(8)  # a sensor does not work

_NAMES = const(("sense", "affect", "mesh", "damp", "light", "console", "keep"))
_SHINE = const(4)  # places of the light and of keep among them
_CONSOLE = const(5)
_KEEP = const(6)
# ticks the button is held until it counts: long enough to be meant, within the second promised
_HOLD = const(25)
_CONFIRM = const(3100)  # ticks: about once a minute health is confirmed even where somebody is always here
_QUIET = const(250)  # ticks without a visitor between moments in which flash may be written
# marks: the last events stand in every crash note; a part that fails leaves its capital
_CAME = const(99)  # c: a visitor's contact
_LEFT = const(108)  # l: it ended
_OPTED = const(111)  # o: the opt-out button
_ASKED = const(105)  # i: identify


class Node:
    """Composed of parts; `tick(now)` is the whole of its life."""

    def __init__(self, hardware, keep, sense, affect, mesh, damp, light):
        self.hardware = hardware
        self.keep = keep
        self.sense = sense
        self.affect = affect
        self.mesh = mesh
        mesh.tell = self._tell
        self.damp = damp
        self.light = light
        self.ping = 0  # id of the last ping heard, for measurements
        self._held = 0
        self._quiet = 1  # ticks since the last visitor, 0 while one is here
        self.supervisor = Supervisor(_NAMES, keep)
        self._wait = self.supervisor.wait
        self.console = Console(hardware.port, self)  # looks at the finished node
        console = self.console.step
        self._steps = (sense.step, affect.step, mesh.step, self._calm, self._shine, console, self._keep)

    def tick(self, now):
        """One tick: from the sensors to the strand and to the neighbours. Never blocks, never raises."""
        wait = self._wait
        steps = self._steps
        for i in range(7):
            if wait[i] and not self.supervisor.due(i, now):
                continue
            try:
                steps[i](now)
            except Exception as e:
                self.supervisor.fault(i, e, now)
                if i < 2:  # who touches when it runs again may be somebody else
                    sense = self.sense
                    sense.clear()
                    sense.skin.clear()
                    sense.skin.since = -1
                    sense.faults = 3
                    self.affect.clear()
                elif i == _CONSOLE:  # it does not see the hand leave
                    self.console.raw = 0
        # The watchdog asks whether the strand lives: a sensor that is put aside for a minute is no reason to restart.
        self.keep.done = not (wait[_SHINE] or wait[_KEEP])

    def _tell(self) -> None:
        """Tell the room how it is here, whenever it matters; an opted-out visitor tells nothing."""
        affect = self.affect
        damp = self.damp
        sense = self.sense
        flags = _FAULT if sense.faults else 0
        if self.light.limited:
            flags |= _LIMITED
        if sense.contact and not damp.opted_out:
            trust = affect.fast_confidence  # how much was measured: the weight in the room's mean
            self.mesh.room.share(0, affect.arousal, damp.fast, trust, damp.g, flags | _TOUCHED)
        else:
            self.mesh.room.share(0, 0, 0, 0, damp.g, flags)

    def _calm(self, now) -> None:
        """The opt-out button, held for half a second, turns mediation off for this visitor, or on again; damping."""
        damp = self.damp
        button = self.hardware.button
        if not button or not button.pressed():
            self._held = 0
        elif self._held < _HOLD:
            self._held += 1
            if self._held == _HOLD:
                self.keep.mark(_OPTED)
                damp.opt_out(not damp.opted_out)
                self._quiet = self._quiet and 1  # whoever is about to touch has five seconds
        if not damp.tick:
            self._tell()
        damp.step(now, self.affect, self.sense.contact, self.mesh.room)

    def _shine(self, now) -> None:
        """Light up; a visitor who let go leaves the last beats to the room."""
        light = self.light
        clock = self.mesh.time
        light.step(now, clock, self.sense, self.affect, self.damp)
        if light.event_n:
            self.mesh.send_event(_VISITOR, light.event, light.event_n, clock(now))
            light.event_n = 0

    def _keep(self, now) -> None:
        """Feed the watchdog; write what waits while nobody is here to see the strand stop for 80 ms."""
        keep = self.keep
        keep.step(now)
        if not keep.ticks % _CONFIRM:
            keep.healthy(now)
        if self.sense.contact:
            if self._quiet:
                self._quiet = 0
                keep.mark(_CAME)
        else:
            if not self._quiet:
                keep.mark(_LEFT)
            self._quiet += 1
            if self._quiet > _QUIET:
                self._quiet = 1
                self.damp.opt_out(0)  # it was the visitor's; a hand that is lifted for a moment keeps it
                keep.quiet(now)

    # What the mesh brings for this node: methods, because a closure called with five arguments would allocate.

    def on_policy(self, buf, start, n, origin, at):
        self.damp.policy(buf, start, n)

    def on_ping(self, buf, start, n, origin, at):
        if n >= 2:
            self.ping = buf[start] << 8 | buf[start + 1]

    def on_identify(self, buf, start, n, origin, at):
        self.keep.mark(_ASKED)
        self.light.show_only(IDENTIFY, self.mesh.now, 10000)

    def on_notes(self, buf, start, n, origin, at):
        """Somebody asks (n = 0) who we are and for the newest crash notes: two in short; or an answer comes, and is kept."""
        mesh = self.mesh
        if n:
            mesh.told = bytes(buf[start : start + n])
        elif origin != mesh.node:
            board = self.hardware.board
            said = "%d %.8s %s\n" % (mesh.node, board.get("release"), board.get("name"))
            for note in self.keep.notes.read()[-2:]:
                said += "%d %s %s: %s\n" % (note["boot"], note["part"], note["marks"], note["text"][-44:])
            said = said.encode()
            mesh.send_event(_NOTES, said, min(len(said), 200), -1, origin)

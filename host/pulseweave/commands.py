"""The table of subcommands with what each is for; a command is loaded when it is called.

The sentences stand here as well as in the commands, so that `--help` need not import them all.
"""

import importlib

import rich_click as click

from pulseweave import __version__
from pulseweave.problem import Problem

COMMANDS = {
    "sim": "pulseweave.sim.command:sim",
    "gather": "pulseweave.gather.command:gather",
    "export": "pulseweave.gather.archive:export",
    "report": "pulseweave.gather.archive:report",
    "prune": "pulseweave.gather.archive:prune",
    "forget": "pulseweave.gather.archive:forget",
    "replay": "pulseweave.sim.replaying:replay",
    "sweep": "pulseweave.sim.sweep:sweep",
    "campaign": "pulseweave.sim.campaign.command:campaign",
    "score": "pulseweave.score.command:score",
    "train": "pulseweave.score.train:train",
    "calibrate": "pulseweave.score.twopoint:calibrate",
    "boards": "pulseweave.boards.command:boards",
    "scene": "pulseweave.light.preview:scene",
    "virtual-board": "pulseweave.bench.virtual_board:virtual_board",
    "flash": "pulseweave.bench.flashing:flash",
    "deploy": "pulseweave.bench.deploying:command",
    "provision": "pulseweave.bench.provisioning:command",
    "selftest": "pulseweave.bench.selftest:selftest",
    "labels": "pulseweave.bench.provisioning:labels",
    "backup": "pulseweave.bench.backup:backup",
    "restore": "pulseweave.bench.backup:restore",
    "identify": "pulseweave.bench.nodes:identify",
    "status": "pulseweave.bench.nodes:status",
    "crash": "pulseweave.bench.nodes:crash",
    "console": "pulseweave.bench.console.command:command",
    "doctor": "pulseweave.bench.doctor:doctor",
    "network": "pulseweave.bench.networking:command",
    "station": "pulseweave.bench.station:station",
    "ledger": "pulseweave.bench.reading:ledger",
    "mesh": "pulseweave.mesh.command:mesh",
    "images": "pulseweave.bench.reading:images",
}

# what `--help` says: panels, and in them each command with the first sentence of its own help
OVERVIEW = """\
Rooms on this machine
  sim            Run a room of real nodes on this machine, live on a page or as fast as it can.
  replay         Look at a stored gathering again, or run one recorded node on its recorded input.
  scene          Scenes of the light.
  sweep          Shock a room over a grid of gains, delays, losses and crowds; draw where it stays calm.
  campaign       Break simulated rooms in every way that is known, and check that the light goes on.
The technician's bench
  station        Plug in, watch, unplug, next: flashed, deployed, provisioned, tested, labelled.
  flash          Put MicroPython onto boards: all at once, verified, and not again where it is already.
  deploy         Put the firmware onto boards: what changed, verified, and back by itself if it is bad.
  provision      Give a board its id, name, place and network keys; the difference is shown first.
  selftest       Try strand, sensors, radio and flash of boards; the strand ends green or red.
  labels         A sheet of QR labels (A4, 3 x 9) of all provisioned boards, as .svg or .pdf.
  ledger         What was done to which board: one line per MAC, or every event of one board.
  backup         Write what a node is (settings, id, crash notes; no keys) to FILE.
  restore        Make a board what FILE says; the board it replaces is retired.
  network        Make a network file and rotate its keys; it is the one secret of a room.
  boards         List the boards that are described in boards/*.toml.
  images         The firmware images that boards/firmware.lock knows.
  virtual-board  Run a board made of the unix port, on a serial port of its own.
A node, over its cable or the mesh
  console        Watch a node: beats, arousal, light, mesh, crash notes; switch its scenes.
  status         How a node is.
  identify       Make a node blink for ten seconds.
  crash          The crash notes of a node; also of one in safe mode or one that has stopped.
  doctor         Find out what is wrong with a board, from the plug to the mesh, and what to do.
  mesh           Who hears whom: RSSI, ages, versions and clocks of a mesh, through one of its nodes.
What a room tells
  gather         Gather what gateway nodes hear of their cluster: keep it, show it, tell a broker.
  export         Write what was gathered as CSV, Parquet or JSON, with units in the headers.
  report         Make one HTML file with plots of a gathering.
  prune          Erase everything older than a time, for good.
  forget         Erase all that one node has told, or one visitor's touch, for good.
What a touch says
  score          Score the device's own estimates, run under MicroPython, on recordings.
  train          Regenerate the device's weights from labelled recordings.
  calibrate      Calibrate a node's skin input with two resistors in the place of a hand.
"""


def panels(text: str = OVERVIEW) -> dict[str, dict[str, str]]:
    """The overview as panel to command to sentence."""
    found: dict[str, dict[str, str]] = {}
    title = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            title = line
        else:
            name, _, sentence = line.strip().partition(" ")
            found.setdefault(title, {})[name] = sentence.strip()
    return found


def load(name: str) -> click.Command:
    """The command itself, from its module."""
    module, _, attribute = COMMANDS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


class Lazy(click.RichGroup):
    """A group whose commands are imported when they are run: help knows them by name and sentence alone."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        sentences = {name: sentence for panel in panels().values() for name, sentence in panel.items()}
        return click.RichCommand(name=name, help=sentences[name]) if name in sentences else None

    def resolve_command(self, ctx, args):
        name, *rest = args
        if name not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(name, COMMANDS, 1)
            hint = f"did you mean `{close[0]}`?" if close else "see `pulseweave --help`"
            raise Problem(f"{name}: no such command: {hint}")
        return name, load(name), rest

    def format_help(self, ctx, formatter):
        for title, panel in panels().items():
            self.add_panel(click.RichCommandPanel(title, commands=list(panel)))
        super().format_help(ctx, formatter)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pulseweave")
def group():
    """Rooms that feel: simulate, flash, watch and gather Pulseweave nodes.

    Example: pulseweave sim calm --nodes 24
    """

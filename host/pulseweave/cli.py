"""The `pulseweave` command: a table of subcommands, loaded when they are called."""

import importlib
import sys

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
    "replay": "pulseweave.sim.command:replay",
    "sweep": "pulseweave.sim.sweep:sweep",
    "campaign": "pulseweave.sim.campaign.command:campaign",
    "score": "pulseweave.score.command:score",
    "train": "pulseweave.score.train:train",
    "calibrate": "pulseweave.score.twopoint:calibrate",
    "boards": "pulseweave.boards:boards",
    "scene": "pulseweave.light.preview:scene",
    "virtual-board": "pulseweave.bench.virtual_board:virtual_board",
    "flash": "pulseweave.bench.flash:flash",
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


class Lazy(click.RichGroup):
    """A group whose commands are imported when used, so that `--help` and small commands start at once."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        return getattr(importlib.import_module(module), attribute)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pulseweave")
def group():
    """Rooms that feel: simulate, flash, watch and gather Pulseweave nodes.

    Example: pulseweave sim calm --nodes 24
    """


def main() -> None:
    """Run the command; what is wrong with the input becomes one line on stderr and an exit code."""
    try:
        code = group(standalone_mode=False)
    except Problem as e:
        print(f"pulseweave: {e}", file=sys.stderr)
        sys.exit(e.code)
    except click.UsageError as e:  # an unknown option, a word where a number belongs
        where = e.ctx.command_path if e.ctx else "pulseweave"
        message = " ".join(e.format_message().split()).rstrip(".")
        print(f"pulseweave: {message}: see `{where} --help`", file=sys.stderr)
        sys.exit(e.exit_code)
    except click.Abort:
        print("pulseweave: stopped", file=sys.stderr)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)

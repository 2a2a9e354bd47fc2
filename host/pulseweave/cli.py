"""The `pulseweave` command: what is wrong with the input becomes one line on stderr and an exit code.

Starting is half of what a small command costs, so this file loads nothing that it need not.
"""

import errno
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext, suppress

from pulseweave.problem import Problem


def ahead(words: list[str]) -> AbstractContextManager:
    """What takes longest to start is on its way before the command itself is loaded: esptool, for `flash`."""
    if words[:1] != ["flash"] or {"-h", "--help"} & set(words):
        return nullcontext()
    from pulseweave.bench import esptool

    return esptool.ahead()


def run() -> int:
    """Run the command; its exit code. Raises Problem."""
    import rich_click as click

    from pulseweave.commands import group

    try:
        code = group(standalone_mode=False)
    except click.UsageError as e:  # an unknown option, a word where a number belongs
        where = e.ctx.command_path if e.ctx else "pulseweave"
        message = " ".join(e.format_message().split()).rstrip(".")
        print(f"pulseweave: {message}: see `{where} --help`", file=sys.stderr)
        return e.exit_code
    except click.Abort:
        print("pulseweave: stopped", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0


def ended(number: int, _) -> None:
    """Told to end: `finally` puts in order what was begun (a board runs again, a terminal echoes)."""
    raise SystemExit(128 + number)


def main() -> None:
    """The entry point."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has its way
            signal.signal(number, ended)
    try:
        try:
            with ahead(sys.argv[1:]):
                code = run()
        finally:
            sys.stdout.flush()
    except Problem as e:
        print(f"pulseweave: {e}", file=sys.stderr)
        code = e.code
    except KeyboardInterrupt:  # while the command was being loaded
        print("pulseweave: stopped", file=sys.stderr)
        code = 1
    except OSError as e:
        if e.errno != errno.EPIPE:  # whoever read this has seen enough
            print(f"pulseweave: {e}: check what this command writes to", file=sys.stderr)
        with suppress(OSError):  # what could not be written is not tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
